// What the server's tests share: a Storefront with ready-made answers, and a peer that sends what
// no client would.

#ifndef VITRINE_TESTS_API_SERVER_TESTING_H_
#define VITRINE_TESTS_API_SERVER_TESTING_H_

#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <unistd.h>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

#include "api/Storefront.h"
#include "api/client/client.h"
#include "api/server/server.h"
#include "store/base/clock.h"

namespace vitrine {

constexpr int kSoonMs = 1000;  // bad input must have its answer by then

class TinyStorefront : public StorefrontNull {
 public:
  void recommend(RecommendReply& reply, const RecommendRequest& request) override {
    reply.request_id = request.context.request_id;
    const std::string& site = request.context.site;
    if (site == "wait") {
      entered.Notify();
      release.WaitForNotification();
    }
    if (site == "bad_alloc") throw std::bad_alloc();
    if (site == "int") throw 42;
    if (site == "overloaded") throw OverloadedError();
    reply.suggestions.resize(static_cast<size_t>(std::clamp(request.k, 0, 200)));
    for (Suggestion& suggestion : reply.suggestions) {
      if (site == "long_names") suggestion.__set_name(std::string(50'000, 'n'));
    }
  }

  void track(TrackReply& reply, const TrackRequest& request) override {
    reply.accepted = static_cast<int64_t>(request.events.size());
  }

  void ping(Pong& pong) override { pong.version = "tiny"; }

  absl::Notification entered;
  absl::Notification release;

 private:
  static Overloaded OverloadedError() {
    Overloaded error;
    error.message = "busy";
    error.retry_after_ms = 20;
    return error;
  }
};

// A server with its handler, and clients for it.
struct TinyServer {
  explicit TinyServer(const ServerOptions& options = {}) {
    auto started = StartServer(std::make_shared<StorefrontProcessor>(handler), options);
    EXPECT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
  }

  std::unique_ptr<Connection<StorefrontClient>> Client(int timeout_ms = 5000) const {
    auto client = Connection<StorefrontClient>::Open("127.0.0.1", server->port(), timeout_ms);
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }

  // A client that came in the normal way gets an answer soon.
  bool Serves() const {
    auto client = Connection<StorefrontClient>::Open("127.0.0.1", server->port(), kSoonMs);
    if (!client.ok()) return false;
    Pong pong;
    return CatchThrift([&] { (*client)->call().ping(pong); }).ok() && pong.version == "tiny";
  }

  std::shared_ptr<TinyStorefront> handler = std::make_shared<TinyStorefront>();
  std::unique_ptr<Server> server;
};

inline RecommendRequest Request(const std::string& site, int32_t k = 3) {
  RecommendRequest request;
  request.context.site = site;
  request.k = k;
  return request;
}

class Deadline {
 public:
  explicit Deadline(int timeout_ms)
      : end_ns_(Clock::System().SteadyNs() + int64_t{timeout_ms} * 1'000'000) {}
  int LeftMs() const {
    return static_cast<int>(
        std::max<int64_t>(0, (end_ns_ - Clock::System().SteadyNs()) / 1'000'000));
  }

 private:
  const int64_t end_ns_;
};

class RawPeer {
 public:
  explicit RawPeer(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~RawPeer() { ::close(fd_); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  bool connected() const { return connected_; }

  void Send(const std::string& bytes) const {
    size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<size_t>(n);
    }
  }

  void SendEnd() const { ::shutdown(fd_, SHUT_WR); }

  // The server closes the connection within `timeout_ms`; what it sends before is read and lost.
  bool ClosedWithin(int timeout_ms) const {
    const Deadline deadline(timeout_ms);
    char bytes[65536];
    while (WaitFor(POLLIN, deadline.LeftMs())) {
      if (::recv(fd_, bytes, sizeof(bytes), 0) <= 0) return true;
    }
    return false;
  }

  // The same, with nothing read.
  bool HungUpUnreadWithin(int timeout_ms) const { return WaitFor(POLLRDHUP, timeout_ms); }

  // What has arrived, at most 64 KiB; empty if nothing comes in time or ever again.
  std::string ReadSome(int timeout_ms) const {
    std::string bytes(65536, '\0');
    const ssize_t n = WaitFor(POLLIN, timeout_ms) ? ::recv(fd_, bytes.data(), bytes.size(), 0) : 0;
    bytes.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return bytes;
  }

  enum class Answer { kFrame, kClosed, kNothing };
  // The next frame, without its length.
  Answer Receive(std::string& frame, int timeout_ms) const {
    uint32_t length = 0;
    std::string header;
    const Answer answer = ReceiveBytes(header, sizeof(length), timeout_ms);
    if (answer != Answer::kFrame) return answer;
    std::memcpy(&length, header.data(), sizeof(length));
    return ReceiveBytes(frame, ntohl(length), timeout_ms);
  }
  Answer Receive() const {
    std::string frame;
    return Receive(frame, kSoonMs);
  }

 private:
  bool WaitFor(short events, int timeout_ms) const {
    pollfd watched{fd_, events, 0};
    return ::poll(&watched, 1, timeout_ms) > 0;
  }

  Answer ReceiveBytes(std::string& bytes, size_t size, int timeout_ms) const {
    const Deadline deadline(timeout_ms);
    bytes.resize(size);
    size_t got = 0;
    while (got < size) {
      if (!WaitFor(POLLIN, deadline.LeftMs())) return Answer::kNothing;
      const ssize_t n = ::recv(fd_, bytes.data() + got, size - got, 0);
      if (n <= 0) return Answer::kClosed;
      got += static_cast<size_t>(n);
    }
    return Answer::kFrame;
  }

  const int fd_;
  bool connected_ = false;
};

// The port takes no connections any more, or not for long.
inline bool RefusesSoon(int port) {
  const Deadline deadline(kSoonMs);
  while (RawPeer(port).connected()) {
    if (deadline.LeftMs() == 0) return false;
    std::this_thread::yield();
  }
  return true;
}

inline std::string Length(uint32_t length) {
  length = htonl(length);
  return std::string(reinterpret_cast<const char*>(&length), sizeof(length));
}

inline std::string Frame(const std::string& payload) {
  return Length(static_cast<uint32_t>(payload.size())) + payload;
}

// What `write` writes to a strict binary protocol.
inline std::string Written(
    const std::function<void(apache::thrift::protocol::TBinaryProtocol&)>& write) {
  auto buffer = std::make_shared<apache::thrift::transport::TMemoryBuffer>();
  apache::thrift::protocol::TBinaryProtocol protocol(buffer);
  write(protocol);
  return buffer->getBufferAsString();
}

// The message that a client would send.
inline std::string CallOf(const std::function<void(StorefrontClient&)>& send) {
  auto buffer = std::make_shared<apache::thrift::transport::TMemoryBuffer>();
  StorefrontClient client(std::make_shared<apache::thrift::protocol::TBinaryProtocol>(buffer));
  send(client);
  return buffer->getBufferAsString();
}

inline std::string PingCall() {
  return CallOf([](StorefrontClient& client) { client.send_ping(); });
}

// A field of /proc/self/status, in bytes.
inline int64_t MemoryBytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, field.size() + 1, field + ":") == 0) {
      return std::stoll(line.substr(field.size() + 1)) * 1024;
    }
  }
  ADD_FAILURE() << "no " << field;
  return 0;
}

// The most memory that the process held since this was made, beyond what it held then.
class MemoryPeak {
 public:
  MemoryPeak() {
    std::ofstream("/proc/self/clear_refs") << "5";  // resets VmHWM (proc(5))
    before_ = MemoryBytes("VmHWM");
  }
  int64_t GrowthBytes() const { return MemoryBytes("VmHWM") - before_; }

 private:
  int64_t before_;
};

}  // namespace vitrine

#endif  // VITRINE_TESTS_API_SERVER_TESTING_H_
