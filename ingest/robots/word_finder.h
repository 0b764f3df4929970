// Which of many words stand in a text, found in one pass (Aho and Corasick, 1975).

#ifndef VITRINE_INGEST_ROBOTS_WORD_FINDER_H_
#define VITRINE_INGEST_ROBOTS_WORD_FINDER_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vitrine {

// Immutable and thread-safe.
class WordFinder {
 public:
  WordFinder() : WordFinder(std::span<const std::string>()) {}
  // Words of at least one byte; the same word may come twice, and its first place counts. Takes 4
  // bytes for each byte of the words times the different bytes in them.
  explicit WordFinder(std::span<const std::string> words);

  // The places in `words` of those that stand in `text`, ascending. O(bytes + words found).
  std::vector<int> Find(absl::string_view text) const;

 private:
  static constexpr int32_t kNone = -1;

  // A row of next_ for each beginning of a word.
  int32_t& Next(size_t state, size_t letter) { return next_[state * letters_ + letter]; }
  void Insert(const std::string& word, int32_t place);
  void LinkFailures();

  size_t letters_ = 1;                  // 0 stands for every byte that is in no word
  std::array<uint16_t, 256> letter_{};  // of a byte
  std::vector<int32_t> next_;
  std::vector<int32_t> word_;     // that ends in this state, or kNone
  std::vector<int32_t> shorter_;  // nearest state, along the failures, in which a word ends
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_ROBOTS_WORD_FINDER_H_
