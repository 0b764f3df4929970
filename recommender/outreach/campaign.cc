#include "recommender/outreach/campaign.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "recommender/model/parallel.h"
#include "recommender/offers/contact_policy.h"
#include "recommender/outreach/judge.h"
#include "recommender/rank/fold_in.h"
#include "recommender/rank/retrieval.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine {
namespace {

constexpr int kAnswersOfAnHourMin = 3;

bool CanBeBought(const Product& product, int64_t now_ms) {
  return !product.withdrawn && !(product.__isset.stock && product.stock == 0) &&
         !(product.__isset.available_from_ms && product.available_from_ms > now_ms) &&
         !(product.__isset.available_to_ms && product.available_to_ms <= now_ms);
}

void ForEachIndex(size_t count, uint32_t threads, const std::function<void(size_t)>& work) {
  Chunks chunks(count, 16);
  RunOnThreads(threads, [&] {
    while (const auto chunk = chunks.Next()) {
      for (size_t i = chunk->begin; i < chunk->end; ++i) work(i);
    }
  });
}

}  // namespace

struct Campaign::Member {
  std::string customer;
  Eigen::VectorXf taste;
  std::vector<uint32_t> excluded;  // ascending
};

std::vector<Channel> ChannelOrder(const CustomerContacts& facts,
                                  const std::vector<Channel>& channels) {
  std::map<Channel, int> answers;
  for (const ContactAnswer& answer : facts.answers) ++answers[answer.channel];
  const std::vector<Channel>& chosen = facts.preference.channels;
  // What they chose comes first, in their order; then by their answers.
  const auto rank = [&](Channel channel) {
    const auto at = std::find(chosen.begin(), chosen.end(), channel);
    const auto answered = answers.find(channel);
    return std::make_pair(at - chosen.begin(), answered == answers.end() ? 0 : -answered->second);
  };
  std::vector<Channel> order = channels;
  std::stable_sort(order.begin(), order.end(),
                   [&](Channel a, Channel b) { return rank(a) < rank(b); });
  return order;
}

std::optional<int64_t> BestHour(const CustomerContacts& facts, Channel channel,
                                const std::string& zone, int64_t now_ms) {
  absl::TimeZone local = absl::UTCTimeZone();
  if (!zone.empty()) absl::LoadTimeZone(zone, &local);
  std::array<int, 24> answers = {};
  for (const ContactAnswer& answer : facts.answers) {
    if (answer.channel != channel) continue;
    ++answers[static_cast<size_t>(local.At(absl::FromUnixMillis(answer.time_ms)).cs.hour())];
  }
  const auto most = std::max_element(answers.begin(), answers.end());
  if (*most < kAnswersOfAnHourMin) return std::nullopt;
  const auto hour = most - answers.begin();
  const absl::CivilSecond now = local.At(absl::FromUnixMillis(now_ms)).cs;
  if (now.hour() == hour) return now_ms;
  absl::CivilHour at = absl::CivilHour(absl::CivilDay(now)) + hour;
  if (hour < now.hour()) at = absl::CivilHour(absl::CivilDay(now) + 1) + hour;
  return absl::ToUnixMillis(absl::FromCivil(at, local));
}

absl::Status Campaign::Prepare() {
  const int64_t now_ms = clock_->NowMs();
  ProductCursor at = house_->Products();
  for (; at.Valid(); at.Next()) {
    if (CanBeBought(at.value(), now_ms)) continue;
    const std::optional<uint32_t> product = model_.Find(at.value().id);
    if (product.has_value()) unavailable_.push_back(*product);
  }
  std::sort(unavailable_.begin(), unavailable_.end());
  return at.Finish();
}

absl::Status Campaign::ReadMember(const std::string& customer, Member* member) const {
  ProfileBuilder builder(model_);
  std::vector<uint32_t> bought;
  RETURN_IF_ERROR(house_->ForEachOf(Person::Customer(customer), SIZE_MAX, [&](const Event& event) {
    builder.Add(event);
    if (event.kind != PURCHASE || !options_.exclude_bought) return;
    for (const Item& item : event.items) {
      const std::optional<uint32_t> product = model_.Find(item.product_id);
      if (product.has_value()) bought.push_back(*product);
    }
  }));
  Profile profile = std::move(builder).Build();
  if (profile.cells.empty()) return absl::OkStatus();
  member->taste = std::move(profile.taste);
  std::sort(bought.begin(), bought.end());
  bought.erase(std::unique(bought.begin(), bought.end()), bought.end());
  std::set_union(bought.begin(), bought.end(), unavailable_.begin(), unavailable_.end(),
                 std::back_inserter(member->excluded));
  return absl::OkStatus();
}

PlannedContact Campaign::PlanFor(const Member& member, const std::vector<Scored>& list) const {
  const std::string who = keys::EventIdKey(member.customer).substr(8);
  PlannedContact plan;
  plan.id = absl::StrCat(options_.id, "-", absl::BytesToHexString(who));
  plan.customer_id = member.customer;
  plan.purpose = options_.purpose;
  plan.__set_campaign(options_.id);
  nlohmann::ordered_json message;
  message["products"] = nlohmann::json::array();
  for (const Scored& scored : list) {
    message["products"].push_back(std::string(model_.products[scored.product]));
  }
  if (!options_.text.empty()) message["text"] = options_.text;
  plan.__set_message(message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return plan;
}

ContactVerdict Campaign::Choose(const CustomerContacts& facts, int64_t now_ms,
                                PlannedContact* plan) const {
  ProposedContact proposed;
  proposed.purpose = options_.purpose;
  ChannelChoice choice =
      ChooseChannel(facts, ChannelOrder(facts, options_.channels), proposed, now_ms);
  plan->channel = choice.channel;
  if (choice.verdict.outcome == CONTACT_REFUSED) return choice.verdict;
  const std::optional<int64_t> from_ms =
      BestHour(facts, plan->channel, choice.verdict.time_zone, now_ms);
  if (!from_ms.has_value() || *from_ms <= now_ms) return choice.verdict;
  proposed.channel = plan->channel;
  proposed.__set_from_ms(*from_ms);
  ContactVerdict then = JudgeByPolicy(facts, proposed, now_ms);
  // Where the best hour is one at which nobody is contacted, any that is allowed will do.
  if (then.outcome == CONTACT_REFUSED) return choice.verdict;
  plan->__set_from_ms(*from_ms);
  return then;
}

absl::StatusOr<std::vector<Campaign::Member>> Campaign::ReadMembers(
    std::span<const std::string> customers, CampaignOutcome* outcome) const {
  absl::flat_hash_set<std::string> named;
  std::vector<Member> all;
  for (const std::string& customer : customers) {
    if (named.insert(customer).second) all.emplace_back().customer = customer;
  }
  outcome->customers += static_cast<int64_t>(all.size());
  std::vector<absl::Status> read(all.size());
  ForEachIndex(all.size(), options_.threads,
               [&](size_t i) { read[i] = ReadMember(all[i].customer, &all[i]); });
  for (const absl::Status& status : read) RETURN_IF_ERROR(status);
  const size_t unknown =
      std::erase_if(all, [](const Member& member) { return member.taste.size() == 0; });
  outcome->unknown += static_cast<int64_t>(unknown);
  return all;
}

absl::Status Campaign::Send(std::span<const std::string> customers, Outbox* out,
                            CampaignOutcome* outcome) {
  ASSIGN_OR_RETURN(const std::vector<Member> members, ReadMembers(customers, outcome));
  if (members.empty()) return absl::OkStatus();
  FactorMatrix tastes(static_cast<Eigen::Index>(members.size()), model_.factors.cols());
  for (size_t i = 0; i < members.size(); ++i) {
    tastes.row(static_cast<Eigen::Index>(i)) = members[i].taste.transpose();
  }
  const auto lists = TopProductsForAll(
      model_.quantized, model_.factors, tastes,
      [&members](size_t row) { return std::span<const uint32_t>(members[row].excluded); },
      options_.k, options_.threads);
  std::vector<absl::StatusOr<ContactBook::Planned>> made(members.size());
  ForEachIndex(members.size(), options_.threads, [&](size_t i) {
    if (lists[i].empty()) return;  // stays as it is: unknown
    made[i] = book_.PlanBest(PlanFor(members[i], lists[i]),
                             [this](const CustomerContacts& facts, int64_t now_ms,
                                    PlannedContact* plan) { return Choose(facts, now_ms, plan); });
  });
  std::vector<PlannedContact> planned;
  for (size_t i = 0; i < members.size(); ++i) {
    if (lists[i].empty()) {
      ++outcome->unknown;
      continue;
    }
    RETURN_IF_ERROR(made[i].status());
    PlannedContact& contact = made[i]->contact;
    if (contact.state == PLAN_READY || contact.state == PLAN_HELD) {
      planned.push_back(std::move(contact));
    } else if (contact.state == PLAN_REFUSED) {
      ++outcome->refused[std::string(NameOf(contact.refused_by))];
    } else {
      ++outcome->before;
    }
  }
  return Write(planned, out, outcome);
}

absl::Status Campaign::Write(const std::vector<PlannedContact>& planned, Outbox* out,
                             CampaignOutcome* outcome) {
  RETURN_IF_ERROR(house_->Sync());
  for (const PlannedContact& plan : planned) {
    absl::StatusOr<CustomerFacts> facts = house_->GetCustomerFacts(plan.customer_id);
    if (absl::IsNotFound(facts.status())) facts = CustomerFacts();
    RETURN_IF_ERROR(facts.status());
    RETURN_IF_ERROR(out->Append(plan.id, OutboxLine(plan, *facts)));
  }
  RETURN_IF_ERROR(out->Sync());
  RETURN_IF_ERROR(book_.CloseAll(planned, PLAN_SENT));
  for (const PlannedContact& plan : planned) {
    ++(plan.state == PLAN_HELD ? outcome->later : outcome->now);
    ++outcome->channels[std::string(ChannelName(plan.channel))];
  }
  return absl::OkStatus();
}

}  // namespace vitrine
