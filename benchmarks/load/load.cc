#include "benchmarks/load/load.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/tcp.h>
#include <random>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <thread>
#include <thrift/TApplicationException.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <unistd.h>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "api/Storefront.h"
#include "store/base/clock.h"
#include "store/base/status_macros.h"

namespace vitrine::load {
namespace {

using apache::thrift::protocol::TBinaryProtocol;
using apache::thrift::transport::TMemoryBuffer;

constexpr int64_t kNsPerSecond = 1'000'000'000;
// After the last request is due, this long for what is still on its way.
constexpr int64_t kPatienceNs = 2 * kNsPerSecond;
constexpr uint32_t kFrameHeaderBytes = 4;

absl::StatusOr<int> Connect(const std::string& host, int port) {
  const std::string name = absl::StrCat(host, ":", port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &found)) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", gai_strerror(error)));
  }
  const auto free_found = absl::MakeCleanup([found] { freeaddrinfo(found); });
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    const int fd = ::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0) continue;
    if (::connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      return fd;
    }
    ::close(fd);
  }
  return absl::UnavailableError(absl::StrCat(name, ": ", std::strerror(errno)));
}

// One connection: Thrift's own client on two memory buffers, with the frames moved by hand.
class Asker {
 public:
  explicit Asker(int fd)
      : fd_(fd),
        out_(std::make_shared<TMemoryBuffer>()),
        in_(std::make_shared<TMemoryBuffer>()),
        client_(std::make_shared<TBinaryProtocol>(in_), std::make_shared<TBinaryProtocol>(out_)) {}
  ~Asker() { Close(); }

  int fd() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  int64_t due_ns() const { return due_ns_; }
  int64_t sent_ns() const { return sent_ns_; }

  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  // False if the connection is lost. A request is smaller than any socket buffer.
  bool Send(const RecommendRequest& request, int64_t due_ns) {
    due_ns_ = due_ns;
    sent_ns_ = Clock::System().SteadyNs();
    out_->resetBuffer();
    uint32_t length = 0;
    out_->write(reinterpret_cast<const uint8_t*>(&length), kFrameHeaderBytes);
    client_.send_recommend(request);
    uint8_t* frame = nullptr;
    uint32_t size = 0;
    out_->getBuffer(&frame, &size);
    length = htonl(size - kFrameHeaderBytes);
    std::memcpy(frame, &length, kFrameHeaderBytes);
    return ::send(fd_, frame, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size);
  }

  enum class Received { kPart, kWhole, kLost };
  Received Receive() {
    uint8_t bytes[64 << 10];
    const ssize_t got = ::recv(fd_, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return Received::kPart;
    if (got <= 0) return Received::kLost;
    in_->write(bytes, static_cast<uint32_t>(got));
    uint8_t* frame = nullptr;
    uint32_t size = 0;
    in_->getBuffer(&frame, &size);
    if (size < kFrameHeaderBytes) return Received::kPart;
    uint32_t length = 0;
    std::memcpy(&length, frame, kFrameHeaderBytes);
    return size - kFrameHeaderBytes < ntohl(length) ? Received::kPart : Received::kWhole;
  }

  // The kind of error, or empty. REQUIRES: a whole frame was received.
  std::string Decode(RecommendReply& reply) {
    uint8_t header[kFrameHeaderBytes];
    in_->readAll(header, kFrameHeaderBytes);
    std::string error = DecodeMessage(reply);
    in_->resetBuffer();
    return error;
  }

 private:
  std::string DecodeMessage(RecommendReply& reply) try {
    client_.recv_recommend(reply);
    return reply.suggestions.empty() ? "empty reply" : "";
  } catch (const InvalidRequest&) {
    return "InvalidRequest";
  } catch (const NotFound&) {
    return "NotFound";
  } catch (const Overloaded&) {
    return "Overloaded";
  } catch (const DeadlineExceeded&) {
    return "DeadlineExceeded";
  } catch (const Unavailable&) {
    return "Unavailable";
  } catch (const Unauthorized&) {
    return "Unauthorized";
  } catch (const InternalError&) {
    return "InternalError";
  } catch (const apache::thrift::TException&) {
    return "protocol error";
  }

  int fd_;
  int64_t due_ns_ = 0;
  int64_t sent_ns_ = 0;
  std::shared_ptr<TMemoryBuffer> out_;
  std::shared_ptr<TMemoryBuffer> in_;
  StorefrontClient client_;
};

// One thread with its share of the connections and of the rate.
class Loop {
 public:
  Loop(const Plan& plan, double rate, uint64_t seed)
      : plan_(plan), interval_ns_(rate > 0 ? kNsPerSecond / rate : 0), random_(seed) {
    request_.context.site = plan.site;
    request_.context.deadline_ms = plan.deadline_ms;
    if (!plan.api_key.empty()) request_.context.__set_api_key(plan.api_key);
    request_.k = plan.k;
  }
  ~Loop() {
    if (epoll_ >= 0) ::close(epoll_);
    if (timer_ >= 0) ::close(timer_);
  }

  absl::Status Connect(size_t connections);
  void Run(int64_t start_ns);
  Outcome& outcome() { return outcome_; }

 private:
  bool OpenLoop() const { return interval_ns_ > 0; }
  // Due times do not depend on answers.
  int64_t NextDueNs() const {
    return start_ns_ + static_cast<int64_t>(static_cast<double>(requests_) * interval_ns_);
  }
  void SendDue(int64_t now_ns);
  const std::string& DrawCustomer();
  void Send(size_t asker, int64_t due_ns);
  void Receive(size_t asker);
  void Lose(size_t asker);
  void SetTimer();

  const Plan& plan_;
  const double interval_ns_;
  std::mt19937_64 random_;
  const Clock& clock_ = Clock::System();
  int epoll_ = -1;
  int timer_ = -1;
  std::vector<std::unique_ptr<Asker>> askers_;
  std::vector<size_t> idle_;
  int64_t start_ns_ = 0;
  int64_t end_ns_ = 0;
  int64_t requests_ = 0;
  RecommendRequest request_;
  RecommendReply reply_;
  Outcome outcome_;
};

absl::Status Loop::Connect(size_t connections) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = connections;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event);
  for (size_t i = 0; i < connections; ++i) {
    ASSIGN_OR_RETURN(const int fd, load::Connect(plan_.host, plan_.port));
    askers_.push_back(std::make_unique<Asker>(fd));
    idle_.push_back(i);
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
  return absl::OkStatus();
}

void Loop::Run(int64_t start_ns) {
  start_ns_ = start_ns;
  end_ns_ = start_ns + static_cast<int64_t>(plan_.seconds * kNsPerSecond);
  size_t lost = 0;
  for (;;) {
    const int64_t now_ns = clock_.SteadyNs();
    SendDue(now_ns);
    lost = static_cast<size_t>(
        std::count_if(askers_.begin(), askers_.end(), [](const auto& a) { return !a->open(); }));
    const bool all_idle = idle_.size() + lost == askers_.size();
    if ((now_ns >= end_ns_ && all_idle) || now_ns >= end_ns_ + kPatienceNs) break;
    if (lost == askers_.size()) break;
    SetTimer();
    epoll_event events[64];
    const int ready = epoll_wait(epoll_, events, 64, 100);
    for (int i = 0; i < ready; ++i) {
      if (events[i].data.u64 < askers_.size()) Receive(events[i].data.u64);
    }
  }
  outcome_.seconds =
      static_cast<double>(std::min(clock_.SteadyNs(), end_ns_) - start_ns_) / kNsPerSecond;
  outcome_.errors["unanswered"] += static_cast<int64_t>(askers_.size() - lost - idle_.size());
  while (OpenLoop() && NextDueNs() < end_ns_) {
    ++outcome_.errors["unsent"];
    ++requests_;
  }
}

void Loop::SendDue(int64_t now_ns) {
  while (!idle_.empty()) {
    const int64_t due_ns = OpenLoop() ? NextDueNs() : now_ns;
    if (due_ns > now_ns || due_ns >= end_ns_) return;
    const size_t asker = idle_.back();
    idle_.pop_back();
    ++requests_;
    Send(asker, due_ns);
  }
}

// By the inverse of the continuous distribution, which is near enough for a crowd: with an exponent
// of 1 the place is n^u, of u between 0 and 1; below 1 (1 + u (n^(1-s) - 1))^(1/(1-s)).
const std::string& Loop::DrawCustomer() {
  const auto n = static_cast<double>(plan_.customers.size());
  const double u = static_cast<double>(random_() >> 11) * 0x1p-53;
  const double rest = 1 - plan_.zipf;
  const double place =
      rest < 1e-6 ? std::pow(n, u) : std::pow(1 + u * (std::pow(n, rest) - 1), 1 / rest);
  return plan_.customers[std::min(static_cast<size_t>(place - 1), plan_.customers.size() - 1)];
}

void Loop::Send(size_t asker, int64_t due_ns) {
  request_.context.__set_customer_id(
      plan_.zipf > 0 ? DrawCustomer() : plan_.customers[random_() % plan_.customers.size()]);
  if (!askers_[asker]->Send(request_, due_ns)) Lose(asker);
}

void Loop::Receive(size_t asker) {
  if (!askers_[asker]->open()) return;
  switch (askers_[asker]->Receive()) {
    case Asker::Received::kPart:
      return;
    case Asker::Received::kLost:
      return Lose(asker);
    case Asker::Received::kWhole:
      break;
  }
  const std::string error = askers_[asker]->Decode(reply_);
  const int64_t now_ns = clock_.SteadyNs();
  idle_.push_back(asker);
  const float since_sent_ms = static_cast<float>(now_ns - askers_[asker]->sent_ns()) * 1e-6F;
  if (!error.empty()) {
    if (error == "Overloaded") outcome_.refused_ms.push_back(since_sent_ms);
    ++outcome_.errors[error];
    return;
  }
  // The rate is of the planned time; stragglers still count as latency.
  if (now_ns < end_ns_) ++outcome_.answered;
  outcome_.degraded += now_ns < end_ns_ && reply_.degraded ? 1 : 0;
  outcome_.suggestions += static_cast<int64_t>(reply_.suggestions.size());
  outcome_.served_ms.push_back(since_sent_ms);
  outcome_.latency_ms.push_back(static_cast<float>(now_ns - askers_[asker]->due_ns()) * 1e-6F);
}

void Loop::Lose(size_t asker) {
  ++outcome_.errors["lost connection"];
  askers_[asker]->Close();
  std::erase(idle_, asker);
}

// epoll counts in milliseconds; requests are due more exactly.
void Loop::SetTimer() {
  if (!OpenLoop() || idle_.empty()) return;
  const int64_t wait_ns = std::max<int64_t>(1, NextDueNs() - clock_.SteadyNs());
  itimerspec spec{};
  spec.it_value.tv_sec = wait_ns / kNsPerSecond;
  spec.it_value.tv_nsec = wait_ns % kNsPerSecond;
  timerfd_settime(timer_, 0, &spec, nullptr);
}

Outcome Merge(std::vector<std::unique_ptr<Loop>>& loops) {
  Outcome all;
  for (const auto& loop : loops) {
    const Outcome& part = loop->outcome();
    all.seconds = std::max(all.seconds, part.seconds);
    all.answered += part.answered;
    all.degraded += part.degraded;
    all.suggestions += part.suggestions;
    all.served_ms.insert(all.served_ms.end(), part.served_ms.begin(), part.served_ms.end());
    all.refused_ms.insert(all.refused_ms.end(), part.refused_ms.begin(), part.refused_ms.end());
    for (const auto& [kind, count] : part.errors) {
      if (count > 0) all.errors[kind] += count;
    }
    all.latency_ms.insert(all.latency_ms.end(), part.latency_ms.begin(), part.latency_ms.end());
  }
  std::sort(all.latency_ms.begin(), all.latency_ms.end());
  std::sort(all.served_ms.begin(), all.served_ms.end());
  std::sort(all.refused_ms.begin(), all.refused_ms.end());
  return all;
}

}  // namespace

double Outcome::LatencyMs(double q) const { return Quantile(latency_ms, q); }

double Outcome::Quantile(const std::vector<float>& ascending, double q) {
  if (ascending.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(ascending.size())));
  return ascending[std::clamp<size_t>(rank, 1, ascending.size()) - 1];
}

int64_t Outcome::Errors() const {
  int64_t sum = 0;
  for (const auto& [kind, count] : errors) sum += count;
  return sum;
}

absl::StatusOr<Outcome> Run(const Plan& plan) {
  if (plan.customers.empty()) return absl::InvalidArgumentError("no customers to ask for");
  if (plan.connections == 0) return absl::InvalidArgumentError("no connections");
  const size_t threads = std::clamp<size_t>(plan.threads, 1, plan.connections);
  std::vector<std::unique_ptr<Loop>> loops;
  for (size_t i = 0; i < threads; ++i) {
    const size_t share = plan.connections / threads + (i < plan.connections % threads ? 1 : 0);
    const double rate =
        plan.rate * static_cast<double>(share) / static_cast<double>(plan.connections);
    loops.push_back(std::make_unique<Loop>(plan, rate, plan.seed + i));
    RETURN_IF_ERROR(loops.back()->Connect(share));
  }
  const int64_t start_ns = Clock::System().SteadyNs();
  std::vector<std::thread> running;
  for (const auto& loop : loops) {
    running.emplace_back([&loop, start_ns] { loop->Run(start_ns); });
  }
  for (std::thread& thread : running) thread.join();
  return Merge(loops);
}

}  // namespace vitrine::load
