#include "recommender/placements/shelf.h"

#include <algorithm>
#include <map>
#include <utility>

#include "recommender/rank/explore.h"

namespace vitrine {
namespace {

// The walk along everything that is offered, until the shelf is full.
class Filler {
 public:
  Filler(const ShelfRules& rules, const ShelfRequest& request) : rules_(rules), request_(request) {}

  std::vector<ShownProduct> Fill() {
    Pin();
    const size_t places = request_.k - pinned_.size();
    std::optional<ShownProduct> tried = Try(places);
    const size_t wanted = places - (tried ? 1 : 0);
    for (const ShownProduct& offer : Ordered()) {
      if (shelf_.size() == wanted) break;
      Offered(offer);
    }
    for (const Offer& offer : request_.fillers) {
      if (shelf_.size() == wanted) break;
      Offered({offer.product, 0, offer.source, {}});
    }
    if (!request_.may_be_short) Refill(wanted);
    if (tried) {
      const size_t at = std::min(PlaceToGive(places, request_.seed), shelf_.size());
      shelf_.insert(shelf_.begin() + static_cast<ptrdiff_t>(at), *std::move(tried));
    }
    return PutPins();
  }

 private:
  std::optional<ShownProduct> Try(size_t places) {
    if (places < 2) return std::nullopt;
    for (const Offer& offer : request_.tried) {
      if (!Offered({offer.product, offer.score, offer.source, {}})) continue;
      Trace(offer.product, "tried", "new");
      ShownProduct tried = std::move(shelf_.back());
      shelf_.pop_back();
      return tried;
    }
    return std::nullopt;
  }

  void Refill(size_t wanted) {
    for (size_t i = 0; shelf_.size() < wanted; ++i) {
      const std::optional<uint32_t> product = request_.refill(i);
      if (!product) break;
      if (Offered({*product, 0, POPULAR, {}})) Trace(*product, "refilled", "popular");
    }
    for (size_t i = 0; shelf_.size() < wanted && i < last_.size(); ++i) {
      if (!Caps(*request_.product(last_[i].product), last_[i].product)) continue;
      Trace(last_[i].product, "refilled", "hidden");
      shelf_.push_back(std::move(last_[i]));
    }
  }

  // The scored, as boosts order them.
  std::vector<ShownProduct> Ordered() {
    std::vector<ShownProduct> ordered;
    ordered.reserve(request_.scored.size());
    for (const Offer& offer : request_.scored) {
      ShownProduct& shown =
          ordered.emplace_back(ShownProduct{offer.product, offer.score, offer.source, {}});
      if (!rules_.has_boosts()) continue;
      shown.score *= rules_.Boost(*request_.product(offer.product), &shown.rules);
      for (const absl::string_view rule : shown.rules) Trace(offer.product, "boosted", rule);
    }
    std::stable_sort(
        ordered.begin(), ordered.end(),
        [](const ShownProduct& a, const ShownProduct& b) { return a.score > b.score; });
    return ordered;
  }

  void Pin() {
    for (const ShelfRules::Pin& pin : rules_.pins()) {
      if (pin.position >= request_.k || pinned_.size() == request_.k) continue;
      const std::optional<uint32_t> number = request_.find(pin.product_id);
      if (!number || !met_.insert(*number).second) continue;
      if (IsOnPage(*number)) continue;
      const Product& product = *request_.product(*number);
      const RuleVerdict verdict = rules_.Judge(*number, product);
      if (verdict.kind == RuleVerdict::Kind::kNever) {
        Trace(*number, "removed", verdict.by);
        continue;
      }
      Caps(product, *number);  // it counts, and stands whatever they say
      Trace(*number, "pinned", pin.rule);
      pinned_.emplace_back(pin.position, ShownProduct{*number, 0, PINNED, {pin.rule}});
    }
  }

  // Whether it was put onto the shelf.
  bool Offered(ShownProduct offer) {
    if (!met_.insert(offer.product).second) return false;
    if (IsOnPage(offer.product)) return false;
    const Product& product = *request_.product(offer.product);
    const RuleVerdict verdict = rules_.Judge(offer.product, product);
    if (!verdict.may_show()) {
      Trace(offer.product, "removed", verdict.by);
      if (verdict.kind == RuleVerdict::Kind::kLast) last_.push_back(std::move(offer));
      return false;
    }
    if (!Caps(product, offer.product)) return false;
    shelf_.push_back(std::move(offer));
    return true;
  }

  bool IsOnPage(uint32_t product) {
    if (request_.on_page == nullptr || !request_.on_page->contains(product)) return false;
    Trace(product, "repeated", "page");
    return true;
  }

  // Counts it where every cap has room for it.
  bool Caps(const Product& product, uint32_t number) {
    std::vector<int*> counts;
    bool fits = true;
    for (const Rule* cap : rules_.caps()) {
      const std::optional<absl::string_view> value = rules_.CappedValue(*cap, product);
      if (!value) continue;
      int& count = capped_[{cap, std::string(*value)}];
      counts.push_back(&count);
      if (count < cap->most) continue;
      if (fits) Trace(number, "capped", cap->id);
      fits = false;
    }
    if (fits) {
      for (int* count : counts) ++*count;
    }
    return fits;
  }

  // Those with a place of their own are put there, first places first; behind each other where
  // several want the same, and at the end of a shelf that is shorter.
  std::vector<ShownProduct> PutPins() {
    size_t free = 0;
    for (auto& [position, shown] : pinned_) {
      const size_t at = std::min(std::max(position, free), shelf_.size());
      free = at + 1;
      shelf_.insert(shelf_.begin() + static_cast<ptrdiff_t>(at), std::move(shown));
    }
    return std::move(shelf_);
  }

  void Trace(uint32_t product, const char* what, absl::string_view by) {
    if (request_.trace != nullptr) request_.trace->push_back({product, what, std::string(by)});
  }

  const ShelfRules& rules_;
  const ShelfRequest& request_;
  absl::flat_hash_set<uint32_t> met_;
  std::vector<ShownProduct> shelf_;
  std::vector<ShownProduct> last_;                       // hidden by a wish
  std::vector<std::pair<size_t, ShownProduct>> pinned_;  // by position
  std::map<std::pair<const Rule*, std::string>, int> capped_;
};

}  // namespace

std::vector<ShownProduct> FillShelf(const ShelfRules& rules, const ShelfRequest& request) {
  return Filler(rules, request).Fill();
}

}  // namespace vitrine
