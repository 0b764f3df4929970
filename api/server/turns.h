// Whose turn it is: jobs wait in a queue for each key (a site), and the keys that have some take
// turns, so that one with thousands waiting holds the others up by one batch at most. Round robin
// (Nagle, RFC 970, 1985) over batches instead of packets. Keys are of two classes, light and heavy,
// each with turns of its own: whoever takes only light ones is never behind a heavy one (the
// feedback queues of Corbato et al., 1962, with two levels).

#ifndef VITRINE_API_SERVER_TURNS_H_
#define VITRINE_API_SERVER_TURNS_H_

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

#include "store/base/check.h"

namespace vitrine {

// Not thread-safe. A key once seen is remembered: they must be few. Every function is O(1) beside
// the jobs it moves.
template <typename Job>
class Turns {
 public:
  struct Limits {
    size_t waiting_max = 1;  // jobs of one key
    size_t running_max = 1;  // batches of one key that are out at once
    size_t batch_max = 1;    // jobs of one batch
  };
  struct Batch {
    std::string key;
    std::vector<Job> jobs;  // in the order in which they were added; at least one
  };

  explicit Turns(const Limits& limits) : limits_(limits) {}

  // False, and the job stays the caller's, if as many of its key wait as may.
  bool Add(absl::string_view key, Job&& job) {
    Queue& queue = QueueOf(key);
    if (queue.waiting.size() >= limits_.waiting_max) return false;
    queue.waiting.push_back(std::move(job));
    List(&queue);
    return true;
  }

  size_t Waiting(absl::string_view key) { return QueueOf(key).waiting.size(); }
  bool HasNext(bool heavy = false) const { return !listed_[heavy].empty(); }

  // The jobs of the next key of the class; Done must follow. REQUIRES: HasNext.
  Batch Next(bool heavy = false) {
    CHECK(HasNext(heavy));
    Queue& queue = *listed_[heavy].front();
    listed_[heavy].pop_front();
    queue.listed = false;
    Batch batch;
    batch.key = queue.key;
    const size_t jobs = std::min(queue.waiting.size(), limits_.batch_max);
    for (size_t i = 0; i < jobs; ++i) {
      batch.jobs.push_back(std::move(queue.waiting.front()));
      queue.waiting.pop_front();
    }
    ++queue.running;
    List(&queue);
    return batch;
  }

  // `heavy`: the key's class from now on; light at first.
  void Done(absl::string_view key, bool heavy = false) {
    Queue& queue = QueueOf(key);
    --queue.running;
    if (queue.listed && queue.heavy != heavy) {
      std::erase(listed_[queue.heavy], &queue);
      queue.listed = false;
    }
    queue.heavy = heavy;
    List(&queue);
  }

 private:
  struct Queue {
    std::string key;
    std::deque<Job> waiting;
    size_t running = 0;
    bool listed = false;
    bool heavy = false;
  };

  Queue& QueueOf(absl::string_view key) {
    Queue& queue = queues_[std::string(key)];
    if (queue.key.empty()) queue.key = std::string(key);
    return queue;
  }

  void List(Queue* queue) {
    if (queue->listed || queue->waiting.empty() || queue->running >= limits_.running_max) return;
    queue->listed = true;
    listed_[queue->heavy].push_back(queue);
  }

  const Limits limits_;
  std::unordered_map<std::string, Queue> queues_;  // its nodes stay where they are
  std::deque<Queue*> listed_[2];                   // those that may run, in turn, by class
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVER_TURNS_H_
