#include "recommender/customer_base/customer_base.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"

#include "recommender/learn/people.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr int64_t kProgressEvents = 1 << 14;
constexpr auto kMost = static_cast<double>(std::numeric_limits<int64_t>::max() / 2);

absl::Status Check(const CustomerBaseOptions& options) {
  if (options.margin_share >= 0 && options.margin_share <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("margin_share: ", options.margin_share, " is not between 0 and 1"));
}

bool MovesMoney(const Event& event) {
  return event.kind == EventKind::PURCHASE || event.kind == EventKind::REFUND;
}

// What a piece earns, as the catalogue has it.
struct UnitMargin {
  std::string currency;
  int64_t margin_minor = 0;
  std::optional<int64_t> price_minor;

  static std::optional<UnitMargin> Of(const Product& product) {
    if (!product.__isset.margin_minor) return std::nullopt;
    UnitMargin margin = {product.currency, product.margin_minor, std::nullopt};
    if (product.__isset.price_minor) margin.price_minor = product.price_minor;
    return margin;
  }
};

using FindMargin = absl::FunctionRef<std::optional<UnitMargin>(const std::string& product_id)>;

int64_t Rounded(double minor) { return std::llround(std::clamp(minor, -kMost, kMost)); }

// `known` counts items whose margin was found.
Transaction ToTransaction(const Event& event, double margin_share, FindMargin find,
                          int64_t* known) {
  double amount = 0, margin = 0;
  for (const Item& item : event.items) {
    const double pieces = item.quantity;
    const double paid =
        item.__isset.price_minor ? static_cast<double>(item.price_minor) * pieces : 0;
    const std::optional<UnitMargin> unit = find(item.product_id);
    amount += paid;
    if (!unit || unit->currency != event.currency) {
      margin += margin_share * paid;
      continue;
    }
    ++*known;
    const auto unit_margin = static_cast<double>(unit->margin_minor);
    margin += unit->price_minor
                  ? paid - (static_cast<double>(*unit->price_minor) - unit_margin) * pieces
                  : unit_margin * pieces;
  }
  return {.time_ms = event.time_ms,
          .amount_minor = Rounded(amount),
          .margin_minor = Rounded(margin),
          .refund = event.kind == EventKind::REFUND,
          .order_id = event.order_id};
}

class Reader {
 public:
  Reader(const WebHouse& house, const CustomerBaseOptions& options)
      : house_(house), options_(options) {}

  absl::StatusOr<CustomerBase> Read() && {
    RETURN_IF_ERROR(ReadMargins());
    RETURN_IF_ERROR(ForEachEventOfPeople(
        house_, [this](const Person& person, const Event& event) { Take(person, event); }));
    EndPerson();
    if (base_.customers.size() > limits::kValuedCustomersMax) {
      return absl::ResourceExhaustedError(
          absl::StrCat("more than ", limits::kValuedCustomersMax,
                       " customers; the report holds them in memory"));
    }
    ChooseCurrency();
    return std::move(base_);
  }

 private:
  // Of one person, in one currency.
  struct InCurrency {
    size_t customer;
    std::vector<PurchaseDay> days;
  };
  struct Currency {
    std::vector<InCurrency> customers;
    int64_t events = 0;
    int64_t lines = 0;
    int64_t lines_with_margin = 0;
  };

  absl::Status ReadMargins() {
    ProductCursor products = house_.Products();
    for (; products.Valid(); products.Next()) {
      std::optional<UnitMargin> margin = UnitMargin::Of(products.value());
      if (margin) margins_.emplace(products.value().id, *std::move(margin));
    }
    return products.Finish();
  }

  int32_t DayOf(int64_t time_ms) const {
    return DayNumber(absl::ToCivilDay(absl::FromUnixMillis(time_ms), options_.time_zone));
  }

  void Take(const Person& person, const Event& event) {
    if (++events_ % kProgressEvents == 0 && options_.on_progress) options_.on_progress(events_);
    if (person != person_) {
      EndPerson();
      person_ = person;
    }
    oldest_ms_ = event.time_ms;  // newest first
    if (!MovesMoney(event)) return;
    newest_ms_ = std::max(newest_ms_, event.time_ms);
    earliest_ms_ = std::min(earliest_ms_, event.time_ms);
    if (person.kind == Person::Kind::kVisitor && !options_.visitors) {
      guest_ = true;
      return;
    }
    const auto find = [this](const std::string& id) -> std::optional<UnitMargin> {
      const auto found = margins_.find(id);
      return found == margins_.end() ? std::nullopt : std::make_optional(found->second);
    };
    Currency& currency = currencies_[event.currency];
    int64_t known = 0;
    transactions_[event.currency].push_back(
        ToTransaction(event, options_.margin_share, find, &known));
    ++currency.events;
    if (event.kind == EventKind::PURCHASE) {
      currency.lines += static_cast<int64_t>(event.items.size());
      currency.lines_with_margin += known;
    }
  }

  void EndPerson() {
    if (person_ && (person_->kind == Person::Kind::kCustomer || !transactions_.empty()) &&
        base_.customers.size() <= limits::kValuedCustomersMax) {
      for (const auto& [currency, transactions] : transactions_) {
        currencies_[currency].customers.push_back(
            {base_.customers.size(), MergeDays(transactions, options_.time_zone)});
      }
      base_.customers.push_back({*person_, DayOf(oldest_ms_), {}});
    }
    transactions_.clear();
    base_.guests += std::exchange(guest_, false) ? 1 : 0;
  }

  void ChooseCurrency() {
    base_.currency = options_.currency;
    if (base_.currency.empty()) {
      size_t most = 0;
      for (const auto& [name, currency] : currencies_) {
        if (name.empty() || currency.customers.size() <= most) continue;
        most = currency.customers.size();
        base_.currency = name;
      }
    }
    for (auto& [name, currency] : currencies_) {
      if (name != base_.currency) {
        base_.other_currencies += currency.events;
        continue;
      }
      for (InCurrency& customer : currency.customers) {
        base_.customers[customer.customer].days = std::move(customer.days);
      }
      base_.lines = currency.lines;
      base_.lines_with_margin = currency.lines_with_margin;
    }
    if (earliest_ms_ <= newest_ms_) {
      base_.first_day = DayOf(earliest_ms_);
      base_.last_day = DayOf(newest_ms_);
    }
    // Visitors are there for what they bought.
    std::erase_if(base_.customers, [](const CustomerHistory& customer) {
      return customer.person.kind == Person::Kind::kVisitor && customer.days.empty();
    });
  }

  const WebHouse& house_;
  const CustomerBaseOptions& options_;
  CustomerBase base_;
  absl::flat_hash_map<std::string, UnitMargin> margins_;
  std::map<std::string, Currency> currencies_;
  int64_t events_ = 0;
  int64_t earliest_ms_ = std::numeric_limits<int64_t>::max();
  int64_t newest_ms_ = std::numeric_limits<int64_t>::min();
  // Of the person at hand.
  std::optional<Person> person_;
  bool guest_ = false;
  int64_t oldest_ms_ = 0;
  std::map<std::string, std::vector<Transaction>> transactions_;
};

}  // namespace

absl::StatusOr<CustomerBase> ReadCustomerBase(const WebHouse& house,
                                              const CustomerBaseOptions& options) {
  RETURN_IF_ERROR(Check(options));
  return Reader(house, options).Read();
}

absl::StatusOr<std::vector<PurchaseDay>> ReadPurchaseDays(const WebHouse& house,
                                                          const Person& person,
                                                          const CustomerBaseOptions& options) {
  RETURN_IF_ERROR(Check(options));
  std::vector<Event> events;
  std::vector<std::string> ids;
  RETURN_IF_ERROR(house.ForEachOf(person, SIZE_MAX, [&](const Event& event) {
    if (!MovesMoney(event) || event.currency != options.currency) return;
    for (const Item& item : event.items) ids.push_back(item.product_id);
    events.push_back(event);
  }));
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  ASSIGN_OR_RETURN(const auto products, house.GetProducts(ids));
  const auto find = [&](const std::string& id) {
    const auto at = std::lower_bound(ids.begin(), ids.end(), id) - ids.begin();
    return UnitMargin::Of(*products[static_cast<size_t>(at)]);
  };
  std::vector<Transaction> transactions;
  int64_t known = 0;
  for (const Event& event : events) {
    transactions.push_back(ToTransaction(event, options.margin_share, find, &known));
  }
  return MergeDays(transactions, options.time_zone);
}

}  // namespace vitrine
