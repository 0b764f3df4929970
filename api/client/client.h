// A connection to a Vitrine server, for the command line, tests and the load generator.
//
//   ASSIGN_OR_RETURN(auto storefront, Connection<StorefrontClient>::Open("127.0.0.1", 9090, 1000));
//   storefront->call().recommend(reply, request);   // throws the IDL's exceptions

#ifndef VITRINE_API_CLIENT_CLIENT_H_
#define VITRINE_API_CLIENT_CLIENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "api/Backoffice.h"
#include "api/Storefront.h"

namespace vitrine {

// One thread at a time. ServiceClient is StorefrontClient or BackofficeClient.
template <typename ServiceClient>
class Connection {
 public:
  // Unavailable if nobody listens there. `timeout_ms` bounds the connect and each read and write;
  // 0 means no bound.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& host, int port,
                                                          int timeout_ms);

  ServiceClient& call() { return *client_; }

 private:
  Connection() = default;
  std::unique_ptr<ServiceClient> client_;
};

// The IDL's exceptions (and a lost connection) as a Status; everything else is rethrown.
//
//   absl::Status done = CatchThrift([&] { backoffice->call().train(info, request); });
absl::Status CatchThrift(const std::function<void()>& call);

}  // namespace vitrine

#endif  // VITRINE_API_CLIENT_CLIENT_H_
