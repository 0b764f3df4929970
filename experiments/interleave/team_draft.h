// Two rankings in one list, item by item, and whose items people chose: prunes candidates with a
// fraction of the traffic that an A/B test takes. Says which ranking is preferred, not what it
// earns.

#ifndef VITRINE_EXPERIMENTS_INTERLEAVE_TEAM_DRAFT_H_
#define VITRINE_EXPERIMENTS_INTERLEAVE_TEAM_DRAFT_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace vitrine::experiments {

enum class Team : uint8_t { kNone, kA, kB };

struct Pick {
  std::string item;
  // kNone: both rankings agree from the top down to here, so that a choice tells nothing.
  Team team = Team::kNone;
  // Its team had it because the other ranking had no items left: earns no credit, or a longer list
  // would win by its length.
  bool filled = false;
};

// Team draft (Radlinski, Kurup, Joachims, CIKM 2008): the team with fewer picks picks next, its
// best item that is not there yet; `coin` decides who does where they have as many (true: A). At
// most k picks, no item twice (whatever the lists hold twice counts once).
// O(|a| + |b|).
std::vector<Pick> TeamDraft(std::span<const std::string> a, std::span<const std::string> b,
                            size_t k, absl::FunctionRef<bool()> coin);

// The same with coins that follow from who asks for what, so that a request that is repeated gets
// the same list.
std::vector<Pick> TeamDraft(std::span<const std::string> a, std::span<const std::string> b,
                            size_t k, absl::string_view experiment, absl::string_view user,
                            absl::string_view request);

struct Credit {
  int a = 0;
  int b = 0;
};

// Of the items of one list that were chosen (clicked, or bought within whatever window the caller
// has), by position from 0; positions beyond the list and repeated ones count for nothing.
Credit CreditOf(std::span<const Pick> picks, std::span<const size_t> chosen);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_INTERLEAVE_TEAM_DRAFT_H_
