#include "store/privacy.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "store/audit_verify.h"
#include "store/backup.h"
#include "tests/testing/byte_scan.h"
#include "tests/testing/process.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using testing::FilesThatHold;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeEvent;
using testing::TempDir;
using testing::Value;

// In every field of one customer.
constexpr char kMarker[] = "MARKERx7Q";
const std::string kCustomer = absl::StrCat(kMarker, "-customer");
const std::string kDevice = absl::StrCat(kMarker, "-device");
constexpr int64_t kDay = 1'300'000'000'000;
constexpr int64_t kDayMs = 86'400'000;

// Fills every text that an event has, but the products: those are the shop's.
Event Marked(const std::string& id, const std::string& customer, const std::string& visitor,
             int64_t time_ms) {
  const auto text = [](absl::string_view field) { return absl::StrCat(kMarker, "-", field); };
  Event event;
  event.id = text(id);
  event.time_ms = time_ms;
  event.kind = EventKind::PURCHASE;
  if (!customer.empty()) event.__set_customer_id(customer);
  if (!visitor.empty()) event.__set_visitor_id(visitor);
  Item item;
  item.product_id = "p1";
  event.__set_items({item});
  event.__set_order_id(text("order"));
  event.__set_search_terms(text("terms"));
  event.__set_url(absl::StrCat("https://shop.example/", kMarker));
  event.__set_referrer(absl::StrCat("https://other.example/", kMarker));
  event.__set_country(text("land"));
  event.__set_user_agent(text("browser"));
  event.__set_ip(text("ip"));
  Consent consent;
  consent.channel = Channel::EMAIL;
  consent.purpose = text("purpose");
  consent.__set_source(text("source"));
  event.__set_consent(consent);
  return event;
}

std::vector<std::string> IdsOf(const WebHouse& house, const Person& person) {
  std::vector<std::string> ids;
  for (const Event& e : Value(house.ResolvedHistory(person, 100))) ids.push_back(e.id);
  return ids;
}

EventBatch FileOf(std::vector<Event> events, const SourceState& from) {
  EventBatch batch;
  batch.source = from.name;
  batch.from_bytes = from.bytes;
  batch.from_lines = from.lines;
  batch.to_lines = from.lines + static_cast<int64_t>(events.size());
  batch.to_bytes = from.bytes + 100 * static_cast<int64_t>(events.size());
  batch.events = std::move(events);
  return batch;
}

std::vector<Event> MarkedEvents() {
  const Event login = Marked("login", kCustomer, kDevice, kDay + 1);
  Event twice = login;
  twice.__set_search_terms(absl::StrCat(kMarker, "-other terms"));
  return {Marked("own", kCustomer, "", kDay), login, twice, Marked("before", "", kDevice, kDay - 5),
          // A device that bob uses too: one anonymous event is the customer's, one is bob's.
          Marked("at bob's", kCustomer, "bob's", kDay + 10),
          Marked("anonymous at bob's", "", "bob's", kDay + 11)};
}

Exposure Shown(const std::string& id, const std::string& customer, const std::string& visitor,
               int64_t time_ms) {
  Exposure shelf;
  shelf.id = absl::StrCat(customer == "bob" ? "bob" : kMarker, "-", id);
  shelf.time_ms = time_ms;
  shelf.placement = "home";
  if (!customer.empty()) shelf.__set_customer_id(customer);
  if (!visitor.empty()) shelf.__set_visitor_id(visitor);
  shelf.products.emplace_back().product_id = "p1";
  shelf.products.back().source = Source::TASTE;
  return shelf;
}

std::vector<std::string> ShelvesOf(const WebHouse& house, const Person& person) {
  std::vector<std::string> ids;
  EXPECT_OK(house.ForEachExposureOf(person, 0, 100, [&](auto& s) { ids.push_back(s.id); }));
  return ids;
}

// A store in which the customer is everywhere, with bob beside them.
void Fill(WebHouse* house) {
  ASSERT_OK(house->Commit(FileOf(MarkedEvents(), Value(house->GetSource("file"))), Ack::kDurable)
                .status());
  Event bob = MakeEvent("bob 1", "bob", kDay + 20, EventKind::LOGIN);
  bob.__set_visitor_id("bob's");
  ASSERT_OK(house
                ->Track({bob, MakeEvent("bob 2", "v:bob's", kDay + 21, EventKind::VIEW_ITEM),
                         MakeEvent("bob 3", "bob", kDay + 22, EventKind::VIEW_ITEM)},
                        {}, Ack::kDurable)
                .status());
  const std::vector<Exposure> shown = {
      Shown("own", kCustomer, "", kDay), Shown("before", "", kDevice, kDay - 6),
      Shown("at bob's", "", "bob's", kDay + 11), Shown("bob on a device", "bob", kDevice, kDay)};
  ASSERT_OK(house->AddExposures(shown));
  EventBatch rejects = FileOf({}, Value(house->GetSource("rejected")));
  for (const std::string& raw : {absl::StrCat("1,", kCustomer, ",x"), std::string("2,bob,x"),
                                 absl::StrCat("3,", kDevice, ",x")}) {
    Reject& reject = rejects.rejects.emplace_back();
    reject.line = ++rejects.to_lines;
    reject.reason = "bad_time";
    reject.raw = raw;
  }
  rejects.to_bytes = 10;
  ASSERT_OK(house->Commit(rejects, Ack::kDurable).status());
  EventBatch office = FileOf({}, Value(house->GetSource("customers")));
  CustomerFacts& facts = office.customers.emplace_back();
  facts.id = kCustomer;
  facts.facts_time_ms = kDay;
  facts.__set_name(absl::StrCat(kMarker, "-name"));
  facts.__set_email(absl::StrCat(kMarker, "@mail.example"));
  facts.__set_attributes({{absl::StrCat(kMarker, "-key"), absl::StrCat(kMarker, "-value")}});
  office.to_lines += 1;
  office.to_bytes += 10;
  ASSERT_OK(house->Commit(office, Ack::kDurable).status());
  for (const Person& person : {Person::Customer(kCustomer), Person::Visitor(kDevice)}) {
    Derived derived{person, Value(house->MarkOf(person)), {}, {}};
    Session& session = derived.sessions.emplace_back();
    session.start_ms = kDay;
    session.__set_landing_url(kMarker);
    if (person.kind == Person::Kind::kCustomer) {
      derived.customer = Customer();
      derived.customer->id = kCustomer;
    }
    ASSERT_OK(house->ReplaceDerived({&derived, 1}));
    ASSERT_OK(house->DecideRobot(person, false));
  }
  ASSERT_OK(house->Unlink(kCustomer, "bob's"));
  ASSERT_OK(house->Relink(kCustomer, "bob's"));
}

// What must hold of the folder of a store once the customer is erased.
void ExpectErased(const std::string& folder, std::unique_ptr<WebHouse> house) {
  EXPECT_THAT(FilesThatHold(folder, kMarker), IsEmpty());
  EXPECT_THAT(IdsOf(*house, Person::Customer("bob")), ElementsAre("bob 3", "bob 2", "bob 1"));
  EXPECT_THAT(ShelvesOf(*house, Person::Customer("bob")), ElementsAre("bob-bob on a device"));
  EXPECT_EQ(house->GetTotals().events, 3);
  EXPECT_EQ(house->GetTotals().rejects, 1);
  house.reset();
  EXPECT_THAT(FilesThatHold(folder, kMarker), IsEmpty());
  house = Value(WebHouse::Open({.directory = folder + "/db"}));  // the sums are checked here
  EXPECT_THAT(FilesThatHold(folder, kMarker), IsEmpty());
  house.reset();
  const AuditFindings audit = Value(VerifyAudit({folder + "/db", folder + "/audit.key", {}}));
  EXPECT_EQ(audit.problems_found, 0u);
  int receipts = 0;
  for (const auto& note : audit.notes) receipts += note.kind == "customer_erased" ? 1 : 0;
  EXPECT_EQ(receipts, 1);
}

class PrivacyTest : public ::testing::Test {
 protected:
  TempDir dir_;
  std::unique_ptr<WebHouse> house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
};

TEST_F(PrivacyTest, NoByteOfAnErasedCustomerIsLeft) {
  Fill(house_.get());
  ASSERT_FALSE(FilesThatHold(dir_.path(), kMarker).empty());
  const std::vector<Erasure> receipts =
      Value(Privacy(house_.get()).Erase({Person::Customer(kCustomer)}));
  ASSERT_EQ(receipts.size(), 1u);
  EXPECT_FALSE(receipts[0].__isset.customer_id);
  EXPECT_EQ(receipts[0].person.size(), 32u);
  EXPECT_EQ(receipts[0].rows.at("events"), 5);
  EXPECT_EQ(receipts[0].rows.at("event_ids"), 5);
  EXPECT_EQ(receipts[0].rows.at("conflicts"), 1);
  EXPECT_EQ(receipts[0].rows.at("rejects"), 2);
  EXPECT_EQ(receipts[0].rows.at("sessions"), 2);
  EXPECT_EQ(receipts[0].rows.at("customers"), 1);
  EXPECT_EQ(receipts[0].rows.at("customer_facts"), 1);
  EXPECT_EQ(receipts[0].rows.at("robots"), 2);
  EXPECT_EQ(receipts[0].rows.at("exposures"), 3);
  ExpectErased(dir_.path(), std::move(house_));
}

TEST_F(PrivacyTest, AnOldFileBringsNobodyBackButWhoReturnsIsWelcome) {
  Fill(house_.get());
  const Erasure receipt = Value(Privacy(house_.get()).Erase({Person::Customer(kCustomer)}))[0];
  const std::vector<Event> old = {Marked("own", kCustomer, "", kDay),
                                  Marked("before", "", kDevice, kDay - 5),
                                  Marked("login", kCustomer, kDevice, kDay + 1)};
  CommitResult result =
      Value(house_->Commit(FileOf(old, Value(house_->GetSource("the same again"))), Ack::kDurable));
  EXPECT_EQ(result.ignored, 3);
  EXPECT_EQ(Value(house_->GetSource("the same again")).outcomes.at("ignored:erased"), 3);
  ExpectErased(dir_.path(), std::move(house_));
  house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
  const Event back = Marked("back", kCustomer, kDevice, receipt.up_to_ms + 1);
  result = Value(house_->Track({back, old[0]}, {}, Ack::kDurable));
  EXPECT_EQ(result.accepted, 1);
  EXPECT_EQ(result.ignored, 1);
  EXPECT_THAT(IdsOf(*house_, Person::Customer(kCustomer)), ElementsAre(back.id));
}

TEST_F(PrivacyTest, WhoIsKnownFromShelvesAloneIsErased) {
  ASSERT_OK(house_->AddExposures(std::vector<Exposure>{Shown("1", kCustomer, "", kDay),
                                                       Shown("2", kCustomer, kDevice, kDay + 1)}));
  const Erasure receipt = Value(Privacy(house_.get()).Erase({Person::Customer(kCustomer)}))[0];
  EXPECT_EQ(receipt.rows.at("exposures"), 2);
  EXPECT_THAT(FilesThatHold(dir_.path(), kMarker), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(house_->GetExposure(absl::StrCat(kMarker, "-1")).status()));
  // What a request that was under way then would write is left out; who returns is welcome.
  ASSERT_OK(house_->AddExposures(
      std::vector<Exposure>{Shown("late", kCustomer, "", receipt.up_to_ms),
                            Shown("back", kCustomer, "", receipt.up_to_ms + 1)}));
  EXPECT_THAT(ShelvesOf(*house_, Person::Customer(kCustomer)),
              ElementsAre(absl::StrCat(kMarker, "-back")));
}

TEST_F(PrivacyTest, ErasingSomebodyUnknownOrErasedIsHarmless) {
  Fill(house_.get());
  Privacy privacy(house_.get());
  EXPECT_THAT(Value(privacy.Erase({Person::Customer("nobody we know")}))[0].rows, IsEmpty());
  const std::string person = Value(privacy.Erase({Person::Customer(kCustomer)}))[0].person;
  const Erasure again = Value(privacy.Erase({Person::Customer(kCustomer)}))[0];
  EXPECT_EQ(again.person, person);
  EXPECT_THAT(again.rows, IsEmpty());
  EXPECT_THAT(Value(privacy.Resume()), IsEmpty());
  EXPECT_FALSE(privacy.Erase({Person::Customer("")}).ok());
}

// --- Killed at each step ---

class KilledErasure : public ::testing::TestWithParam<std::string> {};

TEST_P(KilledErasure, IsFinishedByTheNextProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // which runs this test again in a new process
  constexpr char kFolder[] = "VITRINE_TEST_ERASE_FOLDER";
  const char* const inherited = std::getenv(kFolder);
  TempDir own;
  const std::string folder = inherited != nullptr ? inherited : own.path();
  if (inherited == nullptr) {
    Fill(Value(WebHouse::Open({.directory = folder + "/db"})).get());
    ::setenv(kFolder, folder.c_str(), 1);
  }
  EXPECT_EXIT(
      {
        const auto house = Value(WebHouse::Open({.directory = folder + "/db"}));
        Privacy privacy(house.get(), [](absl::string_view step) {
          if (step == GetParam()) ::raise(SIGKILL);
          return absl::OkStatus();
        });
        privacy.Erase({Person::Customer(kCustomer)}).IgnoreError();
      },
      ::testing::KilledBySignal(SIGKILL), "");
  ::unsetenv(kFolder);
  auto house = Value(WebHouse::Open({.directory = folder + "/db"}));
  EXPECT_EQ(Value(Privacy(house.get()).Resume()).size(), 1u);
  EXPECT_THAT(Value(Privacy(house.get()).Resume()), IsEmpty());
  ExpectErased(folder, std::move(house));
}

INSTANTIATE_TEST_SUITE_P(EachStep, KilledErasure,
                         ::testing::Values("copies", "visitors", "events", "rows", "receipt", "log",
                                           "tables", "manifest", "done"),
                         [](const auto& step) { return step.param; });

// --- Backups made before ---

class ErasedAfterABackup : public PrivacyTest {
 protected:
  // A backup in which the customer is everywhere, and a device that nobody had logged in on yet.
  void SetUp() override {
    Fill(house_.get());
    ASSERT_OK(
        house_->Track({Marked("early", "", kLaterDevice, kDay - 9)}, {}, Ack::kDurable).status());
    backup_ =
        Value(MakeBackup(*house_, "gifts", dir_.path(), {.directory = folder_.path()}, clock_)).id;
    ASSERT_OK(house_->Track({Marked("late", kCustomer, kLaterDevice, kDay + 9)}, {}, Ack::kDurable)
                  .status());
    ASSERT_OK(Privacy(house_.get()).Erase({Person::Customer(kCustomer)}).status());
    ASSERT_THAT(FilesThatHold(dir_.path(), kMarker), IsEmpty());
    ASSERT_FALSE(FilesThatHold(folder_.path(), kMarker).empty());
  }

  Restored Restore() {
    return Value(RestoreBackup(folder_.path(), backup_, to_.File("back"), clock_));
  }

  static int64_t EventsIn(const std::vector<Erasure>& receipts) {
    int64_t events = 0;
    for (const Erasure& receipt : receipts) {
      const auto rows = receipt.rows.find("events");
      if (rows != receipt.rows.end()) events += rows->second;
    }
    return events;
  }

  const std::string kLaterDevice = absl::StrCat(kMarker, "-later device");
  TempDir folder_, to_;
  SimClock clock_{kDay};
  uint32_t backup_ = 0;
};

TEST_F(ErasedAfterABackup, NobodyIsBroughtBackByARestore) {
  ASSERT_OK(TellErased(*house_, dir_.path()));
  const Restored restored = Restore();
  // The customer with their device, whose rows go with theirs, and the one that became theirs
  // later.
  ASSERT_EQ(restored.erased.size(), 3u);
  EXPECT_EQ(restored.erased[0].rows.at("events"), 5);
  EXPECT_EQ(EventsIn(restored.erased), 6);
  EXPECT_THAT(FilesThatHold(to_.path(), kMarker), IsEmpty());
  auto house = Value(WebHouse::Open({.directory = to_.File("back/db"), .create = false}));
  EXPECT_EQ(house->ErasedPersons(), house_->ErasedPersons());
  EXPECT_EQ(IdsOf(*house, Person::Customer("bob")).size(), 3u);
  // Also of a device that the backup had never seen, an old file brings nothing.
  EXPECT_EQ(
      Value(house->Track({Marked("early", "", kLaterDevice, kDay - 9)}, {}, Ack::kDurable)).ignored,
      1);
  house.reset();
  const AuditFindings audit =
      Value(VerifyAudit({to_.File("back/db"), to_.File("back/audit.key"), {}}));
  EXPECT_EQ(audit.problems_found, 0u);
}

TEST_F(ErasedAfterABackup, TheNextBackupTellsWhatTheFolderHasNotHeard) {
  ASSERT_OK(
      MakeBackup(*house_, "gifts", dir_.path(), {.directory = folder_.path()}, clock_).status());
  EXPECT_EQ(EventsIn(Restore().erased), 6);
  EXPECT_THAT(FilesThatHold(to_.path(), kMarker), IsEmpty());
}

TEST_F(ErasedAfterABackup, IsGoneFromTheFolderOnceBackupsAreRotated) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK(
        MakeBackup(*house_, "gifts", dir_.path(), {.directory = folder_.path(), .keep = 1}, clock_)
            .status());
  }
  ASSERT_OK(PurgeBackups(folder_.path(), 0, 1).status());
  EXPECT_THAT(FilesThatHold(folder_.path(), kMarker), IsEmpty());
}

TEST_F(ErasedAfterABackup, ADamagedListStopsTheRestoreAndAHalfLineDoesNot) {
  ASSERT_OK(TellErased(*house_, dir_.path()));
  const std::string list = folder_.File("ERASED");
  const std::string text = testing::FileText(list);
  std::ofstream(list, std::ios::app) << "0123";
  EXPECT_EQ(EventsIn(Restore().erased), 6);
  std::ofstream(list, std::ios::trunc) << "x" << text.substr(1);
  const absl::Status status =
      RestoreBackup(folder_.path(), backup_, to_.File("again"), clock_).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("ERASED: line 1"));
  EXPECT_TRUE(absl::IsDataLoss(VerifyBackup(folder_.path(), backup_, clock_).status()));
}

// --- Retention ---

TEST_F(PrivacyTest, WhatIsTooOldGoesByItsKindAndDoesNotComeBack) {
  SiteSettings settings = house_->GetSettings();
  settings.retention_days[EventKind::PAGE_VIEW] = 10;
  settings.retention_days[EventKind::LOGIN] = 5;
  ASSERT_OK(house_->SetSettings(settings));
  Event login = MakeEvent("login", "ann", kDay - 8 * kDayMs, EventKind::LOGIN);
  login.__set_visitor_id("cookie");
  const std::vector<Event> events = {
      MakeEvent("old", "ann", kDay - 11 * kDayMs, EventKind::PAGE_VIEW),
      MakeEvent("sale", "ann", kDay - 400 * kDayMs, EventKind::PURCHASE, "p"),
      MakeEvent("new", "ann", kDay - 10 * kDayMs, EventKind::PAGE_VIEW), login,
      MakeEvent("anonymous", "v:cookie", kDay - 9 * kDayMs, EventKind::PAGE_VIEW)};
  ASSERT_OK(house_->Track(events, {}, Ack::kApplied).status());
  Privacy privacy(house_.get());
  EXPECT_EQ(Value(privacy.ApplyRetention(kDay)), 2);
  EXPECT_THAT(Value(house_->VisitorsOf("ann")), ElementsAre("cookie"));
  // The login went; what it said stays as long as there is something that it is about.
  EXPECT_THAT(IdsOf(*house_, Person::Customer("ann")), ElementsAre("anonymous", "new", "sale"));
  EXPECT_EQ(Value(privacy.ApplyRetention(kDay)), 0);
  EXPECT_EQ(Value(house_->Track(events, {}, Ack::kApplied)).ignored, 2);
  EXPECT_EQ(house_->GetTotals().events, 3);
  EXPECT_GT(Value(house_->MarkOf(Person::Customer("ann"))), 0u);
  house_.reset();
  house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));  // the sums are checked here
  EXPECT_EQ(Value(house_->GetSource("track")).outcomes.at("ignored:expired"), 2);
  EXPECT_EQ(Value(Privacy(house_.get()).ApplyRetention(kDay + 30 * kDayMs)), 2);
  EXPECT_THAT(IdsOf(*house_, Person::Customer("ann")), ElementsAre("sale"));
  EXPECT_THAT(Value(house_->VisitorsOf("ann")), IsEmpty());  // nothing is left that it is about
}

TEST_F(PrivacyTest, ShelvesAreKeptAsLongAsViewsOfLists) {
  SiteSettings settings = house_->GetSettings();
  settings.retention_days[EventKind::PAGE_VIEW] = 1;
  ASSERT_OK(house_->SetSettings(settings));
  Event login = MakeEvent("login", "ann", kDay, EventKind::PAGE_VIEW);
  login.__set_visitor_id("cookie");
  ASSERT_OK(house_->Track({login}, {}, Ack::kApplied).status());
  ASSERT_OK(
      house_->AddExposures(std::vector<Exposure>{Shown("old", "", "cookie", kDay - 20 * kDayMs),
                                                 Shown("new", "", "cookie", kDay - 10 * kDayMs)}));
  Privacy privacy(house_.get());
  EXPECT_EQ(Value(privacy.ApplyRetention(kDay + 2 * kDayMs)), 1);
  // No event is left: whose they are is still known.
  EXPECT_EQ(ShelvesOf(*house_, Person::Customer("ann")).size(), 2u);
  settings.retention_days[EventKind::VIEW_ITEM_LIST] = 15;
  ASSERT_OK(house_->SetSettings(settings));
  EXPECT_EQ(Value(privacy.ApplyRetention(kDay)), 0);
  EXPECT_THAT(ShelvesOf(*house_, Person::Customer("ann")),
              ElementsAre(absl::StrCat(kMarker, "-new")));
  EXPECT_TRUE(absl::IsNotFound(house_->GetExposure(absl::StrCat(kMarker, "-old")).status()));
  EXPECT_EQ(Value(privacy.ApplyRetention(kDay + 30 * kDayMs)), 0);
  EXPECT_THAT(Value(house_->VisitorsOf("ann")), IsEmpty());
}

}  // namespace
}  // namespace vitrine
