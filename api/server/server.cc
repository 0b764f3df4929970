#include "api/server/server.h"

#include <future>
#include <thread>
#include <thrift/TProcessor.h>
#include <thrift/concurrency/ThreadFactory.h>
#include <thrift/concurrency/ThreadManager.h>
#include <thrift/server/TNonblockingServer.h>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "spdlog/spdlog.h"

#include "api/server/bounded_protocol.h"
#include "api/server/door.h"
#include "api/server/guarded_processor.h"
#include "api/thrift_log.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

using apache::thrift::TProcessor;
using apache::thrift::concurrency::ThreadFactory;
using apache::thrift::concurrency::ThreadManager;
using apache::thrift::server::TNonblockingServer;

// One event loop of Thrift on a thread of its own.
class EventLoop {
 public:
  explicit EventLoop(std::unique_ptr<TNonblockingServer> server) : server_(std::move(server)) {
    std::promise<void> ready;
    std::future<void> is_ready = ready.get_future();
    thread_ = std::thread([this, ready = std::move(ready)]() mutable { Run(std::move(ready)); });
    is_ready.wait();
  }

  // The connections stay, for handlers that are still at work.
  void Stop() {
    server_->stop();
    thread_.join();
  }

 private:
  // A loop that has not registered its events yet would miss stop().
  void Run(std::promise<void> ready) try {
    server_->registerEvents(nullptr);
    ready.set_value();
    server_->serve();
  } catch (const std::exception& e) {
    // No peer can cause this; without the loop its connections would hang silently.
    spdlog::critical("event loop: {}", e.what());
    std::abort();
  }

  const std::unique_ptr<TNonblockingServer> server_;
  std::thread thread_;
};

class ThriftServer final : public Server {
 public:
  ThriftServer(const ServerOptions& options, std::unique_ptr<Door> door)
      : options_(options), door_(std::move(door)) {}

  ~ThriftServer() override { Stop(); }

  void Start(const std::shared_ptr<TProcessor>& processor);

  int port() const override { return door_->port(); }
  void Drain() override;

 private:
  std::unique_ptr<TNonblockingServer> MakeLoop(const std::shared_ptr<TProcessor>& processor,
                                               const std::shared_ptr<Lane>& lane) const;
  void Stop();

  const ServerOptions options_;
  absl::Mutex stop_mutex_;
  // The connections in the loops refer to the door.
  const std::unique_ptr<Door> door_;
  std::shared_ptr<ThreadManager> handler_threads_;
  std::vector<std::unique_ptr<EventLoop>> loops_ ABSL_GUARDED_BY(stop_mutex_);
};

std::unique_ptr<TNonblockingServer> ThriftServer::MakeLoop(
    const std::shared_ptr<TProcessor>& processor, const std::shared_ptr<Lane>& lane) const {
  const WireLimits limits = {options_.string_bytes_max, options_.container_max,
                             options_.frame_bytes_max / limits::kWireElementBytesMin};
  auto loop = std::make_unique<TNonblockingServer>(
      std::make_shared<GuardedProcessorFactory>(processor, limits),
      std::make_shared<BoundedProtocolFactory>(limits), lane, handler_threads_);
  // PeerSocket refuses what is longer, and counts it; here only so that no default applies.
  loop->setMaxFrameSize(options_.frame_bytes_max);
  // One large request must not leave its buffer with each connection for good.
  loop->setIdleReadBufferLimit(limits::kIdleBufferBytesMax);
  loop->setIdleWriteBufferLimit(limits::kIdleBufferBytesMax);
  loop->setResizeBufferEveryN(1);
  return loop;
}

void ThriftServer::Start(const std::shared_ptr<TProcessor>& processor) {
  if (options_.handlers == ServerOptions::Handlers::kPool) {
    // Tasks wait without a bound of their own (Thrift's would stop the event loop), but each
    // belongs to a connection, which asks nothing more until it is answered.
    handler_threads_ = ThreadManager::newSimpleThreadManager(options_.workers, 0);
    handler_threads_->threadFactory(std::make_shared<ThreadFactory>(/*detached=*/false));
    handler_threads_->start();
  }
  absl::MutexLock lock(&stop_mutex_);
  for (const auto& lane : door_->lanes()) {
    loops_.push_back(std::make_unique<EventLoop>(MakeLoop(processor, lane)));
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
  if (handler_threads_ != nullptr) handler_threads_->stop();
  loops_.clear();
  spdlog::info("{}: stopped", options_.name);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> StartServer(std::shared_ptr<TProcessor> processor,
                                                    const ServerOptions& options) {
  SendThriftMessagesToDebugLog();
  const bool inline_handlers = options.handlers == ServerOptions::Handlers::kInline;
  ASSIGN_OR_RETURN(auto door,
                   Door::Open(options, inline_handlers ? options.workers : 1, Clock::System()));
  auto server = std::make_unique<ThriftServer>(options, std::move(door));
  server->Start(processor);
  return server;
}

}  // namespace vitrine
