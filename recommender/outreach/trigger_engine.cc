#include "recommender/outreach/trigger_engine.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "recommender/offers/contact_policy.h"
#include "recommender/outreach/judge.h"
#include "store/base/atomic_file.h"
#include "store/base/status_macros.h"
#include "store/offer_book.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

constexpr int64_t kDayMs = 86'400'000;
// What is due later is found when everybody is looked at again.
constexpr int64_t kHorizonMs = kDayMs + 3'600'000;
constexpr size_t kInterestedMax = 10'000;  // customers of one product
constexpr size_t kDueAtOnce = 1000;
constexpr size_t kStateBytesMax = size_t{1} << 30;
// So that the plans of a campaign are not taken for those of a trigger.
constexpr absl::string_view kCampaignPrefix = "trigger:";

std::string MessageOf(const Trigger& trigger, const Cause& cause) {
  nlohmann::ordered_json message;
  message["kind"] = NameOf(trigger.kind);
  if (!cause.products.empty()) message["products"] = cause.products;
  if (!trigger.texts.empty()) message["texts"] = trigger.texts;
  return message.dump(-1, ' ', false, Json::error_handler_t::replace);
}

PlannedContact PlanOf(const Trigger& trigger, const Cause& cause, const std::string& customer) {
  PlannedContact plan;
  plan.id = cause.id;
  plan.customer_id = customer;
  plan.time_ms = cause.due_ms;
  plan.channel = trigger.channels.front();
  plan.purpose = trigger.purpose;
  plan.__set_campaign(absl::StrCat(kCampaignPrefix, trigger.id));
  plan.__set_message(MessageOf(trigger, cause));
  plan.__set_to_ms(cause.until_ms);
  return plan;
}

bool IsOfProducts(TriggerKind kind) { return kind == BACK_IN_STOCK || kind == PRICE_DROP; }

bool ShowsInterest(EventKind kind) {
  return kind == VIEW_ITEM || kind == ADD_TO_CART || kind == ADD_TO_WISHLIST;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TriggerEngine>> TriggerEngine::Open(WebHouse* house,
                                                                   const std::string& folder,
                                                                   const Clock* clock) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return ErrnoStatus("cannot make", folder, failed.value());
  ASSIGN_OR_RETURN(Outbox outbox, Outbox::Open(folder + "/outbox.jsonl"));
  std::unique_ptr<TriggerEngine> engine(new TriggerEngine(house, folder, clock, std::move(outbox)));
  RETURN_IF_ERROR(engine->LoadProducts());
  return engine;
}

absl::StatusOr<TriggerEngine::Outcome> TriggerEngine::Run() {
  absl::StatusOr<Outcome> outcome = RunOnce();
  if (!outcome.ok()) triggers_version_ = -1;  // everybody is looked at again
  return outcome;
}

absl::StatusOr<TriggerEngine::Outcome> TriggerEngine::RunOnce() {
  now_ms_ = clock_->NowMs();
  ASSIGN_OR_RETURN(const TriggerSetVersion version, OfferBook(house_).Triggers());
  const bool are_new = version.version != triggers_version_;
  triggers_ = version.content;
  triggers_version_ = version.version;
  if (are_new || now_ms_ - looked_at_all_ms_ >= kDayMs) {
    counters_.clear();  // everybody is looked at
    interested_.clear();
    looked_at_all_ms_ = now_ms_;
  }
  Outcome outcome;
  absl::flat_hash_set<std::string> customers;
  const uint64_t written = house_->Version();
  RETURN_IF_ERROR(FindChanged(&customers));
  // Products come after: who is interested in them is seen from what customers did.
  for (const std::string& customer : customers) RETURN_IF_ERROR(Look(customer, &outcome));
  if (written != seen_version_ || !knows_products_) {
    absl::flat_hash_set<std::string> concerned;
    RETURN_IF_ERROR(LookAtProducts(&concerned));
    for (const std::string& customer : concerned) RETURN_IF_ERROR(Look(customer, &outcome));
    RETURN_IF_ERROR(house_->Sync());  // plans, before what they followed from is forgotten
    RETURN_IF_ERROR(SaveProducts());
    knows_products_ = true;
    seen_version_ = written;
  }
  RETURN_IF_ERROR(TakeUpDue(&outcome));
  return outcome;
}

// --- Products ---

absl::Status TriggerEngine::LoadProducts() {
  const absl::StatusOr<std::string> text = ReadFile(folder_ + "/products.json", kStateBytesMax);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  RETURN_IF_ERROR(text.status());
  try {
    const Json state = Json::parse(*text);
    for (const auto& [id, seen] : state.at("products").items()) {
      seen_[id] = {seen.at(0).get<int64_t>(), seen.at(1).get<bool>()};
    }
    for (const Json& read : state.at("changes")) {
      ProductChange change;
      change.product_id = read.at("product").get<std::string>();
      change.back_ms = read.at("back_ms").get<int64_t>();
      change.drop_ms = read.at("drop_ms").get<int64_t>();
      change.price_before_minor = read.at("before").get<int64_t>();
      change.price_minor = read.at("price").get<int64_t>();
      changes_[change.product_id] = change;
    }
  } catch (const Json::exception& e) {
    return absl::DataLossError(absl::StrCat(folder_, "/products.json is damaged: ", e.what(),
                                            "; without it, price and stock begin anew"));
  }
  knows_products_ = true;
  return absl::OkStatus();
}

absl::Status TriggerEngine::SaveProducts() const {
  Json state;
  state["products"] = Json::object();
  for (const auto& [id, seen] : seen_) state["products"][id] = {seen.price_minor, seen.in_stock};
  state["changes"] = Json::array();
  for (const auto& [id, change] : changes_) {
    state["changes"].push_back({{"product", id},
                                {"back_ms", change.back_ms},
                                {"drop_ms", change.drop_ms},
                                {"before", change.price_before_minor},
                                {"price", change.price_minor}});
  }
  return WriteFileAtomically(folder_ + "/products.json", state.dump());
}

absl::Status TriggerEngine::LookAtProducts(absl::flat_hash_set<std::string>* customers) {
  int64_t valid_hours = 0;
  for (const Trigger& trigger : triggers_.triggers) {
    if (IsOfProducts(trigger.kind))
      valid_hours = std::max<int64_t>(valid_hours, trigger.valid_hours);
  }
  std::erase_if(changes_, [&](const auto& entry) {
    return std::max(entry.second.back_ms, entry.second.drop_ms) + valid_hours * 3'600'000 <=
           now_ms_;
  });
  ProductCursor at = house_->Products();
  for (; at.Valid(); at.Next()) {
    if (at.value().in_catalogue) NoteProduct(at.value(), customers);
  }
  return at.Finish();
}

void TriggerEngine::NoteProduct(const Product& product,
                                absl::flat_hash_set<std::string>* customers) {
  Seen now;
  now.price_minor = product.price_minor;
  now.in_stock = !product.withdrawn && !(product.__isset.stock && product.stock == 0);
  const auto [at, is_new] = seen_.try_emplace(product.id, now);
  const Seen before = std::exchange(at->second, now);
  // What is sold out, or costs what it did, is no news any more.
  const auto known = changes_.find(product.id);
  if (known != changes_.end()) {
    ProductChange& change = known->second;
    if (!now.in_stock) change.back_ms = change.drop_ms = 0;
    if (now.price_minor > change.price_minor) change.drop_ms = 0;
    if (change.back_ms == 0 && change.drop_ms == 0) changes_.erase(known);
  }
  if (is_new || !knows_products_) return;
  const bool is_back = now.in_stock && !before.in_stock;
  const bool is_cheaper = now.in_stock && now.price_minor < before.price_minor;
  if (!is_back && !is_cheaper) return;
  ProductChange& change = changes_[product.id];
  change.product_id = product.id;
  // Times of the catalogue: the same, if this is seen again after a crash.
  if (is_back) change.back_ms = product.facts_time_ms;
  if (is_cheaper) {
    change.drop_ms = product.facts_time_ms;
    change.price_before_minor = before.price_minor;
    change.price_minor = now.price_minor;
  }
  const auto interested = interested_.find(product.id);
  if (interested == interested_.end()) return;
  customers->insert(interested->second.begin(), interested->second.end());
}

// --- Customers ---

absl::Status TriggerEngine::FindChanged(absl::flat_hash_set<std::string>* customers) {
  CustomerCursor at = house_->Customers();
  for (; at.Valid(); at.Next()) {
    const Customer& customer = at.value();
    const Counters now = {customer.events, customer.last_seen_ms};
    const auto [known, is_new] = counters_.try_emplace(customer.id, now);
    if (!is_new && known->second == now) continue;
    known->second = now;
    customers->insert(customer.id);
  }
  return at.Finish();
}

absl::StatusOr<TriggerFacts> TriggerEngine::ReadFacts(const std::string& customer,
                                                      std::vector<Event>* events,
                                                      std::vector<ProductChange>* changes) const {
  TriggerFacts facts;
  facts.customer_id = customer;
  facts.now_ms = now_ms_;
  ASSIGN_OR_RETURN(*events, house_->ResolvedHistory(Person::Customer(customer), SIZE_MAX));
  facts.events = *events;
  const absl::StatusOr<CustomerFacts> known = house_->GetCustomerFacts(customer);
  if (known.ok()) {
    facts.time_zone = known->time_zone;
    const auto birthday = known->attributes.find("birthday");
    if (birthday != known->attributes.end()) facts.birthday = birthday->second;
  } else if (!absl::IsNotFound(known.status())) {
    return known.status();
  }
  absl::flat_hash_set<std::string> taken;
  for (const Event& event : *events) {
    if (!ShowsInterest(event.kind)) continue;
    for (const Item& item : event.items) {
      const auto change = changes_.find(item.product_id);
      if (change == changes_.end() || !taken.insert(item.product_id).second) continue;
      changes->push_back(change->second);
    }
  }
  facts.changes = *changes;
  return facts;
}

void TriggerEngine::NoteInterest(const std::string& customer, const std::vector<Event>& events) {
  int64_t days = 0;
  for (const Trigger& trigger : triggers_.triggers) {
    if (IsOfProducts(trigger.kind)) days = std::max<int64_t>(days, trigger.interest_days);
  }
  for (const Event& event : events) {
    if (event.time_ms < now_ms_ - days * kDayMs) return;
    if (!ShowsInterest(event.kind)) continue;
    for (const Item& item : event.items) {
      absl::flat_hash_set<std::string>& interested = interested_[item.product_id];
      if (interested.size() < kInterestedMax) interested.insert(customer);
    }
  }
}

absl::Status TriggerEngine::Look(const std::string& customer, Outcome* outcome) {
  ++outcome->looked;
  std::vector<Event> events;
  std::vector<ProductChange> changes;
  ASSIGN_OR_RETURN(const TriggerFacts facts, ReadFacts(customer, &events, &changes));
  NoteInterest(customer, events);
  for (const Trigger& trigger : triggers_.triggers) {
    for (const Cause& cause : CausesOf(trigger, facts)) {
      if (cause.due_ms > now_ms_ + kHorizonMs) continue;
      const absl::StatusOr<bool> is_new = book_.Wait(PlanOf(trigger, cause, customer));
      if (absl::IsFailedPrecondition(is_new.status())) return absl::OkStatus();  // was erased
      RETURN_IF_ERROR(is_new.status());
      outcome->waiting += *is_new ? 1 : 0;
    }
  }
  return absl::OkStatus();
}

// --- What is due ---

absl::Status TriggerEngine::TakeUp(const PlannedContact& plan, Outcome* outcome) {
  const absl::string_view id = absl::StripPrefix(plan.campaign, kCampaignPrefix);
  const auto trigger = std::find_if(triggers_.triggers.begin(), triggers_.triggers.end(),
                                    [id](const Trigger& known) { return known.id == id; });
  std::optional<Cause> cause;
  if (trigger != triggers_.triggers.end()) {
    std::vector<Event> events;
    std::vector<ProductChange> changes;
    ASSIGN_OR_RETURN(const TriggerFacts facts, ReadFacts(plan.customer_id, &events, &changes));
    for (Cause& found : CausesOf(*trigger, facts)) {
      if (found.id == plan.id) cause = std::move(found);
    }
  }
  if (!cause.has_value()) {
    ++outcome->dropped;
    return book_.Close(plan.customer_id, plan.id, PLAN_DROPPED).status();
  }
  PlannedContact wanted = PlanOf(*trigger, *cause, plan.customer_id);
  ASSIGN_OR_RETURN(const CustomerContacts facts, book_.FactsFor(plan.customer_id));
  ProposedContact proposed;
  proposed.purpose = wanted.purpose;
  proposed.__set_to_ms(wanted.to_ms);
  wanted.channel = ChooseChannel(facts, trigger->channels, proposed, now_ms_).channel;
  ASSIGN_OR_RETURN(const ContactBook::Planned planned, book_.Plan(wanted, JudgeByPolicy));
  if (planned.contact.state == PLAN_HELD) ++outcome->held;
  if (planned.contact.state == PLAN_REFUSED) {
    ++outcome->refused[std::string(NameOf(planned.contact.refused_by))];
  }
  return absl::OkStatus();
}

absl::Status TriggerEngine::TakeUpDue(Outcome* outcome) {
  // Twice: what may go is ready only after it was judged.
  for (const bool judges : {true, false}) {
    std::vector<PlannedContact> ready;
    ASSIGN_OR_RETURN(const std::vector<PlannedContact> due, book_.Due(now_ms_, kDueAtOnce));
    for (const PlannedContact& plan : due) {
      if (!absl::StartsWith(plan.campaign, kCampaignPrefix)) continue;
      if (plan.state == PLAN_READY) {
        ready.push_back(plan);
      } else if (judges) {
        const absl::Status taken = TakeUp(plan, outcome);
        // Erased, or settled by somebody else, since it was read.
        if (!absl::IsFailedPrecondition(taken) && !absl::IsNotFound(taken)) RETURN_IF_ERROR(taken);
      }
    }
    if (!judges) RETURN_IF_ERROR(Send(ready, outcome));
  }
  return absl::OkStatus();
}

absl::Status TriggerEngine::Send(const std::vector<PlannedContact>& ready, Outcome* outcome) {
  if (ready.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(house_->Sync());
  for (const PlannedContact& plan : ready) {
    absl::StatusOr<CustomerFacts> facts = house_->GetCustomerFacts(plan.customer_id);
    if (absl::IsNotFound(facts.status())) facts = CustomerFacts();
    RETURN_IF_ERROR(facts.status());
    RETURN_IF_ERROR(outbox_.Append(plan.id, OutboxLine(plan, *facts)));
  }
  RETURN_IF_ERROR(outbox_.Sync());
  for (const PlannedContact& plan : ready) {
    const absl::Status closed = book_.Close(plan.customer_id, plan.id, PLAN_SENT).status();
    if (!absl::IsNotFound(closed)) RETURN_IF_ERROR(closed);
    ++outcome->sent;
  }
  return absl::OkStatus();
}

}  // namespace vitrine
