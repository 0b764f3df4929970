#include "api/gateway/http_connection.h"

#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include "absl/strings/match.h"
#include "spdlog/spdlog.h"

namespace vitrine {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace net = boost::asio;

constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr size_t kReadBytes = 4096;
// Of what a refused peer still sends: read for so long, so that our answer is not lost with it.
constexpr std::chrono::milliseconds kGoodbye(1000);

absl::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

// What the parser lets pass and a proxy in front of us might read in another way. Empty: nothing.
absl::string_view Ambiguity(const http::request_header<>& header) {
  if (header.count(http::field::transfer_encoding) > 1 ||
      header.count(http::field::content_length) > 1 || header.count(http::field::host) > 1) {
    return "a header that frames the request is there twice";
  }
  const absl::string_view encoding = View(header[http::field::transfer_encoding]);
  if (!encoding.empty()) {
    if (header.count(http::field::content_length) > 0) return "two lengths";
    if (header.version() < 11) return "HTTP/1.0 knows no Transfer-Encoding";
    if (!absl::EqualsIgnoreCase(encoding, "chunked")) return "an encoding other than chunked";
  }
  if (header.version() == 11 && header.count(http::field::host) == 0) return "no Host";
  // A header that is folded into the one before it.
  if (View(header[http::field::host]).find_first_of(" \t,") != absl::string_view::npos) {
    return "no host's name in Host";
  }
  return "";
}

// By the numbers of the exceptions that the Storefront's methods declare (vitrine.thrift).
size_t OutcomeOf(int status) {
  switch (status) {
    case 401:
      return 7;
    case 404:
      return 2;
    case 429:
      return 3;
    case 503:
      return 5;
    case 504:
      return 4;
    default:
      return status < 400 ? 0 : status < 500 ? 1 : 6;
  }
}

HttpRequest ToRequest(http::request<http::string_body>&& message) {
  HttpRequest request;
  request.method = std::string(View(message.method_string()));
  request.target = std::string(View(message.target()));
  for (const auto& field : message) {
    request.headers.emplace_back(View(field.name_string()), View(field.value()));
  }
  request.body = std::move(message.body());
  return request;
}

}  // namespace

HttpConnection::HttpConnection(Socket socket, HttpHouse* house)
    : house_(house), stream_(std::move(socket)) {
  ++house_->counts->accepted;
  ++house_->counts->connections;
}

HttpConnection::~HttpConnection() {
  --house_->counts->connections;
  const absl::MutexLock lock(&house_->mutex);
  house_->connections.erase(this);
}

void HttpConnection::Start() {
  ErrorCode ignored;
  stream_.socket().set_option(net::ip::tcp::no_delay(true), ignored);
  net::post(stream_.get_executor(), [self = shared_from_this()] { self->WaitForRequest(); });
}

void HttpConnection::Finish() {
  net::post(stream_.get_executor(), [self = shared_from_this()] {
    if (self->idle_) self->stream_.close();
  });
}

// From its first byte on a request has the time of its headers; before, that of an idle peer.
void HttpConnection::WaitForRequest() {
  idle_ = buffer_.size() == 0;
  if (!idle_) return ReadHeader();
  if (house_->IsDraining()) return SayGoodbye();
  stream_.expires_after(std::chrono::milliseconds(house_->options.idle_timeout_ms));
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](ErrorCode error, size_t bytes) {
                            if (error) return;  // gone, silent, or finished
                            self->buffer_.commit(bytes);
                            self->idle_ = false;
                            self->ReadHeader();
                          });
}

void HttpConnection::ReadHeader() {
  parser_.emplace();
  parser_->header_limit(limits::kHttpHeaderBytesMax);
  parser_->body_limit(limits::kHttpBodyBytesMax);
  stream_.expires_after(std::chrono::milliseconds(house_->options.header_timeout_ms));
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](ErrorCode error, size_t) { self->OnHeader(error); });
}

void HttpConnection::OnHeader(ErrorCode error) {
  if (error) return Refuse(error);
  const auto& header = parser_->get();
  version_ = header.version();
  keep_alive_ = parser_->keep_alive();
  is_head_ = header.method() == http::verb::head;
  const absl::string_view ambiguity = Ambiguity(header);
  if (!ambiguity.empty()) {
    keep_alive_ = false;
    return Send(ErrorReply(400, "invalid_request", ambiguity));
  }
  if (parser_->is_done()) return OnBody({});
  if (absl::EqualsIgnoreCase(View(header[http::field::expect]), "100-continue")) {
    return SendContinue();
  }
  ReadBody();
}

void HttpConnection::SendContinue() {
  stream_.expires_after(std::chrono::milliseconds(house_->options.write_timeout_ms));
  net::async_write(stream_, net::buffer(kContinue, sizeof(kContinue) - 1),
                   [self = shared_from_this()](ErrorCode error, size_t) {
                     if (!error) self->ReadBody();
                   });
}

void HttpConnection::ReadBody() {
  stream_.expires_after(std::chrono::milliseconds(house_->options.body_timeout_ms));
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](ErrorCode error, size_t) { self->OnBody(error); });
}

void HttpConnection::OnBody(ErrorCode error) {
  if (error) return Refuse(error);
  Handle(ToRequest(parser_->release()));
}

void HttpConnection::Refuse(ErrorCode error) {
  keep_alive_ = false;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return Send(ErrorReply(431, "headers_too_large", "the headers are longer than 16 KiB"));
  }
  if (error == http::error::body_limit) {
    return Send(ErrorReply(413, "too_large", "the body is longer than 1 MiB"));
  }
  const bool is_parse_error =
      error.category() == http::make_error_code(http::error::bad_method).category();
  if (is_parse_error && error != http::error::end_of_stream &&
      error != http::error::partial_message) {
    return Send(ErrorReply(400, "invalid_request", "this is no HTTP/1.1 request"));
  }
  // Gone, or too slow: nobody waits for an answer.
  stream_.close();
}

void HttpConnection::Handle(HttpRequest request) {
  stream_.expires_never();
  route_ = HttpApi::RouteOf(request);
  const int64_t arrived_ns = arrived_ns_ = house_->clock->SteadyNs();
  const HttpApi::Kind kind = HttpApi::KindOf(request);
  if (kind == HttpApi::Kind::kAtOnce) return Send(house_->api.Handle(request));
  HandlerPool& pool = kind == HttpApi::Kind::kTrack ? house_->track_pool : house_->ask_pool;
  ++house_->counts->waiting_in_queue;
  const bool taken =
      pool.Post([self = shared_from_this(), arrived_ns, request = std::move(request)] {
        --self->house_->counts->waiting_in_queue;
        const int64_t waited_ns = self->house_->clock->SteadyNs() - arrived_ns;
        HttpReply reply = self->house_->api.Handle(request, waited_ns / 1'000'000);
        net::post(self->stream_.get_executor(),
                  [self, reply = std::move(reply)]() mutable { self->Send(std::move(reply)); });
      });
  if (taken) return;
  --house_->counts->waiting_in_queue;
  house_->counts->NoteRefused(&house_->counts->refused_at_queue, arrived_ns);
  HttpReply reply = ErrorReply(503, "unavailable", "too many requests wait already");
  reply.headers.emplace_back("Retry-After", "1");
  Send(std::move(reply));
}

void HttpConnection::CountCall(int status) {
  if (route_.empty()) {
    ++house_->counts->malformed;
    return;
  }
  house_->counts->calls.Count(route_, OutcomeOf(status), house_->clock->SteadyNs() - arrived_ns_);
  route_ = "";
}

void HttpConnection::Send(HttpReply reply) {
  CountCall(reply.status);
  keep_alive_ = keep_alive_ && !house_->IsDraining();
  const auto fill = [&](auto* message) {
    message->result(static_cast<unsigned>(reply.status));
    message->version(version_);
    message->keep_alive(keep_alive_);
    if (!reply.content_type.empty()) message->set(http::field::content_type, reply.content_type);
    message->set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : reply.headers) message->insert(name, value);
  };
  stream_.expires_after(std::chrono::milliseconds(house_->options.write_timeout_ms));
  const auto sent = [self = shared_from_this()](ErrorCode error, size_t) { self->OnSent(error); };
  if (is_head_) {
    head_reply_.emplace();
    fill(&*head_reply_);
    head_reply_->content_length(reply.body.size());
    http::async_write(stream_, *head_reply_, sent);
    return;
  }
  reply_.emplace();
  fill(&*reply_);
  reply_->body() = std::move(reply.body);
  if (reply.status != 204) reply_->content_length(reply_->body().size());
  http::async_write(stream_, *reply_, sent);
}

void HttpConnection::OnSent(ErrorCode error) {
  if (error) return;
  reply_.reset();
  head_reply_.reset();
  parser_.reset();
  is_head_ = false;
  keep_alive_ ? WaitForRequest() : SayGoodbye();
}

// Closing with bytes of the peer unread would reset the connection, and take our answer with it.
void HttpConnection::SayGoodbye() {
  ErrorCode ignored;
  stream_.socket().shutdown(Socket::shutdown_send, ignored);
  idle_ = true;
  stream_.expires_after(kGoodbye);
  buffer_.consume(buffer_.size());
  ReadGoodbye();
}

void HttpConnection::ReadGoodbye() {
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](ErrorCode error, size_t) {
                            error ? self->stream_.close() : self->ReadGoodbye();
                          });
}

}  // namespace vitrine
