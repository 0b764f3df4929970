// One connection of HTTP/1.1: reads a request, has it answered, writes the reply, and again; one
// phase at a time, each with its timeout.

#ifndef VITRINE_API_GATEWAY_HTTP_CONNECTION_H_
#define VITRINE_API_GATEWAY_HTTP_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <optional>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"

#include "api/gateway/gateway.h"
#include "api/gateway/handler_pool.h"
#include "api/gateway/http_api.h"

namespace vitrine {

class HttpConnection;

// What the connections of a gateway share. Outlives them.
struct HttpHouse {
  HttpHouse(const GatewayOptions& gateway_options, GatewayParts parts, ShopFiles shop)
      : options(gateway_options),
        clock(parts.clock),
        counts(parts.counts != nullptr ? parts.counts : std::make_shared<ServerCounts>()),
        api(std::move(parts), std::move(shop)),
        ask_pool(options.ask_threads, limits::kHttpWaitingMax),
        track_pool(options.track_threads, limits::kHttpWaitingMax) {}

  // No request comes after those under way. So from before the first connection is told.
  bool IsDraining() {
    const absl::ReaderMutexLock lock(&mutex);
    return draining;
  }

  const GatewayOptions options;
  const Clock* const clock;
  const std::shared_ptr<ServerCounts> counts;
  const HttpApi api;
  HandlerPool ask_pool, track_pool;

  absl::Mutex mutex;
  absl::flat_hash_set<HttpConnection*> connections ABSL_GUARDED_BY(mutex);
  bool draining ABSL_GUARDED_BY(mutex) = false;
};

// All that happens to it happens on the strand of its socket.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  HttpConnection(Socket socket, HttpHouse* house);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  void Start();

  // From any thread: closes it now if it is idle, else after the request that is under way.
  void Finish();

 private:
  using ErrorCode = boost::beast::error_code;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void WaitForRequest();
  void ReadHeader();
  void OnHeader(ErrorCode error);
  void SendContinue();
  void ReadBody();
  void OnBody(ErrorCode error);
  void Handle(HttpRequest request);
  void Send(HttpReply reply);
  void OnSent(ErrorCode error);
  void CountCall(int status);
  void SayGoodbye();
  void ReadGoodbye();
  // What was read is no request that can be answered.
  void Refuse(ErrorCode error);

  HttpHouse* const house_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_{limits::kHttpReadAheadBytesMax};
  std::optional<Parser> parser_;
  std::optional<boost::beast::http::response<boost::beast::http::string_body>> reply_;
  std::optional<boost::beast::http::response<boost::beast::http::empty_body>> head_reply_;
  bool idle_ = true;  // nothing of a request has arrived
  bool keep_alive_ = false;
  bool is_head_ = false;
  absl::string_view route_;  // of the request that is answered; empty: it is none
  int64_t arrived_ns_ = 0;   // steady, the whole of it
  unsigned version_ = 11;
};

}  // namespace vitrine

#endif  // VITRINE_API_GATEWAY_HTTP_CONNECTION_H_
