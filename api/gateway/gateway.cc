#include "api/gateway/gateway.h"

#include <chrono>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "spdlog/spdlog.h"

#include "api/gateway/http_connection.h"
#include "store/base/status_macros.h"
#include "store/base/thread.h"

namespace vitrine {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

// Without descriptors, newcomers wait in the kernel's queue for so long before we look again.
constexpr std::chrono::milliseconds kAcceptAgain(100);

class BeastGateway : public Gateway {
 public:
  BeastGateway(GatewayParts parts, const GatewayOptions& options, ShopFiles shop)
      : house_(options, std::move(parts), std::move(shop)) {}
  ~BeastGateway() override { Stop(0); }

  absl::Status Listen() {
    error_code error;
    const auto found = tcp::resolver(io_).resolve(
        house_.options.host, absl::StrCat(house_.options.port), tcp::resolver::passive, error);
    if (error || found.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(house_.options.host, ": ", error.message()));
    }
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
    if (!error) port_ = acceptor_.local_endpoint(error).port();
    if (!error) return absl::OkStatus();
    const std::string message =
        absl::StrCat("http port ", house_.options.port, ": ", error.message());
    return error == net::error::address_in_use ? absl::AlreadyExistsError(message)
                                               : absl::UnavailableError(message);
  }

  void Start() {
    Accept();
    for (size_t i = 0; i < house_.options.io_threads; ++i) {
      threads_.emplace_back([this] {
        NameThread("http");
        RunSoonAfterWaking();
        Run();
      });
    }
  }

  int port() const override { return port_; }
  void Drain() override { Stop(house_.options.drain_timeout_ms); }

 private:
  // Handlers of events do not throw; memory that is not there ends the connection whose it was.
  void Run() {
    for (;;) {
      try {
        io_.run();
        return;
      } catch (const std::exception& e) {
        spdlog::error("http: {}", e.what());
      }
    }
  }

  void Accept() {
    acceptor_.async_accept(net::make_strand(io_), [this](error_code error, tcp::socket socket) {
      if (error == net::error::operation_aborted || !acceptor_.is_open()) return;
      if (!error) {
        Welcome(std::move(socket));
        return Accept();
      }
      if (error == net::error::connection_aborted) return Accept();
      spdlog::warn("http: cannot accept: {}", error.message());
      accept_timer_.expires_after(kAcceptAgain);
      accept_timer_.async_wait([this](error_code stopped) {
        if (!stopped && acceptor_.is_open()) Accept();
      });
    });
  }

  void Welcome(tcp::socket socket) {
    {
      const absl::MutexLock lock(&house_.mutex);
      if (house_.draining) return;
      if (house_.connections.size() >= house_.options.connections_max) {
        ++house_.counts->refused_connections;
        return;
      }
    }
    const auto connection = std::make_shared<HttpConnection>(std::move(socket), &house_);
    {
      const absl::MutexLock lock(&house_.mutex);
      house_.connections.insert(connection.get());
    }
    connection->Start();
  }

  void Stop(int64_t timeout_ms) {
    const absl::MutexLock stopping(&stop_mutex_);
    if (stopped_) return;
    stopped_ = true;
    net::post(acceptor_.get_executor(), [this] {
      error_code ignored;
      acceptor_.close(ignored);
      accept_timer_.cancel();
      FinishAll();
    });
    {
      const absl::MutexLock lock(&house_.mutex);
      house_.mutex.AwaitWithTimeout(absl::Condition(&AllGone, &house_),
                                    absl::Milliseconds(timeout_ms));
    }
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
    house_.ask_pool.Join();
    house_.track_pool.Join();
  }

  static bool AllGone(HttpHouse* house) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return house->draining && house->connections.empty();
  }

  // Runs where connections are accepted, so that none comes after it.
  void FinishAll() {
    std::vector<std::shared_ptr<HttpConnection>> held;
    {
      const absl::MutexLock lock(&house_.mutex);
      house_.draining = true;
      for (HttpConnection* const connection : house_.connections) {
        // Null: it is being destroyed, and waits for the mutex to leave the set.
        if (auto one = connection->weak_from_this().lock()) held.push_back(std::move(one));
      }
    }
    for (const auto& connection : held) connection->Finish();
  }

  HttpHouse house_;
  int port_ = 0;
  // Behind the house: what is left in it at the end holds connections, which know the house.
  net::io_context io_;
  // While a handler runs, its connection waits for nothing that the loop knows of.
  net::executor_work_guard<net::io_context::executor_type> work_{io_.get_executor()};
  tcp::acceptor acceptor_{net::make_strand(io_)};
  net::steady_timer accept_timer_{acceptor_.get_executor()};
  std::vector<std::thread> threads_;
  absl::Mutex stop_mutex_;
  bool stopped_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Gateway>> StartGateway(GatewayParts parts,
                                                      const GatewayOptions& options) {
  ShopFiles shop;
  if (!options.shop_directory.empty()) {
    ASSIGN_OR_RETURN(shop, ShopFiles::Read(options.shop_directory));
  }
  auto gateway = std::make_unique<BeastGateway>(std::move(parts), options, std::move(shop));
  RETURN_IF_ERROR(gateway->Listen());
  gateway->Start();
  return gateway;
}

}  // namespace vitrine
