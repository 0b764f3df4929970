// Keys of a customer's preference and planned contacts, in the table `ledger`. DO NOT CHANGE ANY OF
// THEM: they are what is on disk. Internal to store.
//
// owner | 'p' |                                           ContactPreference
// owner | 'c' | id of a plan as in 'i' (24) |             PlannedContact
// 'q' | time_ms (8) | hash of customer and id (16) |      key of a PlannedContact: one that is open
//
// An owner is a customer, as key_format.h draws it. The queue follows from the plans, and is not
// under the audit chain.

#ifndef VITRINE_STORE_CONTACT_KEYS_H_
#define VITRINE_STORE_CONTACT_KEYS_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "store/key_format.h"
#include "store/offers_types.h"

namespace vitrine::keys {

inline constexpr char kPreference = 'p';
inline constexpr char kPlan = 'c';
inline constexpr char kPlanQueue = 'q';

inline std::string PreferenceKey(absl::string_view customer) {
  return LedgerOwnerPrefix(customer) + kPreference;
}

inline std::string PlanPrefix(absl::string_view customer) {
  return LedgerOwnerPrefix(customer) + kPlan;
}

inline std::string PlanKey(absl::string_view customer, absl::string_view id) {
  return PlanPrefix(customer) + EventIdKey(id);
}

// Plans of one id are of one customer each: the hash is of both.
inline std::string PlanQueueKey(int64_t time_ms, const PlannedContact& plan) {
  std::string key(1, kPlanQueue);
  AppendBigEndian(&key, static_cast<uint64_t>(time_ms));
  const std::string both = absl::StrCat(plan.customer_id, absl::string_view("\0", 1), plan.id);
  return key + EventIdKey(both).substr(8);
}

}  // namespace vitrine::keys

#endif  // VITRINE_STORE_CONTACT_KEYS_H_
