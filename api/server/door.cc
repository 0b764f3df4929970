#include "api/server/door.h"

#include <algorithm>
#include <cerrno>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "spdlog/spdlog.h"

#include "store/base/check.h"
#include "store/base/status_macros.h"
#include "store/base/thread.h"

namespace vitrine {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int kBacklog = 1024;
constexpr int kLetInAtOnce = 64;  // then look whether there is something else to do
constexpr int64_t kAcceptPauseNs = 100 * kNsPerMs;
constexpr int64_t kReportEveryNs = 10'000 * kNsPerMs;

absl::StatusOr<int> ListenOn(const addrinfo& address, absl::string_view name) {
  const int fd = ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                          address.ai_protocol);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat(name, ": socket"));
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(fd, address.ai_addr, address.ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0) {
    return fd;
  }
  const int error = errno;
  ::close(fd);
  if (error == EADDRINUSE) {
    return absl::AlreadyExistsError(absl::StrCat(name, ": another program listens there"));
  }
  return absl::ErrnoToStatus(error, absl::StrCat(name, ": bind"));
}

// Listens on the first address of `host` that works.
absl::StatusOr<int> Listen(const std::string& host, int port) {
  const std::string name = absl::StrCat(host, ":", port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &found);
  if (error != 0) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", gai_strerror(error)));
  }
  const auto free_found = absl::MakeCleanup([found] { freeaddrinfo(found); });
  absl::StatusOr<int> listener = absl::InvalidArgumentError(name);
  for (const addrinfo* a = found; a != nullptr && !listener.ok(); a = a->ai_next) {
    listener = ListenOn(*a, name);
  }
  return listener;
}

int PortOf(int listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

std::vector<std::shared_ptr<Lane>> MakeLanes(size_t count) {
  std::vector<std::shared_ptr<Lane>> lanes;
  for (size_t i = 0; i < count; ++i) lanes.push_back(std::make_shared<Lane>());
  return lanes;
}

}  // namespace

size_t ConnectionsThatFit(size_t wanted, size_t reserved) {
  rlimit limit{};
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const size_t descriptors = limit.rlim_cur;
  // A limit that small leaves each side a half.
  const size_t fit = std::max(descriptors / 2, descriptors - std::min(descriptors, reserved));
  return std::min(wanted, fit);
}

// ---------------------------------------------------------------------------------------------
// Lane

void Lane::Push(std::shared_ptr<PeerSocket> peer) {
  {
    absl::MutexLock lock(&mutex_);
    waiting_.push_back(std::move(peer));
  }
  bell_.Ring();
}

std::shared_ptr<PeerSocket> Lane::Take() {
  if (!bell_.Hear()) return nullptr;
  absl::MutexLock lock(&mutex_);
  std::shared_ptr<PeerSocket> peer = std::move(waiting_.front());
  waiting_.pop_front();
  return peer;
}

// ---------------------------------------------------------------------------------------------
// Door

absl::StatusOr<std::unique_ptr<Door>> Door::Open(const ServerOptions& options, size_t lanes,
                                                 const Clock& clock) {
  ASSIGN_OR_RETURN(const int listener, Listen(options.host, options.port));
  return std::unique_ptr<Door>(new Door(options, lanes, clock, listener));
}

Door::Door(const ServerOptions& options, size_t lanes, const Clock& clock, int listener)
    : options_(options),
      connections_max_(ConnectionsThatFit(options.connections_max, limits::kDescriptorsReserved)),
      // Idle connections are closed at most an eighth of the timeout, or half a second, late.
      round_ns_(std::clamp<int64_t>(options.idle_timeout_ms / 8, 10, 500) * kNsPerMs),
      clock_(clock),
      port_(PortOf(listener)),
      lanes_(MakeLanes(lanes)),
      listener_(listener) {
  if (options.counts != nullptr) ledger_.counts = options.counts;
  if (connections_max_ < options.connections_max) {
    spdlog::warn("{}: room for {} connections instead of {}: raise the descriptor limit",
                 options_.name, connections_max_, options.connections_max);
  }
}

Door::~Door() {
  Stop();
  if (listener_ >= 0) ::close(listener_);
}

void Door::Start() {
  thread_ = std::thread([this] { Watch(); });
}

void Door::Stop() {
  stopping_ = true;
  ledger_.bell.Ring();
  if (thread_.joinable()) thread_.join();
}

bool Door::Drain(int64_t timeout_ms) {
  ledger_.draining = true;
  ledger_.bell.Ring();
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&drained_), absl::Milliseconds(timeout_ms));
}

void Door::Watch() {
  NameThread("door");
  while (!stopping_) {
    const int64_t before_ns = clock_.SteadyNs();
    pollfd watched[] = {{ledger_.bell.fd(), POLLIN, 0}, {listener_, POLLIN, 0}};
    const bool listens = listener_ >= 0 && before_ns >= accept_again_ns_;
    ::poll(watched, listens ? 2 : 1, PollTimeoutMs(before_ns));

    const int64_t now_ns = clock_.SteadyNs();
    ledger_.bell.Hear();
    if (ledger_.draining) {
      HangUpOnTheQuiet();
    } else if (listens && watched[1].revents != 0) {
      LetIn(now_ns);
    }
    if (now_ns >= next_round_ns_) MakeRound(now_ns);
  }
  Report(next_report_ns_);
  absl::MutexLock lock(&mutex_);
  drained_ = true;
}

// Nobody inside and nothing to retry: sleep until the next event.
int Door::PollTimeoutMs(int64_t now_ns) const {
  int64_t next_ns = INT64_MAX;
  if (!peers_.empty()) next_ns = next_round_ns_;
  if (accept_again_ns_ > now_ns) next_ns = std::min(next_ns, accept_again_ns_);
  if (next_ns == INT64_MAX) return -1;
  return static_cast<int>(std::max<int64_t>(0, next_ns - now_ns) / kNsPerMs + 1);
}

void Door::LetIn(int64_t now_ns) {
  for (int i = 0; i < kLetInAtOnce; ++i) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      Admit(fd);
      continue;
    }
    if (errno == EAGAIN) return;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // Those who wait stay in the kernel's queue, which stays readable: look away for a moment.
      ++ledger_.counts->deferred_connections;
      accept_again_ns_ = now_ns + kAcceptPauseNs;
      return;
    }
    // Anything else is an error of that one connection, which is gone (accept(2)).
  }
}

void Door::Admit(int fd) {
  if (ledger_.counts->connections >= static_cast<int64_t>(connections_max_)) {
    ::close(fd);
    ++ledger_.counts->refused_connections;
    return;
  }
  ++ledger_.counts->accepted;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  auto peer = std::make_shared<PeerSocket>(fd, options_.frame_bytes_max, clock_, ledger_);
  // Connections that come and go between two rounds must not pile up here.
  if (peers_.size() > 2 * connections_max_) {
    std::erase_if(peers_, [](const auto& known) {
      const auto locked = known.lock();
      return locked == nullptr || locked->Closed();
    });
  }
  peers_.push_back(peer);
  lanes_[next_lane_]->Push(std::move(peer));
  next_lane_ = (next_lane_ + 1) % lanes_.size();
}

void Door::MakeRound(int64_t now_ns) {
  const int64_t silent_since_ns = now_ns - options_.idle_timeout_ms * kNsPerMs;
  std::erase_if(peers_, [&](const auto& known) {
    const auto peer = known.lock();
    if (peer == nullptr || peer->Closed()) return true;
    if (peer->SilentSince(silent_since_ns)) {
      peer->HangUpOnSilence();
      ++ledger_.counts->silent_connections;
    }
    return false;
  });
  next_round_ns_ = now_ns + round_ns_;
  Report(now_ns);
}

void Door::HangUpOnTheQuiet() {
  if (listener_ >= 0) ::close(std::exchange(listener_, -1));
  bool all_quiet = true;
  for (const auto& known : peers_) {
    const auto peer = known.lock();
    if (peer == nullptr || peer->Closed()) continue;
    if (peer->UnderWay()) {
      all_quiet = false;
    } else {
      peer->HangUp();
    }
  }
  if (!all_quiet) return;
  absl::MutexLock lock(&mutex_);
  drained_ = true;
}

// One line for whatever happened, however often: a flood of bad peers does not become a flood of
// lines.
void Door::Report(int64_t now_ns) {
  if (now_ns < next_report_ns_) return;
  const ServerCounts& counts = *ledger_.counts;
  const auto since = [](int64_t now, int64_t* reported) {
    return now - std::exchange(*reported, now);
  };
  const int64_t refused = since(counts.refused_connections, &reported_.refused);
  const int64_t not_accepted = since(counts.deferred_connections, &reported_.not_accepted);
  const int64_t silent = since(counts.silent_connections, &reported_.silent);
  const int64_t bad_frames = since(counts.bad_frames, &reported_.bad_frames);
  const int64_t malformed = since(counts.malformed, &reported_.malformed);
  const int64_t failed = since(counts.failed_requests, &reported_.failed);
  if (refused + not_accepted + silent + bad_frames + malformed + failed == 0) return;
  next_report_ns_ = now_ns + kReportEveryNs;
  spdlog::warn(
      "{}: connections refused at the limit of {}: {}, put off for want of descriptors: {}, closed "
      "as silent: {}, closed for bad frames: {}; malformed messages: {}, failed requests: {}",
      options_.name, connections_max_, refused, not_accepted, silent, bad_frames, malformed,
      failed);
}

}  // namespace vitrine
