#include "experiments/interleave/team_draft.h"

#include <xxhash.h>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

namespace vitrine::experiments {
namespace {

class Draft {
 public:
  Draft(std::span<const std::string> a, std::span<const std::string> b, size_t k)
      : sides_{{a, 0, 0}, {b, 0, 0}}, k_(k) {}

  std::vector<Pick> Run(absl::FunctionRef<bool()> coin) {
    PickAgreed();
    while (picks_.size() < k_) {
      const bool a_left = HasNext(sides_[0]), b_left = HasNext(sides_[1]);
      if (!a_left && !b_left) break;
      const size_t fewer = sides_[0].picks < sides_[1].picks ? 0 : 1;
      size_t turn = sides_[0].picks != sides_[1].picks ? fewer : coin() ? 0 : 1;
      const bool filled = turn == 0 ? !a_left : !b_left;
      if (filled) turn = 1 - turn;
      PickNext(turn, filled);
    }
    return std::move(picks_);
  }

 private:
  struct Side {
    std::span<const std::string> list;
    size_t next = 0;
    int picks = 0;
  };

  void PickAgreed() {
    const auto& a = sides_[0].list;
    const auto& b = sides_[1].list;
    for (size_t i = 0; i < a.size() && i < b.size() && a[i] == b[i] && picks_.size() < k_; ++i) {
      if (there_.insert(a[i]).second) picks_.push_back({a[i]});
    }
  }

  bool HasNext(Side& side) {
    while (side.next < side.list.size() && there_.contains(side.list[side.next])) ++side.next;
    return side.next < side.list.size();
  }

  void PickNext(size_t turn, bool filled) {
    Side& side = sides_[turn];
    const std::string& item = side.list[side.next];
    there_.insert(item);
    picks_.push_back({item, turn == 0 ? Team::kA : Team::kB, filled});
    ++side.picks;
  }

  Side sides_[2];
  size_t k_;
  absl::flat_hash_set<absl::string_view> there_;
  std::vector<Pick> picks_;
};

}  // namespace

std::vector<Pick> TeamDraft(std::span<const std::string> a, std::span<const std::string> b,
                            size_t k, absl::FunctionRef<bool()> coin) {
  return Draft(a, b, k).Run(coin);
}

std::vector<Pick> TeamDraft(std::span<const std::string> a, std::span<const std::string> b,
                            size_t k, absl::string_view experiment, absl::string_view user,
                            absl::string_view request) {
  // Lengths first, so that no two askers run together.
  const std::string key =
      absl::StrCat(experiment.size(), ",", user.size(), ",", experiment, user, request);
  uint64_t toss = 0;
  const uint64_t seed = XXH3_64bits(key.data(), key.size());
  return TeamDraft(a, b, k, [&toss, seed] {
    ++toss;
    return (XXH3_64bits_withSeed(&toss, sizeof(toss), seed) & 1) == 0;
  });
}

Credit CreditOf(std::span<const Pick> picks, std::span<const size_t> chosen) {
  Credit credit;
  std::vector<bool> counted(picks.size(), false);
  for (const size_t position : chosen) {
    if (position >= picks.size() || counted[position] || picks[position].filled) continue;
    counted[position] = true;
    credit.a += picks[position].team == Team::kA ? 1 : 0;
    credit.b += picks[position].team == Team::kB ? 1 : 0;
  }
  return credit;
}

}  // namespace vitrine::experiments
