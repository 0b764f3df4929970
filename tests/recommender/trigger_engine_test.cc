#include "recommender/outreach/trigger_engine.h"

#include <algorithm>
#include <fstream>
#include <gmock/gmock.h>
#include <iterator>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

#include "store/offer_book.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::TempDir;
using testing::Value;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

Trigger Made(const std::string& id, TriggerKind kind) {
  Trigger trigger;
  trigger.id = id;
  trigger.kind = kind;
  trigger.channels = {SMS, EMAIL};
  trigger.texts["en"] = "hello";
  trigger.texts["de"] = "hallo";
  return trigger;
}

class TriggerEngineTest : public ::testing::Test {
 protected:
  TriggerEngineTest() {
    ContactPolicy policy;
    PurposeRule& rule = policy.purposes.emplace_back();
    rule.purpose = "marketing";
    rule.basis = OPT_OUT;
    EXPECT_OK(OfferBook(house_.get()).SetPolicy(policy, 0, "test", "").status());
  }

  void SetTriggers(std::vector<Trigger> triggers) {
    TriggerSet set;
    set.triggers = std::move(triggers);
    OfferBook book(house_.get());
    ASSERT_OK(book.SetTriggers(set, Value(book.Triggers()).version, "test", "").status());
  }
  void Did(EventKind kind, const std::string& product, const std::string& customer = "ann") {
    Event event;
    event.id = absl::StrCat("e", ++events_);
    event.time_ms = clock_.NowMs();
    event.kind = kind;
    event.__set_customer_id(customer);
    Item item;
    item.product_id = product;
    event.__set_items({item});
    ASSERT_OK(house_->Track({event}, {}, Ack::kApplied).status());
    Derived derived;  // the counters, as the server derives them
    derived.person = Person::Customer(customer);
    derived.mark = Value(house_->MarkOf(derived.person));
    derived.customer.emplace();
    derived.customer->id = customer;
    derived.customer->events = events_;
    derived.customer->last_seen_ms = event.time_ms;
    ASSERT_OK(house_->ReplaceDerived({&derived, 1}));
  }
  void SetProduct(int32_t stock, int64_t price) {
    Product product;
    product.id = "a";
    product.facts_time_ms = clock_.NowMs();
    product.__set_in_catalogue(true);
    product.__set_stock(stock);
    product.__set_price_minor(price);
    product.__set_currency("EUR");
    ASSERT_OK(house_->UpdateProducts({&product, 1}, Ack::kApplied).status());
  }
  void Start() {
    engine_.reset();
    engine_ = Value(TriggerEngine::Open(house_.get(), folder_, &clock_));
  }
  TriggerEngine::Outcome Run() {
    if (engine_ == nullptr) Start();
    return Value(engine_->Run());
  }
  std::vector<nlohmann::json> Lines() {
    std::vector<nlohmann::json> lines;
    std::ifstream file(folder_ + "/outbox.jsonl");
    for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }

  TempDir dir_;
  SimClock clock_{kNow};
  std::unique_ptr<WebHouse> house_ =
      Value(WebHouse::Open({.directory = dir_.File("db"), .clock = &clock_}));
  const std::string folder_ = dir_.File("outreach");
  std::unique_ptr<TriggerEngine> engine_;
  int32_t events_ = 0;
};

TEST_F(TriggerEngineTest, ACartThatIsLeftIsSpokenOfOnceInTime) {
  SetTriggers({Made("cart", CART_ABANDONED)});
  Did(ADD_TO_CART, "a");
  EXPECT_EQ(Run().waiting, 1);
  clock_.Advance(kHour - 1);
  EXPECT_EQ(Run().sent, 0);
  clock_.Advance(1);
  EXPECT_EQ(Run().sent, 1);
  EXPECT_EQ(Run().sent, 0);
  Start();  // and whoever starts again does not either
  EXPECT_EQ(Run().sent, 0);
  const auto lines = Lines();
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0]["customer_id"], "ann");
  EXPECT_EQ(lines[0]["channel"], "sms");
  EXPECT_EQ(lines[0]["campaign"], "trigger:cart");
  EXPECT_EQ(lines[0]["kind"], "cart_abandoned");
  EXPECT_EQ(lines[0]["text"], "hello");
  EXPECT_THAT(lines[0]["products"], ElementsAre("a"));
}

TEST_F(TriggerEngineTest, WhoOrdersInTimeHearsNothing) {
  SetTriggers({Made("cart", CART_ABANDONED)});
  Did(ADD_TO_CART, "a");
  Run();
  clock_.Advance(10 * kMinute);
  Did(PURCHASE, "a");
  clock_.Advance(kHour);
  EXPECT_EQ(Run().dropped, 1);
  EXPECT_THAT(Lines(), IsEmpty());
}

TEST_F(TriggerEngineTest, ThePolicyHoldsAndRefuses) {
  ContactPolicy policy;
  PurposeRule& rule = policy.purposes.emplace_back();
  rule.purpose = "marketing";
  rule.basis = OPT_OUT;
  FrequencyCap& cap = policy.caps.emplace_back();
  cap.period = CAP_ROLLING;
  cap.most = 1;
  cap.hours = 24;
  ASSERT_OK(OfferBook(house_.get()).SetPolicy(policy, 1, "test", "").status());
  Trigger first = Made("first", FIRST_ORDER);
  first.delay_minutes = 0;
  Trigger welcome = first;
  welcome.id = "welcome";
  Trigger news = first;
  news.id = "news";
  news.purpose = "news";  // nobody said yes to that
  SetTriggers({first, welcome, news});
  Did(PURCHASE, "a");
  const TriggerEngine::Outcome outcome = Run();
  EXPECT_EQ(outcome.sent, 1);
  EXPECT_EQ(outcome.held, 1);
  EXPECT_EQ(outcome.refused.at("no_consent"), 1);
  clock_.Advance(kDay - 1);
  EXPECT_EQ(Run().sent, 0);
  clock_.Advance(1);
  EXPECT_EQ(Run().sent, 1);
  EXPECT_THAT(Lines(), SizeIs(2));
}

TEST_F(TriggerEngineTest, WhatIsBackAndCheaperIsToldToWhoWantedItAlsoAcrossAStop) {
  Trigger drop = Made("drop", PRICE_DROP);
  SetTriggers({Made("back", BACK_IN_STOCK), drop});
  SetProduct(0, 1000);
  Did(VIEW_ITEM, "a");
  Did(VIEW_ITEM, "b", "bob");
  EXPECT_EQ(Run().sent, 0);  // what is seen for the first time is no news
  clock_.Advance(kMinute);
  SetProduct(5, 1000);
  EXPECT_EQ(Run().sent, 1);
  EXPECT_EQ(Lines()[0]["kind"], "back_in_stock");
  engine_.reset();  // while nobody looks
  clock_.Advance(kMinute);
  SetProduct(5, 900);
  EXPECT_EQ(Run().sent, 1);
  const auto lines = Lines();
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[1]["kind"], "price_drop");
  EXPECT_EQ(lines[1]["customer_id"], "ann");
  Start();
  EXPECT_EQ(Run().sent, 0);
}

TEST_F(TriggerEngineTest, WhatWasKilledBetweenItsStepsIsFinishedOnce) {
  Trigger first = Made("first", FIRST_ORDER);
  first.delay_minutes = 0;
  SetTriggers({first});
  Did(PURCHASE, "a");
  ASSERT_EQ(Run().sent, 1);
  engine_.reset();
  // As if it had been killed before the line, and then in the middle of it.
  ContactBook book(house_.get());
  PlannedContact plan = Value(book.PlansOf("ann"))[0];
  EXPECT_EQ(plan.state, PLAN_SENT);
  plan.id = "first-x";
  const auto ready = [](const CustomerContacts&, const ProposedContact&, int64_t) {
    ContactVerdict verdict;
    verdict.outcome = CONTACT_ALLOWED;
    return verdict;
  };
  ASSERT_EQ(Value(book.Plan(plan, ready)).contact.state, PLAN_READY);
  { std::ofstream(folder_ + "/outbox.jsonl", std::ios::app) << R"({"id":"first-x","time)"; }
  EXPECT_EQ(Run().sent, 1);
  ASSERT_THAT(Lines(), SizeIs(2));
  EXPECT_EQ(Lines()[1]["id"], "first-x");
  // And after the line, before it was marked as sent.
  plan.id = "first-y";
  ASSERT_EQ(Value(book.Plan(plan, ready)).contact.state, PLAN_READY);
  engine_.reset();
  {
    std::ofstream(folder_ + "/outbox.jsonl", std::ios::app)
        << R"({"id":"first-y","customer_id":"ann"})"
        << "\n";
  }
  Run();
  EXPECT_THAT(Lines(), SizeIs(3));
  for (const PlannedContact& made : Value(book.PlansOf("ann"))) {
    EXPECT_EQ(made.state, PLAN_SENT) << made.id;
  }
}

TEST(Outbox, WhoIsErasedLeavesBlanksAndTheOthersStayWhereTheyAre) {
  TempDir dir;
  const std::string path = dir.File("outbox.jsonl");
  EXPECT_OK(EraseFromOutbox(path, std::vector<std::string>{"ann"}));
  Outbox outbox = Value(Outbox::Open(path));
  CustomerFacts facts;
  facts.__set_email("someone@example.com");
  std::string lines;
  for (const char* const customer : {"ann", "bob", "ann", "eve"}) {
    PlannedContact plan;
    plan.id = absl::StrCat("p", lines.size());
    plan.customer_id = customer;
    plan.channel = EMAIL;
    plan.purpose = "marketing";
    const std::string line = OutboxLine(plan, facts);
    ASSERT_OK(outbox.Append(plan.id, line));
    ASSERT_OK(outbox.Append(plan.id, line));  // once
    lines += line;
  }
  ASSERT_OK(outbox.Sync());
  const auto read = [&path] {
    std::ifstream file(path);
    return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  };
  ASSERT_EQ(read(), lines);
  ASSERT_OK(EraseFromOutbox(path, std::vector<std::string>{"ann", "eve"}));
  const std::string left = read();
  ASSERT_EQ(left.size(), lines.size());
  EXPECT_EQ(left.find("\"ann\""), std::string::npos);
  EXPECT_EQ(left.find("\"eve\""), std::string::npos);
  EXPECT_EQ(left.find("\"bob\""), lines.find("\"bob\""));
  EXPECT_EQ(std::count(left.begin(), left.end(), '@'), 1);
  EXPECT_EQ(left.substr(0, 3), "{} ");
}

}  // namespace
}  // namespace vitrine
