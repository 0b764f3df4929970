// Offers that orders use and refunds give back, and the points that both move.

#include <algorithm>
#include <cmath>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"

#include "api/service/offer_desk.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/key_format.h"

namespace vitrine {
namespace {

constexpr int64_t kDayMs = int64_t{24} * 60 * 60 * 1000;
// From the reservation of what is used at once to its use.
constexpr int64_t kAtOnceMs = 60'000;

// The persons whose grants the event may show: the customer's, the visitor's, and nobody's.
std::vector<std::string> PersonsOf(const Event& event) {
  std::vector<std::string> persons;
  if (event.__isset.customer_id) {
    persons.push_back(keys::PersonPrefix(Person::Customer(event.customer_id)));
  }
  if (event.__isset.visitor_id) {
    persons.push_back(keys::PersonPrefix(Person::Visitor(event.visitor_id)));
  }
  persons.emplace_back();
  return persons;
}

int64_t WorthMinor(const Event& event, absl::string_view currency) {
  if (event.currency != currency) return 0;
  int64_t worth_minor = 0;
  for (const Item& item : event.items) {
    if (item.__isset.price_minor) worth_minor += item.quantity * item.price_minor;
  }
  return worth_minor;
}

// What was used after it lapsed is a reservation of its own.
std::string LateName(absl::string_view grant) { return absl::StrCat(grant, "+late"); }

// Anything but a full disk or the like: the event is written all the same.
bool IsAboutTheRequest(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsAlreadyExists(status) ||
         absl::IsInvalidArgument(status) || absl::IsNotFound(status);
}

absl::Status UnlessAboutTheRequest(const absl::Status& status) {
  return IsAboutTheRequest(status) ? absl::OkStatus() : status;
}

}  // namespace

std::optional<Grant> OfferDesk::GrantOf(const Event& event, absl::string_view name) const {
  for (const std::string& person : PersonsOf(event)) {
    if (std::optional<Grant> grant = names_.Parse(name, person)) return grant;
  }
  return std::nullopt;
}

absl::Status OfferDesk::UseGrant(const Current& current, const Event& order,
                                 const std::string& name, int64_t now_ms) {
  const std::optional<Grant> grant = GrantOf(order, name);
  const auto offer = grant ? current.by_id.find(grant->offer_id) : current.by_id.end();
  if (offer == current.by_id.end()) {
    spdlog::warn("an order uses a grant that was not made to whoever ordered; it is not counted");
    return absl::OkStatus();
  }
  absl::Status used = ledger_.Commit(name).status();
  if (absl::IsNotFound(used) || absl::IsFailedPrecondition(used)) {
    // It needed no holding, or was held for too long: it takes what is left now.
    const std::string late = LateName(name);
    const absl::StatusOr<std::string> refused_by =
        Hold(*offer->second, late, order.customer_id, grant->cost_minor, now_ms + kAtOnceMs);
    if (!refused_by.ok() && !absl::IsAlreadyExists(refused_by.status())) return refused_by.status();
    if (refused_by.ok() && !refused_by->empty()) {
      spdlog::warn("offer {}: an order uses it after it was used up", grant->offer_id);
      return absl::OkStatus();
    }
    used = ledger_.Commit(late).status();
  }
  RETURN_IF_ERROR(UnlessAboutTheRequest(used));
  if (offer->second->kind != POINTS || order.customer_id.empty()) return absl::OkStatus();
  Ledger::Earning earning;
  earning.id = name;
  earning.customer_id = order.customer_id;
  earning.account = kPointsAccount;
  earning.amount = offer->second->points;
  earning.earned_ms = order.time_ms;
  return UnlessAboutTheRequest(ledger_.Earn(earning));
}

absl::Status OfferDesk::GiveBackGrant(const Event& refund, const std::string& name) {
  if (!GrantOf(refund, name)) return absl::OkStatus();
  const absl::Status reverted = ledger_.Revert(name).status();
  if (reverted.ok() || !IsAboutTheRequest(reverted)) return reverted;
  return UnlessAboutTheRequest(ledger_.Revert(LateName(name)).status());
}

// A refund takes as many points as there still are of those that the same worth earns.
absl::Status OfferDesk::MovePoints(const PointsPlan& plan, const Event& event, int64_t now_ms) {
  if (event.customer_id.empty()) return absl::OkStatus();
  const auto points = static_cast<int64_t>(
      std::floor(static_cast<double>(WorthMinor(event, plan.currency)) * plan.per_hundred / 100));
  if (points < 1) return absl::OkStatus();
  if (event.kind == PURCHASE) {
    Ledger::Earning earning;
    earning.id = event.id;
    earning.customer_id = event.customer_id;
    earning.account = kPointsAccount;
    earning.amount = points;
    earning.earned_ms = event.time_ms;
    if (plan.expire_days > 0) earning.expires_ms = event.time_ms + plan.expire_days * kDayMs;
    return UnlessAboutTheRequest(ledger_.Earn(earning));
  }
  ASSIGN_OR_RETURN(const LedgerBalance balance, ledger_.Balance(kPointsAccount, event.customer_id));
  const std::string id = absl::StrCat("refund/", event.id);
  const bool is_known = ledger_.Find(id).ok();
  if (!is_known) {
    const int64_t taken = std::min(points, balance.available);
    if (taken < 1) return absl::OkStatus();
    const absl::Status held = ledger_
                                  .Reserve({.id = id,
                                            .customer_id = event.customer_id,
                                            .entries = {MakeLedgerEntry(kPointsAccount, taken)},
                                            .expires_ms = now_ms + kAtOnceMs})
                                  .status();
    if (!held.ok()) return UnlessAboutTheRequest(held);
  }
  return UnlessAboutTheRequest(ledger_.Commit(id).status());
}

absl::Status OfferDesk::Settle(std::span<const Event> events, int64_t now_ms) {
  std::shared_ptr<const Current> now;
  for (const Event& event : events) {
    if (event.kind != PURCHASE && event.kind != REFUND) continue;
    if (now == nullptr) now = current();
    for (const std::string& grant : event.grants) {
      RETURN_IF_ERROR(event.kind == PURCHASE ? UseGrant(*now, event, grant, now_ms)
                                             : GiveBackGrant(event, grant));
    }
    const OfferSet& set = now->version->content;
    if (set.__isset.points) RETURN_IF_ERROR(MovePoints(set.points, event, now_ms));
  }
  return absl::OkStatus();
}

void OfferDesk::Watch(std::span<const Event> events, int64_t now_ms) {
  for (const Event& event : events) {
    if (event.kind != PURCHASE) continue;
    for (const std::string& person : PersonsOf(event)) {
      if (!person.empty() && tally_.AddOrder(person, now_ms)) break;
    }
  }
}

}  // namespace vitrine
