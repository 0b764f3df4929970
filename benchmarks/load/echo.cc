#include "benchmarks/load/echo.h"

#include <csignal>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"

#include "api/Storefront.h"

namespace vitrine::load {
namespace {

RecommendReply CannedReply() {
  RecommendReply reply;
  reply.request_id = "0123456789abcdef";
  reply.model_id = "20240101-000000-0123abcd";
  reply.history_events = 12;
  for (int i = 0; i < 20; ++i) {
    Suggestion suggestion;
    suggestion.product_id = absl::StrCat("B00", 1'000'000 + i);
    suggestion.score = 1.0 / (i + 1);
    suggestion.source = Source::TASTE;
    suggestion.__set_name(absl::StrCat("White hanging heart t-light holder, no. ", i));
    suggestion.__set_price_minor(295 + i);
    suggestion.__set_currency("GBP");
    reply.suggestions.push_back(std::move(suggestion));
  }
  return reply;
}

class EchoHandler : public StorefrontNull {
 public:
  void recommend(RecommendReply& reply, const RecommendRequest&) override { reply = canned_; }

 private:
  const RecommendReply canned_ = CannedReply();
};

// The child: serves until the other end of `lifeline` is closed.
[[noreturn]] void Serve(const ServerOptions& options, int lifeline) {
  spdlog::set_level(spdlog::level::err);
  auto server =
      StartServer(std::make_shared<StorefrontProcessor>(std::make_shared<EchoHandler>()), options);
  const int port = server.ok() ? (*server)->port() : 0;
  if (::write(lifeline, &port, sizeof(port)) == sizeof(port)) {
    char nothing;
    while (::read(lifeline, &nothing, 1) > 0) continue;
  }
  server = absl::CancelledError("done");
  _exit(0);
}

}  // namespace

absl::StatusOr<std::unique_ptr<EchoProcess>> EchoProcess::Start(const ServerOptions& options) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
    return absl::ErrnoToStatus(errno, "socketpair");
  }
  const pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) {
    ::close(ends[0]);
    Serve(options, ends[1]);
  }
  ::close(ends[1]);
  int port = 0;
  if (::read(ends[0], &port, sizeof(port)) != sizeof(port) || port == 0) {
    ::close(ends[0]);
    return absl::UnavailableError("the echo server did not start");
  }
  return std::unique_ptr<EchoProcess>(new EchoProcess(port, pid, ends[0]));
}

EchoProcess::~EchoProcess() {
  ::close(lifeline_);
  waitpid(pid_, nullptr, 0);
}

}  // namespace vitrine::load
