#include "experiments/attribution/credit.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace vitrine {
namespace {

// The places of records, by time and then by id.
template <typename Record>
std::vector<size_t> InOrder(std::span<const Record> records) {
  std::vector<size_t> order(records.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [records](size_t a, size_t b) {
    return std::tie(records[a].time_ms, records[a].id) <
           std::tie(records[b].time_ms, records[b].id);
  });
  return order;
}

struct Place {
  int64_t time_ms = 0;
  size_t shelf = 0;
  size_t position = 0;
};

// Where products were shown.
class Shown {
 public:
  explicit Shown(std::span<const Exposure> shelves) {
    for (const size_t s : InOrder(shelves)) {
      const std::vector<ExposedProduct>& products = shelves[s].products;
      shelves_.emplace(shelves[s].id, s);
      for (size_t p = 0; p < products.size(); ++p) {
        std::vector<Place>& places = places_[products[p].product_id];
        const bool again = !places.empty() && places.back().shelf == s;
        if (!again) places.push_back({shelves[s].time_ms, s, p});
      }
    }
  }

  std::optional<size_t> Shelf(const std::string& id) const {
    const auto it = shelves_.find(id);
    return it == shelves_.end() ? std::nullopt : std::make_optional(it->second);
  }

  const Place* OnShelf(size_t shelf, const std::string& product) const {
    for (const Place& place : Of(product)) {
      if (place.shelf == shelf) return &place;
    }
    return nullptr;
  }

  // The newest that is not newer than `time_ms` and not older than `window_ms` before it.
  const Place* Newest(const std::string& product, int64_t time_ms, int64_t window_ms) const {
    const std::span<const Place> places = Of(product);
    const auto after =
        std::upper_bound(places.begin(), places.end(), time_ms,
                         [](int64_t time, const Place& place) { return time < place.time_ms; });
    if (after == places.begin()) return nullptr;
    const Place& newest = *(after - 1);
    return time_ms - newest.time_ms <= window_ms ? &newest : nullptr;
  }

 private:
  std::span<const Place> Of(const std::string& product) const {
    const auto it = places_.find(product);
    return it == places_.end() ? std::span<const Place>() : std::span<const Place>(it->second);
  }

  absl::flat_hash_map<absl::string_view, size_t> shelves_;             // by id
  absl::flat_hash_map<absl::string_view, std::vector<Place>> places_;  // by product, oldest first
};

// Of one product in one purchase: what is left of it after refunds.
struct Sale {
  size_t event = 0;
  const Place* place = nullptr;  // null: earned by no shelf
  int32_t pieces = 0;
  int64_t value_minor = 0;
};

class Creditor {
 public:
  Creditor(std::span<const Exposure> shelves, std::span<const Event> events,
           const CreditWindows& windows)
      : shelves_(shelves), events_(events), windows_(windows), shown_(shelves) {}

  Crediting Run() && {
    for (const size_t e : InOrder(events_)) {
      const std::optional<Credited> as = CreditedKind(events_[e].kind);
      if (!as.has_value()) continue;
      if (*as == Credited::kRefund) {
        TakeRefund(e);
      } else {
        TakeEvent(e, *as);
      }
    }
    return std::move(crediting_);
  }

 private:
  void TakeEvent(size_t e, Credited as) {
    const Event& event = events_[e];
    std::optional<size_t> named;
    if (event.__isset.recommendation_id) {
      named = shown_.Shelf(event.recommendation_id);
      if (!named.has_value()) ++crediting_.unknown;
    }
    const bool unknown = event.__isset.recommendation_id && !named.has_value();
    const int64_t window_ms = as == Credited::kPurchase ? windows_.order_ms : windows_.click_ms;
    for (const Item& item : event.items) {
      const Place* place = named ? shown_.OnShelf(*named, item.product_id) : nullptr;
      const bool said = place != nullptr;
      if (!said && !unknown) place = shown_.Newest(item.product_id, event.time_ms, window_ms);
      const bool has_price = item.__isset.price_minor && event.__isset.currency;
      const int64_t value_minor = has_price ? item.price_minor * item.quantity : 0;
      if (as == Credited::kPurchase) {
        sales_[item.product_id].push_back({e, place, item.quantity, value_minor});
      }
      if (place == nullptr) continue;
      crediting_.credits.push_back({e, e, place->shelf, place->position, as, said, item.quantity,
                                    as == Credited::kPurchase ? value_minor : 0});
    }
  }

  // What was bought last goes back first; of the order that the refund names, if it names one.
  void TakeRefund(size_t e) {
    const Event& refund = events_[e];
    if (refund.items.empty() && refund.__isset.order_id) {
      for (auto& [product, sales] : sales_) {
        for (Sale& sale : sales) {
          if (IsOf(sale, refund)) TakeOff(e, sale.pieces, std::nullopt, &sale);
        }
      }
      SortTail(e);
    }
    for (const Item& item : refund.items) {
      const auto sales = sales_.find(item.product_id);
      if (sales == sales_.end()) continue;
      int32_t left = item.quantity;
      for (auto sale = sales->second.rbegin(); left > 0 && sale != sales->second.rend(); ++sale) {
        if (!IsOf(*sale, refund)) continue;
        const int32_t taken = std::min(left, sale->pieces);
        const Event& purchase = events_[sale->event];
        const bool priced = item.__isset.price_minor && refund.currency == purchase.currency;
        TakeOff(e, taken, priced ? std::make_optional(item.price_minor) : std::nullopt, &*sale);
        left -= taken;
      }
    }
  }

  bool IsOf(const Sale& sale, const Event& refund) const {
    return !refund.__isset.order_id || events_[sale.event].order_id == refund.order_id;
  }

  // Without a price, what the pieces cost.
  void TakeOff(size_t refund, int32_t pieces, std::optional<int64_t> price_minor, Sale* sale) {
    if (pieces == 0) return;
    const int64_t worth = price_minor.has_value()
                              ? std::min(*price_minor * pieces, sale->value_minor)
                              : static_cast<int64_t>(static_cast<__int128>(sale->value_minor) *
                                                     pieces / sale->pieces);
    sale->pieces -= pieces;
    sale->value_minor -= worth;
    if (sale->place == nullptr) return;
    crediting_.credits.push_back({refund, sale->event, sale->place->shelf, sale->place->position,
                                  Credited::kRefund, false, pieces, -worth});
  }

  // Products come out of a hash map in any order.
  void SortTail(size_t e) {
    const auto begin =
        std::find_if(crediting_.credits.begin(), crediting_.credits.end(),
                     [e](const Credit& c) { return c.event == e && c.as == Credited::kRefund; });
    const auto rank = [this](const Credit& c) {
      return std::tie(events_[c.purchase].time_ms, events_[c.purchase].id,
                      shelves_[c.shelf].time_ms, shelves_[c.shelf].id, c.position);
    };
    std::sort(begin, crediting_.credits.end(),
              [rank](const Credit& a, const Credit& b) { return rank(a) < rank(b); });
  }

  const std::span<const Exposure> shelves_;
  const std::span<const Event> events_;
  const CreditWindows windows_;
  const Shown shown_;
  absl::flat_hash_map<absl::string_view, std::vector<Sale>> sales_;  // by product, oldest first
  Crediting crediting_;
};

}  // namespace

std::optional<Credited> CreditedKind(EventKind kind) {
  switch (kind) {
    case EventKind::SELECT_ITEM:
    case EventKind::VIEW_ITEM:
      return Credited::kClick;
    case EventKind::ADD_TO_CART:
      return Credited::kCart;
    case EventKind::PURCHASE:
      return Credited::kPurchase;
    case EventKind::REFUND:
      return Credited::kRefund;
    default:
      return std::nullopt;
  }
}

Crediting CreditEvents(std::span<const Exposure> shelves, std::span<const Event> events,
                       const CreditWindows& windows) {
  return Creditor(shelves, events, windows).Run();
}

}  // namespace vitrine
