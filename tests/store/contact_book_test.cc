#include "store/contact_book.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <map>
#include <thread>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "recommender/offers/contact_policy.h"
#include "store/audit_verify.h"
#include "store/offer_book.h"
#include "store/privacy.h"
#include "tests/testing/byte_scan.h"
#include "tests/testing/raw_store.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using testing::FilesThatHold;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::TempDir;
using testing::Value;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kHour = 3'600'000;
constexpr int64_t kDay = 24 * kHour;

ContactVerdict Judge(const CustomerContacts& facts, const ProposedContact& proposed,
                     int64_t now_ms) {
  return JudgeContact({facts.policy, facts.preference, facts.consents, facts.contacts}, proposed,
                      now_ms);
}

// Marketing goes unless they said no, at most `most` in any `hours` on end.
ContactPolicy Capped(int32_t most, int32_t hours) {
  ContactPolicy policy;
  PurposeRule& rule = policy.purposes.emplace_back();
  rule.purpose = "marketing";
  rule.basis = OPT_OUT;
  FrequencyCap& cap = policy.caps.emplace_back();
  cap.period = CAP_ROLLING;
  cap.most = most;
  cap.hours = hours;
  return policy;
}

PlannedContact Wanted(const std::string& id, const std::string& customer = "ann") {
  PlannedContact plan;
  plan.id = id;
  plan.customer_id = customer;
  plan.channel = EMAIL;
  plan.purpose = "marketing";
  plan.__set_campaign("spring");
  plan.__set_message("buy, " + customer);
  return plan;
}

Event Told(const std::string& id, int64_t time_ms, const std::string& contact,
           ContactProgress progress, Channel channel = EMAIL) {
  Event event;
  event.id = id;
  event.time_ms = time_ms;
  event.kind = CONTACT;
  event.channel = channel;
  event.__set_customer_id("ann");
  ContactNote note;
  note.contact_id = contact;
  note.purpose = "marketing";
  note.progress = progress;
  event.__set_contact(note);
  return event;
}

Event Says(const std::string& id, int64_t time_ms, Channel channel, bool granted) {
  Event event;
  event.id = id;
  event.time_ms = time_ms;
  event.kind = CONSENT;
  event.__set_customer_id("ann");
  Consent consent;
  consent.channel = channel;
  consent.purpose = "marketing";
  consent.granted = granted;
  event.__set_consent(consent);
  return event;
}

class ContactBookTest : public ::testing::Test {
 protected:
  void Tell(std::vector<Event> events) {
    ASSERT_OK(house_->Track(std::move(events), {}, Ack::kApplied).status());
  }
  PlanState Plan(const std::string& id) {
    return Value(book_.Plan(Wanted(id), Judge)).contact.state;
  }
  std::vector<std::string> Due(int64_t until_ms) {
    std::vector<std::string> ids;
    for (const PlannedContact& plan : Value(book_.Due(until_ms, 100))) ids.push_back(plan.id);
    return ids;
  }
  // Whether a contact there would be refused, and why.
  ContactRule RefusedBy(Channel channel, const std::string& purpose = "marketing") {
    ProposedContact proposed;
    proposed.channel = channel;
    proposed.purpose = purpose;
    const ContactVerdict verdict = Judge(Value(book_.FactsFor("ann")), proposed, clock_.NowMs());
    return verdict.outcome == CONTACT_REFUSED ? verdict.rule : NO_RULE;
  }
  void SetPolicy(const ContactPolicy& policy) {
    OfferBook offers(house_.get());
    ASSERT_OK(offers.SetPolicy(policy, Value(offers.Policy()).version, "test", "").status());
  }

  TempDir dir_;
  SimClock clock_{kNow};
  std::unique_ptr<WebHouse> house_ =
      Value(WebHouse::Open({.directory = dir_.File("db"), .clock = &clock_}));
  ContactBook book_{house_.get()};
};

TEST_F(ContactBookTest, WhatIsPlannedTakesItsPlaceAndIsPlannedOnce) {
  SetPolicy(Capped(1, 24));
  EXPECT_EQ(Plan("a"), PLAN_READY);
  const ContactBook::Planned again = Value(book_.Plan(Wanted("a"), Judge));
  EXPECT_EQ(again.contact.state, PLAN_READY);
  EXPECT_FALSE(again.verdict.has_value());
  const ContactBook::Planned second = Value(book_.Plan(Wanted("b"), Judge));
  EXPECT_EQ(second.contact.state, PLAN_HELD);
  EXPECT_EQ(second.contact.time_ms, kNow + kDay);  // has its place there
  EXPECT_EQ(Value(book_.Plan(Wanted("c"), Judge)).contact.time_ms, kNow + 2 * kDay);
  EXPECT_THAT(Due(kNow), ElementsAre("a"));
  EXPECT_THAT(Due(kNow + kDay), ElementsAre("a", "b"));

  EXPECT_EQ(Value(book_.Close("ann", "a", PLAN_SENT)).state, PLAN_SENT);
  EXPECT_EQ(Value(book_.Close("ann", "a", PLAN_SENT)).state, PLAN_SENT);
  EXPECT_THAT(Due(kNow), IsEmpty());
  clock_.Advance(kDay);
  EXPECT_EQ(Plan("b"), PLAN_READY);  // judged again, and not in its own way
  EXPECT_EQ(Plan("a"), PLAN_SENT);
  EXPECT_TRUE(absl::IsFailedPrecondition(book_.Close("ann", "b", PLAN_DROPPED).status()));
  EXPECT_TRUE(absl::IsNotFound(book_.Close("ann", "x", PLAN_SENT).status()));
}

TEST_F(ContactBookTest, WhatWaitsTakesNoPlaceAndMayBeDropped) {
  SetPolicy(Capped(1, 24));
  PlannedContact cart = Wanted("cart");
  cart.time_ms = kNow + kHour;
  EXPECT_TRUE(Value(book_.Wait(cart)));
  EXPECT_FALSE(Value(book_.Wait(cart)));
  EXPECT_THAT(Due(kNow), IsEmpty());
  EXPECT_THAT(Due(kNow + kHour), ElementsAre("cart"));
  EXPECT_EQ(Plan("a"), PLAN_READY);
  EXPECT_EQ(Value(book_.Close("ann", "cart", PLAN_DROPPED)).state, PLAN_DROPPED);
  EXPECT_EQ(Plan("cart"), PLAN_DROPPED);  // of this cause nothing comes any more
  EXPECT_THAT(Due(kNow + kDay), ElementsAre("a"));
}

TEST_F(ContactBookTest, WhoRefusedIsNotContactedAndTheRuleIsKept) {
  EXPECT_EQ(Plan("a"), PLAN_REFUSED);  // a new site asks first
  EXPECT_EQ(Value(book_.PlansOf("ann"))[0].refused_by, NO_CONSENT);
  Tell({Says("yes", kNow - 1, EMAIL, true)});
  EXPECT_EQ(Plan("b"), PLAN_READY);
  Tell({Says("no", kNow, EMAIL, false)});
  EXPECT_EQ(Plan("c"), PLAN_REFUSED);
  EXPECT_THAT(Value(book_.ConsentsOf("ann")), SizeIs(2));
}

TEST_F(ContactBookTest, AReportOnAPlannedContactIsTheSameContact) {
  SetPolicy(Capped(2, 24));
  ASSERT_EQ(Plan("a"), PLAN_READY);
  ASSERT_OK(book_.Close("ann", "a", PLAN_SENT).status());
  Tell({Told("1", kNow + 5, "a", WAS_SENT), Told("2", kNow + 60, "a", WAS_OPENED),
        Told("3", kNow - kHour, "call", WAS_ANSWERED, CALL_CENTER)});
  const std::vector<Contact> contacts = Value(book_.ContactsOf("ann"));
  ASSERT_THAT(contacts, SizeIs(2));
  EXPECT_EQ(contacts[0].id, "a");
  EXPECT_EQ(contacts[0].time_ms, kNow + 5);
  EXPECT_EQ(contacts[0].state, SENT);
  EXPECT_EQ(contacts[1].channel, CALL_CENTER);  // from any channel, it counts under the cap
  EXPECT_EQ(Plan("b"), PLAN_HELD);
  const std::vector<ContactAnswer> answers = Value(book_.FactsFor("ann")).answers;
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_EQ(answers[0].time_ms, kNow + 60);
}

TEST_F(ContactBookTest, WhatFailedFreesItsPlace) {
  SetPolicy(Capped(1, 24));
  ASSERT_EQ(Plan("a"), PLAN_READY);
  ASSERT_OK(book_.Close("ann", "a", PLAN_SENT).status());
  Tell({Told("1", kNow + 5, "a", FAILED_TO_SEND)});
  EXPECT_THAT(Value(book_.ContactsOf("ann")), IsEmpty());
  EXPECT_EQ(Plan("b"), PLAN_READY);
  ASSERT_OK(book_.Close("ann", "b", PLAN_FAILED).status());
  EXPECT_EQ(Plan("c"), PLAN_READY);
}

TEST_F(ContactBookTest, BouncesAndComplaintsCloseTheirChannelUntilSomethingElseIsHeard) {
  ContactPolicy policy = Capped(100, 1);
  PurposeRule& order = policy.purposes.emplace_back();
  order.purpose = "order";
  order.transactional = true;
  SetPolicy(policy);
  Tell({Told("1", kNow - 50, "a", HAS_BOUNCED), Told("2", kNow - 50, "s", WAS_COMPLAINED_OF, SMS)});
  EXPECT_EQ(RefusedBy(EMAIL), DO_NOT_CONTACT);
  EXPECT_EQ(RefusedBy(EMAIL, "order"), DO_NOT_CONTACT);  // it would come back too
  EXPECT_EQ(RefusedBy(SMS), DO_NOT_CONTACT);
  EXPECT_EQ(RefusedBy(SMS, "order"), NO_RULE);
  EXPECT_EQ(RefusedBy(APP), NO_RULE);
  Tell({Told("3", kNow - 40, "b", WAS_DELIVERED), Says("4", kNow - 40, SMS, true)});
  EXPECT_EQ(RefusedBy(EMAIL), NO_RULE);
  EXPECT_EQ(RefusedBy(SMS), NO_RULE);
}

TEST_F(ContactBookTest, PreferencesAreKeptAndTheZoneOfTheFactsFillsIn) {
  EXPECT_EQ(Value(book_.Preference("ann")).customer_id, "ann");
  CustomerFacts facts;
  facts.id = "ann";
  facts.__set_time_zone("Asia/Tehran");
  facts.facts_time_ms = kNow;
  EventBatch batch;
  batch.source = "customers";
  batch.customers = {facts};
  batch.to_lines = 1;
  ASSERT_OK(house_->Commit(batch, Ack::kApplied).status());
  EXPECT_EQ(Value(book_.FactsFor("ann")).preference.time_zone, "Asia/Tehran");
  ContactPreference preference;
  preference.customer_id = "ann";
  preference.channels = {SMS};
  ASSERT_OK(book_.SetPreference(preference));
  EXPECT_EQ(Value(book_.Preference("ann")), preference);
  EXPECT_EQ(Value(book_.FactsFor("ann")).preference.time_zone, "Asia/Tehran");
  preference.__set_time_zone("Europe/Rome");
  ASSERT_OK(book_.SetPreference(preference));
  EXPECT_EQ(Value(book_.FactsFor("ann")).preference.time_zone, "Europe/Rome");
}

TEST_F(ContactBookTest, EndedPlansAreForgottenInTheEnd) {
  SetPolicy(Capped(100, 1));
  ASSERT_EQ(Plan("a"), PLAN_READY);
  ASSERT_OK(book_.Close("ann", "a", PLAN_SENT).status());
  clock_.Advance(kClosedPlanMs);
  ASSERT_EQ(Plan("b"), PLAN_READY);
  EXPECT_THAT(Value(book_.PlansOf("ann")), SizeIs(2));
  clock_.Advance(1);
  ASSERT_EQ(Plan("c"), PLAN_READY);
  EXPECT_THAT(Value(book_.PlansOf("ann")), SizeIs(2));
}

TEST_F(ContactBookTest, IsExportedSealedAndErased) {
  SetPolicy(Capped(1, 24));
  const std::string marked = "MARKERx7Q-customer";
  ContactPreference preference;
  preference.customer_id = marked;
  ASSERT_OK(book_.SetPreference(preference));
  ASSERT_OK(book_.Plan(Wanted("MARKERx7Q-a", marked), Judge).status());
  ASSERT_OK(book_.Plan(Wanted("MARKERx7Q-b", marked), Judge).status());
  ASSERT_OK(book_.Close(marked, "MARKERx7Q-a", PLAN_SENT).status());
  const CustomerLedger all = Value(Privacy(house_.get()).LedgerOf(marked));
  EXPECT_EQ(all.preference, preference);
  EXPECT_THAT(all.contacts, SizeIs(2));

  ASSERT_FALSE(FilesThatHold(dir_.path(), "MARKERx7Q").empty());
  const Erasure receipt = Value(Privacy(house_.get()).Erase({Person::Customer(marked)}))[0];
  EXPECT_EQ(receipt.rows.at("ledger"), 3);
  EXPECT_THAT(FilesThatHold(dir_.path(), "MARKERx7Q"), IsEmpty());
  EXPECT_THAT(Due(kNow + 10 * kDay), IsEmpty());
  EXPECT_TRUE(absl::IsFailedPrecondition(book_.SetPreference(preference)));
  EXPECT_TRUE(absl::IsFailedPrecondition(book_.Plan(Wanted("c", marked), Judge).status()));

  ASSERT_EQ(Plan("d"), PLAN_READY);
  house_.reset();
  const VerifyOptions options = {dir_.File("db"), dir_.File("audit.key"), {}};
  EXPECT_EQ(Value(VerifyAudit(options)).problems_found, 0u);
  {
    testing::RawStore raw(dir_.File("db"));
    for (const auto& [key, row] : raw.All("ledger")) {
      if (key[0] == 'c') raw.Delete("ledger", key);  // as if nothing had been sent
    }
    for (const auto& [key, row] : raw.All("default")) {
      if (key.rfind("contact_policy/", 0) == 0) raw.Delete("default", key);
    }
  }
  EXPECT_EQ(Value(VerifyAudit(options)).problems_found, 2u);
}

// --- Sixty-four at once, and killed in the middle of it ---

constexpr int kThreads = 64;
constexpr int kCustomers = 4;
constexpr int32_t kMost = 3;

std::string CustomerName(int i) { return absl::StrCat("customer ", i); }

void PlanAll(WebHouse* house, int rounds, const std::function<void(const std::string&)>& told) {
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([=, &told] {
      ContactBook book(house);  // each its own: the lock is the store's
      for (int i = 0; i < rounds; ++i) {
        const std::string customer = CustomerName((t + i) % kCustomers);
        const std::string id = absl::StrCat("t", t, "-", i);
        const absl::StatusOr<ContactBook::Planned> planned = book.Plan(Wanted(id, customer), Judge);
        EXPECT_OK(planned.status());
        if (!planned.ok()) return;
        if (planned->contact.state == PLAN_READY) {
          EXPECT_OK(book.Close(customer, id, PLAN_SENT).status());
          told(id);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// How many were sent, over all customers; no span of the cap's holds more than it allows.
size_t ExpectWithinCap(WebHouse* house) {
  size_t sent = 0;
  for (int i = 0; i < kCustomers; ++i) {
    std::vector<int64_t> times;
    for (const PlannedContact& plan : Value(ContactBook(house).PlansOf(CustomerName(i)))) {
      if (plan.state != PLAN_REFUSED) times.push_back(plan.time_ms);
      sent += plan.state == PLAN_SENT ? 1 : 0;
    }
    std::sort(times.begin(), times.end());
    for (size_t j = kMost; j < times.size(); ++j) {
      EXPECT_GE(times[j] - times[j - kMost], 24 * kHour);
    }
  }
  return sent;
}

void SetCap(WebHouse* house) {
  ASSERT_OK(OfferBook(house).SetPolicy(Capped(kMost, 24), 0, "test", "").status());
}

TEST(ContactBookTorture, SixtyFourAtOnceNeverExceedACap) {
  TempDir dir;
  const auto house = Value(WebHouse::Open({.directory = dir.File("db")}));
  SetCap(house.get());
  PlanAll(house.get(), 4, [](const std::string&) {});
  EXPECT_EQ(ExpectWithinCap(house.get()), size_t{kMost * kCustomers});
}

TEST(ContactBookTorture, KilledItKeepsWhatItSaidAndExceedsNothing) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // which runs this test again in a new process
  constexpr char kFolder[] = "VITRINE_TEST_CONTACTS_FOLDER";
  const char* const inherited = std::getenv(kFolder);
  TempDir own;
  const std::string folder = inherited != nullptr ? inherited : own.path();
  if (inherited == nullptr) {
    SetCap(Value(WebHouse::Open({.directory = folder + "/db"})).get());
    ::setenv(kFolder, folder.c_str(), 1);
  }
  EXPECT_EXIT(
      {
        const auto house = Value(WebHouse::Open({.directory = folder + "/db"}));
        const int fd = ::open((folder + "/told").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        std::atomic<int> told = 0;
        PlanAll(house.get(), 4, [&](const std::string& id) {
          const std::string line = id + "\n";
          if (::write(fd, line.data(), line.size()) < 0) ::_exit(1);
          if (++told == 7) ::raise(SIGKILL);
        });
      },
      ::testing::KilledBySignal(SIGKILL), "");
  ::unsetenv(kFolder);

  auto house = Value(WebHouse::Open({.directory = folder + "/db"}));
  std::map<std::string, PlanState> states;
  for (int i = 0; i < kCustomers; ++i) {
    for (const PlannedContact& plan : Value(ContactBook(house.get()).PlansOf(CustomerName(i)))) {
      states[plan.id] = plan.state;
    }
  }
  std::ifstream file(folder + "/told");
  int told = 0;
  for (std::string line; std::getline(file, line); ++told) EXPECT_EQ(states[line], PLAN_SENT);
  EXPECT_GE(told, 7);
  PlanAll(house.get(), 4, [](const std::string&) {});  // the same ids once more
  EXPECT_LE(ExpectWithinCap(house.get()), size_t{kMost * kCustomers});
  house.reset();
  EXPECT_EQ(Value(VerifyAudit({folder + "/db", folder + "/audit.key", {}})).problems_found, 0u);
}

}  // namespace
}  // namespace vitrine
