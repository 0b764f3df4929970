#include "store/identity.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"

#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeEvent;
using testing::TempDir;
using testing::Value;

constexpr int64_t kDay = 1'300'000'000'000;
constexpr size_t kAll = SIZE_MAX;

Event LoginOf(absl::string_view id, absl::string_view customer, absl::string_view visitor,
              int64_t time_ms) {
  Event event = MakeEvent(id, customer, time_ms, EventKind::LOGIN);
  event.__set_visitor_id(std::string(visitor));
  return event;
}

// --- Ids that are nobody's ---

TEST(NobodysIds, AreKnownWhateverTheirCaseAndTheBlanksAroundThem) {
  for (const char* id : {"null", "NULL", "undefined", "Guest", "anonymous", "0", "none", "nil",
                         "(empty)", " NaN ", "\tnull", "", "[object Object]"}) {
    EXPECT_TRUE(IsNobodysId(id)) << id;
  }
  for (const char* id : {"00", "10", "nullsoft", "guest1", "c0", "anna", "noned"}) {
    EXPECT_FALSE(IsNobodysId(id)) << id;
  }
}

TEST(NobodysIds, LeaveTheEventToWhomTheOtherIdNames) {
  Event event = LoginOf("e", "guest", "v1", kDay);
  ASSERT_OK(DropNobodysIds(&event));
  EXPECT_EQ(Person::Of(event), Person::Visitor("v1"));
  EXPECT_OK(ValidateEvent(event));
  event = LoginOf("e", "anna", "undefined", kDay);
  ASSERT_OK(DropNobodysIds(&event));
  EXPECT_FALSE(IsLogin(event));
  EXPECT_EQ(Person::Of(event), Person::Customer("anna"));
}

TEST(NobodysIds, AloneAreAnError) {
  Event event = MakeEvent("e", "null", kDay, EventKind::LOGIN);
  EXPECT_THAT(std::string(DropNobodysIds(&event).message()), HasSubstr("nobodys_id: customer_id"));
  EXPECT_THAT(std::string(ValidateEvent(event).message()), HasSubstr("nobodys_id"));
  event = MakeEvent("e", "v:null", kDay, EventKind::LOGIN);
  EXPECT_THAT(std::string(ValidateEvent(event).message()), HasSubstr("nobodys_id"));
}

// --- Timeline ---

TEST(Timeline, WhatWasBeforeTheFirstLoginIsTheFirstCustomers) {
  const Timeline timeline({{200, 1, "bob"}, {100, 1, "ann"}, {300, 1, "ann"}}, {}, 3);
  EXPECT_EQ(timeline.OwnerAt(0), "ann");
  EXPECT_EQ(timeline.OwnerAt(199), "ann");
  EXPECT_EQ(timeline.OwnerAt(200), "bob");
  EXPECT_EQ(timeline.OwnerAt(299), "bob");
  EXPECT_EQ(timeline.OwnerAt(1'000), "ann");
  EXPECT_EQ(Timeline().OwnerAt(5), "");
}

TEST(Timeline, ASharedDeviceKeepsWhatNobodySigned) {
  std::vector<Login> logins = {{100, 1, "ann"}, {200, 1, "bob"}};
  EXPECT_FALSE(Timeline(logins, {}, 2).shared());
  const Timeline shared(logins, {}, 1);
  EXPECT_TRUE(shared.shared());
  for (const int64_t time : {50, 150, 250}) EXPECT_EQ(shared.OwnerAt(time), "");
}

TEST(Timeline, WhoWasUnlinkedOwnsNothingAndTakesNothingFromOthers) {
  const Timeline timeline({{100, 1, "ann"}, {200, 1, "bob"}, {300, 1, "cid"}}, {"bob"}, 3);
  EXPECT_EQ(timeline.OwnerAt(150), "ann");
  EXPECT_EQ(timeline.OwnerAt(250), "");
  EXPECT_EQ(timeline.OwnerAt(350), "cid");
  EXPECT_TRUE(timeline.IsUnlinked("bob"));
  EXPECT_FALSE(timeline.IsUnlinked("ann"));
}

// The definition, word by word.
std::string PlainOwnerAt(std::vector<Login> logins, const std::set<std::string>& unlinked,
                         size_t customers_max, int64_t time_ms) {
  std::set<std::string> customers;
  for (const Login& login : logins) customers.insert(login.customer);
  if (logins.empty() || customers.size() > customers_max) return "";
  std::sort(logins.begin(), logins.end(), [](const Login& a, const Login& b) {
    return std::pair(a.time_ms, a.id_hash) < std::pair(b.time_ms, b.id_hash);
  });
  std::string owner = logins.front().customer;
  for (const Login& login : logins) {
    if (login.time_ms <= time_ms) owner = login.customer;
  }
  return unlinked.contains(owner) ? "" : owner;
}

TEST(Timeline, AgreesWithItsDefinition) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string> names = {"ann", "bob", "cid", "dan"};
  for (int round = 0; round < 300; ++round) {
    std::vector<Login> logins;
    for (uint64_t n = random() % 8; n > 0; --n) {
      logins.push_back({static_cast<int64_t>(random() % 6), random(), names[random() % 4]});
    }
    std::set<std::string> unlinked;
    for (uint64_t n = random() % 3; n > 0; --n) unlinked.insert(names[random() % 4]);
    const size_t most = random() % 5;
    const Timeline timeline(logins, {unlinked.begin(), unlinked.end()}, most);
    for (int64_t time = -1; time < 7; ++time) {
      const std::string owner = PlainOwnerAt(logins, unlinked, most, time);
      ASSERT_EQ(timeline.OwnerAt(time), owner);
      std::vector<std::string> claims;
      for (const std::string& name : {std::string(), names[0], names[1], names[2], names[3]}) {
        for (const Timeline::Span& span : timeline.Owned(name)) {
          if (span.from_ms <= time && time < span.to_ms) claims.push_back(name);
        }
      }
      ASSERT_THAT(claims, ElementsAre(owner));
    }
  }
}

// --- Through the store ---

class Identity : public ::testing::Test {
 protected:
  void Track(std::vector<Event> events) {
    ASSERT_OK(house_->Track(std::move(events), {}, Ack::kApplied).status());
  }
  std::vector<std::string> Of(const Person& person, size_t limit = kAll) {
    std::vector<std::string> ids;
    for (const Event& event : Value(house_->ResolvedHistory(person, limit))) {
      ids.push_back(event.id);
    }
    return ids;
  }

  TempDir dir_;
  std::unique_ptr<WebHouse> house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
  const Person ann_ = Person::Customer("ann");
  const Person bob_ = Person::Customer("bob");
  const Person v1_ = Person::Visitor("v1");
};

TEST_F(Identity, ALoginBringsThePastWithIt) {
  Track({MakeEvent("1", "v:v1", kDay, EventKind::VIEW_ITEM),
         MakeEvent("3", "v:v1", kDay + 3, EventKind::VIEW_ITEM),
         MakeEvent("0", "ann", kDay - 9, EventKind::PURCHASE)});
  EXPECT_THAT(Of(ann_), ElementsAre("0"));
  EXPECT_THAT(Of(v1_), ElementsAre("3", "1"));
  Track({LoginOf("2", "ann", "v1", kDay + 2)});
  EXPECT_THAT(Of(ann_), ElementsAre("3", "2", "1", "0"));
  EXPECT_THAT(Of(ann_, 2), ElementsAre("3", "2"));
  EXPECT_THAT(Of(v1_), IsEmpty());
}

TEST_F(Identity, TwoWhoShareADeviceHaveTheirOwnTimes) {
  Track({LoginOf("a", "ann", "v1", kDay + 10), LoginOf("b", "bob", "v1", kDay + 20),
         MakeEvent("before", "v:v1", kDay, EventKind::VIEW_ITEM),
         MakeEvent("ann's", "v:v1", kDay + 19, EventKind::VIEW_ITEM),
         MakeEvent("bob's", "v:v1", kDay + 20, EventKind::VIEW_ITEM)});
  EXPECT_THAT(Of(ann_), ElementsAre("ann's", "a", "before"));
  EXPECT_THAT(Of(bob_), ::testing::UnorderedElementsAre("bob's", "b"));
}

TEST_F(Identity, AnUnmergeIsUndoneByARelinkAndBothAreDurableFacts) {
  Track({LoginOf("a", "ann", "v1", kDay), MakeEvent("e", "v:v1", kDay + 1, EventKind::VIEW_ITEM)});
  EXPECT_TRUE(absl::IsNotFound(house_->Unlink("bob", "v1")));
  EXPECT_TRUE(absl::IsNotFound(house_->Relink("ann", "v1")));
  ASSERT_OK(house_->Unlink("ann", "v1"));
  EXPECT_THAT(Of(ann_), ElementsAre("a"));
  EXPECT_THAT(Of(v1_), ElementsAre("e"));
  Track({LoginOf("again", "ann", "v1", kDay + 2)});  // whatever they log in on
  house_.reset();
  house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
  EXPECT_THAT(Of(ann_), ElementsAre("again", "a"));
  ASSERT_OK(house_->Relink("ann", "v1"));
  EXPECT_THAT(Of(ann_), ElementsAre("again", "e", "a"));
  EXPECT_THAT(Of(v1_), IsEmpty());
}

TEST_F(Identity, ALoginThatLostItsIdIsForgotten) {
  // Two contents of one id: whichever wins, only its link stays.
  const Event one = LoginOf("same", "ann", "v1", kDay);
  const Event two = LoginOf("same", "bob", "v2", kDay);
  Track({one});
  Track({two});
  Track({one});
  const size_t anns = Value(house_->VisitorsOf("ann")).size();
  EXPECT_EQ(anns + Value(house_->VisitorsOf("bob")).size(), 1u);
  EXPECT_EQ(Value(house_->CustomersOf("v1")).size(), anns);
  EXPECT_EQ(Value(house_->CustomersOf("v2")).size(), 1 - anns);
}

TEST_F(Identity, EverybodyWhoseHistoryAnEventChangesIsAffected) {
  Track({LoginOf("a", "ann", "v1", kDay)});
  const std::vector<Event> anonymous = {MakeEvent("e", "v:v1", kDay, EventKind::VIEW_ITEM)};
  EXPECT_THAT(Value(house_->Affected(anonymous)), ElementsAre(v1_, ann_));
}

struct World {
  std::map<std::string, std::vector<std::string>> histories;  // by person, ids newest first
  std::map<std::string, std::vector<std::string>> links;
  bool operator==(const World&) const = default;
};

const std::vector<std::string> kCustomers = {"ann", "bob", "cid", "dan", "eve"};
const std::vector<std::string> kVisitors = {"v1", "v2", "v3"};

std::string Name(const Person& person) {
  return absl::StrCat(std::string(1, static_cast<char>(person.kind)), person.id);
}

World WorldOf(const WebHouse& house) {
  World world;
  for (const std::string& id : kCustomers) {
    const Person person = Person::Customer(id);
    for (const Event& e : Value(house.ResolvedHistory(person, kAll))) {
      world.histories[Name(person)].push_back(e.id);
    }
    world.links[Name(person)] = Value(house.VisitorsOf(id));
  }
  for (const std::string& id : kVisitors) {
    const Person person = Person::Visitor(id);
    for (const Event& e : Value(house.ResolvedHistory(person, kAll))) {
      world.histories[Name(person)].push_back(e.id);
    }
    world.links[Name(person)] = Value(house.CustomersOf(id));
  }
  return world;
}

// What the world must be, from the events that the store kept and nothing else.
World PlainWorldOf(const WebHouse& house, const std::set<std::pair<std::string, std::string>>& un) {
  std::vector<std::pair<std::string, Event>> events;  // with the ends of their keys
  EventCursor cursor = house.Events();
  for (; cursor.Valid(); cursor.Next()) {
    events.emplace_back(std::string(keys::EventTail(cursor.key())), cursor.value());
  }
  EXPECT_OK(cursor.Finish());
  std::sort(events.begin(), events.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::map<std::string, std::vector<Login>> logins;
  std::map<std::string, std::set<std::string>> links;
  for (const auto& [tail, e] : events) {
    if (!IsLogin(e)) continue;
    logins[e.visitor_id].push_back({e.time_ms, ReadBigEndian(tail.substr(8)), e.customer_id});
    links["c" + e.customer_id].insert(e.visitor_id);
    links["v" + e.visitor_id].insert(e.customer_id);
  }
  World world;
  for (const auto& [tail, e] : events) {
    Person owner = Person::Of(e);
    if (owner.kind == Person::Kind::kVisitor) {
      std::set<std::string> unlinked;
      for (const auto& [customer, visitor] : un) {
        if (visitor == e.visitor_id) unlinked.insert(customer);
      }
      const std::string customer = PlainOwnerAt(
          logins[e.visitor_id], unlinked,
          static_cast<size_t>(house.GetSettings().customers_per_visitor_max), e.time_ms);
      if (!customer.empty()) owner = Person::Customer(customer);
    }
    world.histories[Name(owner)].push_back(e.id);
  }
  for (const std::string& id : kCustomers) world.links["c" + id];
  for (const std::string& id : kVisitors) world.links["v" + id];
  for (const auto& [name, ids] : links) world.links[name] = {ids.begin(), ids.end()};
  return world;
}

std::vector<Event> RandomEvents(std::mt19937_64* random) {
  std::vector<Event> events;
  for (int i = 0; i < 150; ++i) {
    const auto pick = [&](const std::vector<std::string>& names, size_t most) {
      return names[(*random)() % std::min(most, names.size())];
    };
    // Some ids come with several contents. v3 sees every customer, the others two.
    const std::string id = absl::StrCat("e", (*random)() % 120);
    const int64_t time_ms = kDay + static_cast<int64_t>((*random)() % 60);
    const std::string visitor = pick(kVisitors, 3);
    Event event = MakeEvent(id, "v:" + visitor, time_ms, EventKind::VIEW_ITEM, "p");
    const uint64_t what = (*random)() % 10;
    if (what < 3) event.__set_customer_id(pick(kCustomers, visitor == "v3" ? 5 : 2));
    if (what == 0) event.__isset.visitor_id = false;
    events.push_back(std::move(event));
  }
  return events;
}

World WorldAfter(std::vector<Event> events, std::mt19937_64* random, int32_t customers_max,
                 const std::set<std::pair<std::string, std::string>>& unlinked) {
  TempDir dir;
  const auto house = Value(WebHouse::Open({.directory = dir.File("db")}));
  SiteSettings settings = house->GetSettings();
  settings.customers_per_visitor_max = customers_max;
  EXPECT_OK(house->SetSettings(settings));
  for (size_t begin = 0; begin < events.size();) {
    const size_t n = std::min<size_t>(1 + (*random)() % 60, events.size() - begin);
    const auto first = events.begin() + static_cast<ptrdiff_t>(begin);
    EXPECT_OK(house->Track({first, first + static_cast<ptrdiff_t>(n)}, {}, Ack::kApplied).status());
    begin += n;
  }
  std::set<std::pair<std::string, std::string>> done;
  for (const auto& [customer, visitor] : unlinked) {
    const absl::Status status = house->Unlink(customer, visitor);
    if (status.ok()) done.emplace(customer, visitor);
  }
  World world = WorldOf(*house);
  EXPECT_EQ(world, PlainWorldOf(*house, done));

  std::map<std::string, std::vector<std::string>> streamed;
  EXPECT_OK(house->ForEachResolved([&](const Person& person, const Event& event) {
    streamed[Name(person)].push_back(event.id);
  }));
  EXPECT_EQ(streamed, world.histories);
  for (const auto& [name, ids] : world.histories) {
    const size_t limit = (*random)() % (ids.size() + 2);
    std::vector<std::string> newest;
    const Person person = {static_cast<Person::Kind>(name[0]), name.substr(1)};
    for (const Event& e : Value(house->ResolvedHistory(person, limit))) newest.push_back(e.id);
    std::vector<std::string> expected = ids;
    expected.resize(std::min(limit, ids.size()));
    EXPECT_EQ(newest, expected);
  }
  return world;
}

TEST(IdentityProperty, WhoOwnsWhatIsAFunctionOfTheSetOfEvents) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  for (const int32_t customers_max : {1, 3}) {
    std::vector<Event> events = RandomEvents(&random);
    const std::set<std::pair<std::string, std::string>> unlinked = {{"bob", "v1"}, {"ann", "v2"}};
    const World expected = WorldAfter(events, &random, customers_max, unlinked);
    EXPECT_GE(expected.histories.size(), 4u);
    for (int permutation = 0; permutation < 3; ++permutation) {
      const size_t once = events.size();
      for (size_t i = 0; i < once / 4; ++i) events.push_back(events[random() % once]);
      std::shuffle(events.begin(), events.end(), random);
      ASSERT_EQ(WorldAfter(events, &random, customers_max, unlinked), expected);
    }
  }
}

}  // namespace
}  // namespace vitrine
