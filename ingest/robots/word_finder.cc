#include "ingest/robots/word_finder.h"

#include <algorithm>
#include <deque>

#include "store/base/check.h"

namespace vitrine {

WordFinder::WordFinder(std::span<const std::string> words) {
  for (const std::string& word : words) {
    CHECK(!word.empty());
    for (const char c : word) {
      uint16_t& letter = letter_[static_cast<uint8_t>(c)];
      if (letter == 0) letter = static_cast<uint16_t>(letters_++);
    }
  }
  next_.assign(letters_, kNone);
  word_.assign(1, kNone);
  for (size_t i = 0; i < words.size(); ++i) Insert(words[i], static_cast<int32_t>(i));
  LinkFailures();
}

void WordFinder::Insert(const std::string& word, int32_t place) {
  size_t state = 0;
  for (const char c : word) {
    const size_t letter = letter_[static_cast<uint8_t>(c)];
    if (Next(state, letter) == kNone) {
      Next(state, letter) = static_cast<int32_t>(word_.size());
      next_.resize(next_.size() + letters_, kNone);
      word_.push_back(kNone);
    }
    state = static_cast<size_t>(Next(state, letter));
  }
  if (word_[state] == kNone) word_[state] = place;
}

// Breadth first: a state's failure, the longest other beginning that it ends with, is shorter.
void WordFinder::LinkFailures() {
  std::vector<int32_t> failure(word_.size(), 0);
  shorter_.assign(word_.size(), kNone);
  std::deque<size_t> queue;
  for (size_t letter = 0; letter < letters_; ++letter) {
    int32_t& next = Next(0, letter);
    if (next == kNone) {
      next = 0;
    } else {
      queue.push_back(static_cast<size_t>(next));
    }
  }
  for (; !queue.empty(); queue.pop_front()) {
    const size_t state = queue.front();
    const auto fallback = static_cast<size_t>(failure[state]);
    shorter_[state] = word_[fallback] != kNone ? failure[state] : shorter_[fallback];
    for (size_t letter = 0; letter < letters_; ++letter) {
      int32_t& next = Next(state, letter);
      if (next == kNone) {
        next = Next(fallback, letter);
      } else {
        failure[static_cast<size_t>(next)] = Next(fallback, letter);
        queue.push_back(static_cast<size_t>(next));
      }
    }
  }
}

std::vector<int> WordFinder::Find(absl::string_view text) const {
  std::vector<int> found;
  size_t state = 0;
  for (const char c : text) {
    state = static_cast<size_t>(next_[state * letters_ + letter_[static_cast<uint8_t>(c)]]);
    int32_t end = word_[state] != kNone ? static_cast<int32_t>(state) : shorter_[state];
    for (; end != kNone; end = shorter_[static_cast<size_t>(end)]) {
      found.push_back(word_[static_cast<size_t>(end)]);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace vitrine
