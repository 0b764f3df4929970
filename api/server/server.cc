#include "api/server/server.h"

#include <thrift/TProcessor.h>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "spdlog/spdlog.h"

#include "api/server/bounded_protocol.h"
#include "api/server/call_queue.h"
#include "api/server/door.h"
#include "api/server/event_loop.h"
#include "api/thrift_log.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

using apache::thrift::TProcessor;

class ThriftServer final : public Server {
 public:
  ThriftServer(const ServerOptions& options, std::unique_ptr<Door> door)
      : options_(options), door_(std::move(door)) {}

  ~ThriftServer() override { Stop(); }

  void Start(NewProcessor new_processor);

  int port() const override { return door_->port(); }
  void Drain() override;

 private:
  void StartQueue();
  void Stop();

  const ServerOptions options_;
  absl::Mutex stop_mutex_;
  // In this order: connections refer to the door, handlers at work to their connections.
  const std::unique_ptr<Door> door_;
  LoopShared shared_;
  std::vector<std::unique_ptr<EventLoop>> loops_ ABSL_GUARDED_BY(stop_mutex_);
  std::unique_ptr<CallQueue> queue_;
};

void ThriftServer::StartQueue() {
  Turns<PendingCall>::Limits limits;
  if (options_.handlers == ServerOptions::Handlers::kPool) {
    // All share one queue, with a bound: each belongs to a connection, which asks nothing more
    // until it is answered.
    limits = {options_.connections_max, options_.workers, 1};
    queue_ = std::make_unique<CallQueue>(limits, options_.workers, 0, nullptr, &door_->counts());
  } else if (options_.queued_method != nullptr) {
    limits = {options_.waiting_per_key_max, 1, limits::kCallsPerTurnMax};
    queue_ =
        std::make_unique<CallQueue>(limits, options_.queue_threads, options_.queue_heavy_threads,
                                    options_.queued_method, &door_->counts());
  }
}

void ThriftServer::Start(NewProcessor new_processor) {
  StartQueue();
  shared_.new_processor = std::move(new_processor);
  shared_.limits = {options_.string_bytes_max, options_.container_max,
                    options_.frame_bytes_max / limits::kWireElementBytesMin};
  shared_.all_queued = options_.handlers == ServerOptions::Handlers::kPool;
  shared_.queued_method = options_.queued_method;
  shared_.admission = options_.admission;
  shared_.queue = queue_.get();
  shared_.counts = &door_->counts();
  absl::MutexLock lock(&stop_mutex_);
  for (const auto& lane : door_->lanes()) {
    loops_.push_back(std::make_unique<EventLoop>(lane, &shared_));
  }
  door_->Start();
  spdlog::info("{}: listening on {}:{}", options_.name, options_.host, port());
}

void ThriftServer::Drain() {
  if (!door_->Drain(options_.drain_timeout_ms)) {
    spdlog::warn("{}: requests still under way after {} ms are cut off", options_.name,
                 options_.drain_timeout_ms);
  }
  Stop();
}

void ThriftServer::Stop() {
  absl::MutexLock lock(&stop_mutex_);
  if (loops_.empty()) return;
  door_->Stop();
  for (const auto& loop : loops_) loop->Stop();
  if (queue_ != nullptr) queue_->Stop();
  loops_.clear();
  spdlog::info("{}: stopped", options_.name);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> StartServer(std::shared_ptr<TProcessor> processor,
                                                    const ServerOptions& options) {
  return StartServer([processor = std::move(processor)] { return processor; }, options);
}

absl::StatusOr<std::unique_ptr<Server>> StartServer(NewProcessor new_processor,
                                                    const ServerOptions& options) {
  SendThriftMessagesToDebugLog();
  const bool inline_handlers = options.handlers == ServerOptions::Handlers::kInline;
  ASSIGN_OR_RETURN(auto door,
                   Door::Open(options, inline_handlers ? options.workers : 1, Clock::System()));
  auto server = std::make_unique<ThriftServer>(options, std::move(door));
  server->Start(std::move(new_processor));
  return server;
}

}  // namespace vitrine
