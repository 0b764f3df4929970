#include "api/client/client.h"

#include <thrift/TApplicationException.h>
#include <thrift/TConfiguration.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TSocket.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "api/thrift_log.h"
#include "store/base/limits.h"

namespace vitrine {

using apache::thrift::TApplicationException;
using apache::thrift::TConfiguration;
using apache::thrift::protocol::TBinaryProtocol;
using apache::thrift::transport::TFramedTransport;
using apache::thrift::transport::TSocket;
using apache::thrift::transport::TTransportException;

template <typename ServiceClient>
absl::StatusOr<std::unique_ptr<Connection<ServiceClient>>> Connection<ServiceClient>::Open(
    const std::string& host, int port, int timeout_ms) {
  SendThriftMessagesToDebugLog();
  auto socket = std::make_shared<TSocket>(host, port);
  socket->setConnTimeout(timeout_ms);
  socket->setSendTimeout(timeout_ms);
  socket->setRecvTimeout(timeout_ms);
  // The library's own limit is smaller than a back-office frame may be. Its default for messages is
  // copied: the library declares that constant and never defines it, so no reference may bind to
  // it.
  const int message_bytes_max = TConfiguration::DEFAULT_MAX_MESSAGE_SIZE;
  auto framed = std::make_shared<TFramedTransport>(
      socket,
      std::make_shared<TConfiguration>(message_bytes_max, limits::kBackofficeFrameBytesMax));
  try {
    framed->open();
  } catch (const TTransportException& e) {
    return absl::UnavailableError(absl::StrCat(host, ":", port, ": ", e.what()));
  }
  auto protocol = std::make_shared<TBinaryProtocol>(framed, /*string_limit=*/0,
                                                    /*container_limit=*/0, /*strict_read=*/true,
                                                    /*strict_write=*/true);
  std::unique_ptr<Connection> connection(new Connection());
  connection->client_ = std::make_unique<ServiceClient>(protocol);
  return connection;
}

template class Connection<StorefrontClient>;
template class Connection<BackofficeClient>;

absl::Status CatchThrift(const std::function<void()>& call) {
  try {
    call();
  } catch (const InvalidRequest& e) {
    return absl::InvalidArgumentError(e.field.empty() ? e.message
                                                      : absl::StrCat(e.field, ": ", e.message));
  } catch (const NotFound& e) {
    return absl::NotFoundError(e.message);
  } catch (const Overloaded& e) {
    return absl::ResourceExhaustedError(
        absl::StrCat(e.message, " (try again in ", e.retry_after_ms, " ms)"));
  } catch (const DeadlineExceeded& e) {
    return absl::DeadlineExceededError(e.message);
  } catch (const Unavailable& e) {
    return absl::UnavailableError(e.message);
  } catch (const Unauthorized& e) {
    return absl::PermissionDeniedError(e.message);
  } catch (const InternalError& e) {
    return absl::InternalError(e.message);
  } catch (const TTransportException& e) {
    return absl::UnavailableError(e.what());
  } catch (const TApplicationException& e) {
    // What GuardedBackoffice says: few methods of the back office declare an exception for it.
    if (absl::string_view why = e.what(); absl::ConsumePrefix(&why, "unauthorized: ")) {
      return absl::PermissionDeniedError(why);
    }
    return absl::InternalError(e.what());
  }
  return absl::OkStatus();
}

}  // namespace vitrine
