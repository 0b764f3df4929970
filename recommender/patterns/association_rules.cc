#include "recommender/patterns/association_rules.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"

#include "store/base/check.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

std::vector<uint32_t> Distinct(std::span<const uint32_t> basket) {
  std::vector<uint32_t> items(basket.begin(), basket.end());
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

std::vector<int64_t> CountItems(const Lists& baskets) {
  std::vector<int64_t> counts;
  for (size_t i = 0; i < baskets.size(); ++i) {
    for (const uint32_t item : Distinct(baskets[i])) {
      if (item >= counts.size()) counts.resize(size_t{item} + 1);
      ++counts[item];
    }
  }
  return counts;
}

// The items by rising count: an early item has few baskets, so that what grows from it is small.
std::vector<uint32_t> ByRisingCount(const std::vector<int64_t>& counts) {
  std::vector<uint32_t> order(counts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return counts[a] < counts[b]; });
  return order;
}

bool Before(const AssociationRule& a, const AssociationRule& b) {
  return std::tie(b.lift, b.count, a.antecedent, a.consequent) <
         std::tie(a.lift, a.count, b.antecedent, b.consequent);
}

}  // namespace

absl::StatusOr<std::vector<Pattern>> FrequentSets(const Lists& baskets,
                                                  const PatternOptions& options) {
  const std::vector<int64_t> counts = CountItems(baskets);
  const std::vector<uint32_t> by_rank = ByRisingCount(counts);
  std::vector<uint32_t> rank_of(by_rank.size());
  for (size_t rank = 0; rank < by_rank.size(); ++rank) {
    rank_of[by_rank[rank]] = static_cast<uint32_t>(rank);
  }
  Lists ranked;
  for (size_t i = 0; i < baskets.size(); ++i) {
    std::vector<uint32_t> ranks;
    for (const uint32_t item : Distinct(baskets[i])) {
      if (counts[item] >= options.min_count) ranks.push_back(rank_of[item]);
    }
    std::sort(ranks.begin(), ranks.end());
    ranked.Add(ranks);
  }
  ASSIGN_OR_RETURN(std::vector<Pattern> sets, PrefixSpan(ranked, options));
  for (Pattern& set : sets) {
    for (uint32_t& item : set.items) item = by_rank[item];
    std::sort(set.items.begin(), set.items.end());
  }
  return sets;
}

std::vector<AssociationRule> Rules(std::span<const Pattern> sets, size_t baskets,
                                   double min_confidence) {
  absl::flat_hash_map<absl::Span<const uint32_t>, int64_t> count_of;
  count_of.reserve(sets.size());
  for (const Pattern& set : sets) count_of[set.items] = set.count;
  const auto share = [baskets](int64_t count) {
    return static_cast<double>(count) / static_cast<double>(baskets);
  };
  std::vector<AssociationRule> rules;
  std::vector<uint32_t> antecedent;
  for (const Pattern& set : sets) {
    if (set.items.size() < 2) continue;
    for (size_t c = 0; c < set.items.size(); ++c) {
      antecedent = set.items;
      antecedent.erase(antecedent.begin() + static_cast<std::ptrdiff_t>(c));
      const auto whole = count_of.find(antecedent);
      const auto alone = count_of.find(absl::MakeConstSpan(&set.items[c], 1));
      CHECK(whole != count_of.end() && alone != count_of.end()) << "a subset is missing";
      AssociationRule rule{
          .antecedent = antecedent, .consequent = set.items[c], .count = set.count};
      rule.confidence = static_cast<double>(set.count) / static_cast<double>(whole->second);
      if (rule.confidence < min_confidence) continue;
      rule.support = share(set.count);
      rule.lift = rule.confidence / share(alone->second);
      rule.leverage = rule.support - share(whole->second) * share(alone->second);
      rules.push_back(std::move(rule));
    }
  }
  std::sort(rules.begin(), rules.end(), Before);
  return rules;
}

}  // namespace vitrine
