// Threads for handlers that wait for something, with a bound on what waits for them.

#ifndef VITRINE_API_GATEWAY_HANDLER_POOL_H_
#define VITRINE_API_GATEWAY_HANDLER_POOL_H_

#include <atomic>
#include <cstddef>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace vitrine {

class HandlerPool {
 public:
  HandlerPool(size_t threads, size_t waiting_max)
      : unfinished_max_(threads + waiting_max), threads_(threads) {}

  // False, and nothing is done, if too many wait already.
  template <typename Function>
  bool Post(Function function) {
    if (unfinished_.fetch_add(1) >= unfinished_max_) {
      unfinished_.fetch_sub(1);
      return false;
    }
    boost::asio::post(threads_, [this, function = std::move(function)]() mutable {
      function();
      unfinished_.fetch_sub(1);
    });
    return true;
  }

  // Waits for everything that was posted.
  void Join() { threads_.join(); }

 private:
  const size_t unfinished_max_;
  std::atomic<size_t> unfinished_ = 0;
  boost::asio::thread_pool threads_;
};

}  // namespace vitrine

#endif  // VITRINE_API_GATEWAY_HANDLER_POOL_H_
