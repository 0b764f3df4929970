#include "recommender/patterns/prefix_span.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"

#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// Behind each sequence; no item has this value.
constexpr uint32_t kEnd = ~uint32_t{0};

class Miner {
 public:
  Miner(const Lists& sequences, const PatternOptions& options) : options_(options) {
    uint32_t largest = 0;
    text_.reserve(sequences.total() + sequences.size());
    for (size_t i = 0; i < sequences.size(); ++i) {
      starts_.push_back(text_.size());
      for (const uint32_t item : sequences[i]) {
        text_.push_back(item);
        largest = std::max(largest, item & ~kTogether);
      }
      text_.push_back(kEnd);
    }
    counts_.resize(size_t{largest} + 1);
    seen_.resize(size_t{largest} + 1);
  }

  absl::StatusOr<std::vector<Pattern>> Mine() && {
    RETURN_IF_ERROR(Grow(starts_));
    return std::move(patterns_);
  }

 private:
  // An item that can follow the prefix, and where the sequences that hold it go on.
  struct Extension {
    uint32_t item;
    int64_t count;
    size_t begin;  // in the places handed down
  };

  // Adds every frequent extension of prefix_, depth first. `places` say where each sequence that
  // holds the prefix goes on behind its first occurrence of it.
  absl::Status Grow(std::span<const size_t> places) {
    std::vector<Extension> extensions = Count(places);
    const bool deeper = prefix_.size() + 1 < options_.max_length;
    const std::vector<size_t> next = deeper ? Project(places, extensions) : std::vector<size_t>();
    for (const Extension& extension : extensions) {
      if (patterns_.size() == options_.max_patterns) {
        return absl::ResourceExhaustedError(absl::StrCat("more than ", options_.max_patterns,
                                                         " patterns occur ", options_.min_count,
                                                         " times: ask for a higher support"));
      }
      prefix_.push_back(extension.item);
      patterns_.push_back({prefix_, extension.count});
      if (deeper) {
        RETURN_IF_ERROR(
            Grow(std::span(next).subspan(extension.begin, static_cast<size_t>(extension.count))));
      }
      prefix_.pop_back();
    }
    return absl::OkStatus();
  }

  // Calls `use(item, place behind it)` for the first occurrence of each item in each sequence.
  template <typename Use>
  void ForFirsts(std::span<const size_t> places, Use use) {
    for (const size_t place : places) {
      ++stamp_;
      for (size_t at = place; text_[at] != kEnd; ++at) {
        const uint32_t item = text_[at] & ~kTogether;
        if (std::exchange(seen_[item], stamp_) != stamp_) use(item, at + 1);
      }
    }
  }

  // The frequent extensions, by item. Leaves counts_ at 0.
  std::vector<Extension> Count(std::span<const size_t> places) {
    std::vector<uint32_t> items;
    ForFirsts(places, [&](uint32_t item, size_t) {
      if (counts_[item]++ == 0) items.push_back(item);
    });
    std::sort(items.begin(), items.end());
    std::vector<Extension> extensions;
    size_t begin = 0;
    for (const uint32_t item : items) {
      const int64_t count = std::exchange(counts_[item], 0);
      if (count < options_.min_count) continue;
      extensions.push_back({item, count, begin});
      begin += static_cast<size_t>(count);
    }
    return extensions;
  }

  // For each extension, where the sequences that hold it go on: past what happened together with
  // its item. Leaves counts_ at 0.
  std::vector<size_t> Project(std::span<const size_t> places,
                              std::span<const Extension> extensions) {
    size_t total = 0;
    for (const Extension& extension : extensions) {
      counts_[extension.item] = static_cast<int64_t>(extension.begin) + 1;
      total += static_cast<size_t>(extension.count);
    }
    std::vector<size_t> next(total);
    ForFirsts(places, [&](uint32_t item, size_t behind) {
      if (counts_[item] == 0) return;
      while (text_[behind] != kEnd && (text_[behind] & kTogether) != 0) ++behind;
      next[static_cast<size_t>(counts_[item]++ - 1)] = behind;
    });
    for (const Extension& extension : extensions) counts_[extension.item] = 0;
    return next;
  }

  const PatternOptions options_;
  std::vector<uint32_t> text_;  // all sequences, each followed by kEnd
  std::vector<size_t> starts_;
  std::vector<int64_t> counts_;  // by item
  std::vector<uint64_t> seen_;   // by item: the stamp of the sequence that last held it
  uint64_t stamp_ = 0;
  std::vector<uint32_t> prefix_;
  std::vector<Pattern> patterns_;
};

}  // namespace

absl::StatusOr<std::vector<Pattern>> PrefixSpan(const Lists& sequences,
                                                const PatternOptions& options) {
  if (options.min_count < 1 || options.max_length < 1) {
    return absl::InvalidArgumentError("min_count and max_length must be at least 1");
  }
  return Miner(sequences, options).Mine();
}

}  // namespace vitrine
