// How often people come back to what they looked at before: counts of the question "is the next
// click this product of the session?" by how long ago, how often and how far into the session.

#ifndef VITRINE_RECOMMENDER_MODEL_SESSION_REPEATS_H_
#define VITRINE_RECOMMENDER_MODEL_SESSION_REPEATS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vitrine {

// A product of a session going on.
struct Seen {
  uint32_t product = 0;
  uint32_t distance = 0;  // clicks since it was last looked at; 0: the last click
  uint32_t count = 0;     // clicks on it
};

// Fills `seen` with the different products of `clicks` (oldest first), newest first. Of more than
// limits::kSessionClicksMax clicks the newest count. O(clicks * products).
void ListSeen(std::span<const uint32_t> clicks, std::vector<Seen>* seen);

// Thread-compatible. Counts are whole numbers, so that adding a session and taking it away again
// leaves no trace.
class RepeatTable {
 public:
  // Counts every prefix of `clicks` with its next click, `sign` times (1, or -1 to take it away).
  // O(clicks * products).
  void Count(std::span<const uint32_t> clicks, int64_t sign);

  // P(the next click is this product | distance, count, clicks of the session so far), smoothed
  // towards 1 % as if that had been seen in ten sessions.
  float Probability(const Seen& seen, size_t session_clicks) const;

  bool operator==(const RepeatTable& other) const { return cells_ == other.cells_; }

 private:
  struct Cell {
    int64_t asked = 0;
    int64_t came = 0;

    bool operator==(const Cell&) const = default;
  };

  static constexpr size_t kDistances = 15;  // 0 to 11, 12 to 15, 16 to 23, more
  static constexpr size_t kCounts = 4;      // 1 to 3, more
  static constexpr size_t kLengths = 6;     // 1, 2, to 4, to 8, to 16, more

  static size_t CellOf(const Seen& seen, size_t session_clicks);

  std::array<Cell, kDistances* kCounts* kLengths> cells_ = {};
  std::vector<Seen> seen_;  // scratch of Count
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_SESSION_REPEATS_H_
