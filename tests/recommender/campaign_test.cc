#include "recommender/outreach/campaign.h"

#include <fstream>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "store/key_format.h"
#include "store/offer_book.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using testing::TempDir;
using testing::Value;

constexpr int64_t kNow = 1'700'000'000'000;  // 2023-11-14T22:13:20Z
constexpr int64_t kHour = 3'600'000;

// Eight products on a line: whoever likes one likes those beside it.
Model LineModel() {
  ModelParts parts;
  parts.id = "line";
  parts.als.factors = 16;
  parts.factors = FactorMatrix::Zero(8, 16);
  for (int i = 0; i < 8; ++i) {
    parts.products.push_back(absl::StrCat("p", i));
    parts.factors(i, 0) = 1;
    parts.factors(i, 1) = static_cast<float>(i) / 8;
    parts.popularity.push_back(1);
  }
  return Value(MakeModel(std::move(parts)));
}

class CampaignTest : public ::testing::Test {
 protected:
  CampaignTest() {
    ContactPolicy policy;
    PurposeRule& rule = policy.purposes.emplace_back();
    rule.purpose = "marketing";
    rule.basis = OPT_OUT;
    EXPECT_OK(OfferBook(house_.get()).SetPolicy(policy, 0, "test", "").status());
  }
  void Track(Event event, const std::string& customer) {
    event.id = absl::StrCat("e", ++events_);
    event.__set_customer_id(customer);
    ASSERT_OK(house_->Track({event}, {}, Ack::kApplied).status());
  }
  void Buy(const std::string& customer, const std::string& product) {
    Event event;
    event.time_ms = kNow - kHour;
    event.kind = PURCHASE;
    Item item;
    item.product_id = product;
    event.__set_items({item});
    Track(event, customer);
  }
  void Answer(const std::string& customer, Channel channel, int64_t time_ms) {
    Event event;
    event.time_ms = time_ms;
    event.kind = CONTACT;
    event.channel = channel;
    ContactNote note;
    note.contact_id = absl::StrCat("c", events_);
    note.purpose = "news";
    note.progress = WAS_OPENED;
    event.__set_contact(note);
    Track(event, customer);
  }
  CampaignOutcome Send(const std::vector<std::string>& customers) {
    CampaignOptions options;
    options.id = "spring";
    options.k = 3;
    options.threads = 1;
    Campaign campaign(house_.get(), model_, options, &clock_);
    EXPECT_OK(campaign.Prepare());
    Outbox out = Value(Outbox::Open(dir_.File("out.jsonl")));
    CampaignOutcome outcome;
    EXPECT_OK(campaign.Send(customers, &out, &outcome));
    return outcome;
  }
  std::vector<nlohmann::json> Lines() {
    std::vector<nlohmann::json> lines;
    std::ifstream file(dir_.File("out.jsonl"));
    for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }

  TempDir dir_;
  SimClock clock_{kNow};
  std::unique_ptr<WebHouse> house_ =
      Value(WebHouse::Open({.directory = dir_.File("db"), .clock = &clock_}));
  const Model model_ = LineModel();
  int events_ = 0;
};

TEST_F(CampaignTest, EachGetsWhatCanBeBoughtAndWasNotOnceAndAgainNothing) {
  Product gone;
  gone.id = "p7";
  gone.facts_time_ms = kNow;
  gone.__set_in_catalogue(true);
  gone.__set_stock(0);
  ASSERT_OK(house_->UpdateProducts({&gone, 1}, Ack::kApplied).status());
  Buy("ann", "p6");
  Buy("bob", "p5");
  const CampaignOutcome outcome = Send({"ann", "bob", "ann", "nobody"});
  EXPECT_EQ(outcome.customers, 3);
  EXPECT_EQ(outcome.now, 2);
  EXPECT_EQ(outcome.unknown, 1);
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["customer_id"], "ann");
  EXPECT_THAT(lines[0]["products"], ElementsAre("p5", "p4", "p3"));
  EXPECT_THAT(lines[1]["products"], ElementsAre("p6", "p4", "p3"));
  EXPECT_EQ(Send({"ann", "bob"}).before, 2);
  EXPECT_EQ(Lines().size(), 2u);
}

TEST_F(CampaignTest, WhatWasPlannedAndNotWrittenIsWrittenWhenItGoesOn) {
  Buy("ann", "p6");
  ContactBook book(house_.get());
  PlannedContact plan;
  plan.id = absl::StrCat("spring-", absl::BytesToHexString(keys::EventIdKey("ann").substr(8)));
  plan.customer_id = "ann";
  plan.channel = EMAIL;
  plan.purpose = "marketing";
  const auto allow = [](const CustomerContacts&, const ProposedContact&, int64_t) {
    ContactVerdict verdict;
    verdict.outcome = CONTACT_ALLOWED;
    return verdict;
  };
  ASSERT_EQ(Value(book.Plan(plan, allow)).contact.state, PLAN_READY);
  EXPECT_EQ(Send({"ann"}).now, 1);
  ASSERT_EQ(Lines().size(), 1u);
  EXPECT_EQ(Lines()[0]["id"], plan.id);
  EXPECT_EQ(Value(book.PlansOf("ann"))[0].state, PLAN_SENT);
}

TEST_F(CampaignTest, RefusedOnesAreCountedByTheirRule) {
  Buy("ann", "p6");
  ContactPreference preference;
  preference.customer_id = "ann";
  DoNotContact& stop = preference.do_not_contact.emplace_back();
  stop.reason = BY_STAFF;
  stop.time_ms = kNow;
  ASSERT_OK(ContactBook(house_.get()).SetPreference(preference));
  EXPECT_EQ(Send({"ann"}).refused.at("do_not_contact"), 1);
  EXPECT_TRUE(Lines().empty());
}

TEST_F(CampaignTest, TheChannelAndTheHourAreThoseAtWhichTheyAnswer) {
  Buy("ann", "p6");
  for (int day = 1; day <= 3; ++day) Answer("ann", SMS, kNow - 24 * kHour * day - 3 * kHour);
  const CampaignOutcome outcome = Send({"ann"});
  EXPECT_EQ(outcome.later, 1);
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["channel"], "sms");
  // They answered between 19 and 20 o'clock; now it is 22:13.
  EXPECT_EQ(absl::FormatTime("%H:%M", absl::FromUnixMillis(lines[0]["time_ms"].get<int64_t>()),
                             absl::UTCTimeZone()),
            "19:00");
  EXPECT_EQ(Value(ContactBook(house_.get()).PlansOf("ann"))[0].time_ms, lines[0]["time_ms"]);
}

}  // namespace
}  // namespace vitrine
