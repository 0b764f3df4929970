// Storefront and Backoffice without a socket: the service's own promises.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "api/service/backoffice.h"
#include "api/service/site.h"
#include "api/service/storefront.h"
#include "ingest/sessionizer.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "tests/api/service_testing.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using testing::kDayMs;
using testing::kGroups;
using testing::kNow;
using testing::kProductsPerGroup;
using testing::MakeEvent;
using testing::ProductId;
using testing::ServiceTest;
using testing::TempDir;
using testing::Value;

int InGroup(const RecommendReply& reply, int group) {
  return static_cast<int>(
      std::count_if(reply.suggestions.begin(), reply.suggestions.end(), [&](const Suggestion& s) {
        return s.product_id.rfind(absl::StrCat("g", group, "-"), 0) == 0;
      }));
}

TEST_F(ServiceTest, SuggestsFromTheCustomersTasteWithNamesAndPrices) {
  Train();
  const RecommendReply reply = Recommend("c1");
  ASSERT_EQ(reply.suggestions.size(), 5u);
  EXPECT_EQ(InGroup(reply, 1), 5);
  EXPECT_EQ(reply.history_events, 6);
  EXPECT_EQ(reply.suggestions[0].name, "Name of " + reply.suggestions[0].product_id);
  EXPECT_EQ(reply.suggestions[0].price_minor, 999);
  EXPECT_EQ(reply.suggestions[0].source, Source::TASTE);
}

TEST_F(ServiceTest, LeavesOutWhatWasBoughtUnlessAsked) {
  Train();
  std::set<std::string> bought;
  for (int i = 0; i < 6; ++i) bought.insert(ProductId(1, (i * 5) % kProductsPerGroup));
  for (const Suggestion& s : Recommend("c1").suggestions) {
    EXPECT_EQ(bought.count(s.product_id), 0u) << s.product_id;
  }
  RecommendRequest request;
  request.context = ContextOf("c1");
  request.__set_exclude_bought(false);
  RecommendReply reply;
  storefront_->recommend(reply, request);
  EXPECT_TRUE(std::any_of(reply.suggestions.begin(), reply.suggestions.end(),
                          [&](const Suggestion& s) { return bought.count(s.product_id) > 0; }));
}

TEST_F(ServiceTest, NewcomersAndUnknownCustomersGetWhatIsPopular) {
  Train();
  for (const std::string customer : {"", "never-seen"}) {
    const RecommendReply reply = Recommend(customer);
    ASSERT_EQ(reply.suggestions.size(), 5u);
    EXPECT_EQ(reply.history_events, 0);
    EXPECT_EQ(reply.suggestions[0].source, Source::POPULAR);
  }
}

TEST_F(ServiceTest, ATrackedEventCountsInTheVeryNextAnswer) {
  Train();
  RecommendRequest request;
  request.context = ContextOf("", "cookie-7");
  RecommendReply reply;
  storefront_->recommend(reply, request);  // now the visitor is kept at hand, as nobody yet
  EXPECT_EQ(reply.history_events, 0);

  TrackRequest track;
  track.context = ContextOf("", "cookie-7");
  track.events.push_back(MakeEvent("click", "v:ignored", 0, EventKind::VIEW_ITEM, ProductId(2, 3)));
  track.events[0].__isset.visitor_id = false;  // the context says who
  TrackReply tracked;
  storefront_->track(tracked, track);
  EXPECT_EQ(tracked.accepted, 1);
  EXPECT_EQ(tracked.acknowledged, Acknowledge::DURABLE);

  storefront_->recommend(reply, request);
  EXPECT_EQ(reply.history_events, 1);
  EXPECT_EQ(reply.suggestions[0].product_id.substr(0, 3), "g2-");
  // The page they look at is no suggestion.
  for (const Suggestion& s : reply.suggestions) EXPECT_NE(s.product_id, ProductId(2, 3));
}

// What c1 is known to have done, as the next answer tells it.
TEST_F(ServiceTest, ALoginBringsThePastIntoTheVeryNextAnswer) {
  Train();
  const auto click = [&](const std::string& id, const std::string& customer) {
    TrackRequest track;
    track.context = ContextOf(customer, "cookie-7");
    track.events.push_back(MakeEvent(id, "v:cookie-7", 0, EventKind::VIEW_ITEM, ProductId(2, 3)));
    track.events[0].__isset.visitor_id = false;  // the context says who
    TrackReply tracked;
    storefront_->track(tracked, track);
    EXPECT_EQ(tracked.accepted, 1);
  };
  click("before", "");
  EXPECT_EQ(Recommend("c1").history_events, 6);
  RecommendRequest both;
  both.context = ContextOf("c1", "cookie-7");
  RecommendReply reply;
  storefront_->recommend(reply, both);  // no event says so yet
  EXPECT_EQ(reply.history_events, 7);
  click("login", "c1");
  EXPECT_EQ(Recommend("c1").history_events, 8);
  click("after", "");
  EXPECT_EQ(Recommend("c1").history_events, 9);
  storefront_->recommend(reply, both);
  EXPECT_EQ(reply.history_events, 9);
  // Somebody else on the device has what is theirs only.
  both.context = ContextOf("c2", "cookie-7");
  storefront_->recommend(reply, both);
  EXPECT_EQ(reply.history_events, 6);
}

TEST_F(ServiceTest, NobodysIdMakesNobodyACustomer) {
  TrackRequest track;
  track.context = ContextOf("guest", "cookie-7");
  track.events = {MakeEvent("a", "undefined", kNow, EventKind::LOGIN)};
  track.events.push_back(track.events[0]);
  track.events[1].id = "b";
  track.events[1].__set_visitor_id("cookie-8");
  TrackReply reply;
  storefront_->track(reply, track);
  EXPECT_EQ(reply.accepted, 1);
  ASSERT_EQ(reply.rejects.size(), 1u);
  EXPECT_EQ(reply.rejects[0].reason, "nobodys_id");
  EXPECT_EQ(Value(Shop()->house().ResolvedHistory(Person::Visitor("cookie-8"), 9)).size(), 1u);
}

TEST_F(ServiceTest, AnErasedCustomerIsAStrangerInTheVeryNextAnswer) {
  Train();
  EXPECT_EQ(Recommend("c1").history_events, 6);
  std::string copy;
  backoffice_->checkpoint(copy, "shop");
  CustomerRecord record;
  backoffice_->customer_record(record, "shop", "c1");
  EXPECT_EQ(record.events.size(), 6u);
  std::vector<Erasure> receipts;
  backoffice_->erase_customers(receipts, "shop", {"c1"});
  ASSERT_EQ(receipts.size(), 1u);
  EXPECT_EQ(receipts[0].rows.at("events"), 6);
  EXPECT_EQ(Recommend("c1").history_events, 0);
  EXPECT_FALSE(std::filesystem::exists(copy));
  EXPECT_THROW(backoffice_->customer_record(record, "shop", "c1"), NotFound);
  TrackRequest track;
  track.context = ContextOf("c1");
  track.events = {MakeEvent("e1-0", "c1", kNow, EventKind::PURCHASE, "p")};
  TrackReply reply;
  storefront_->track(reply, track);
  EXPECT_EQ(reply.ignored, 1);
}

TEST_F(ServiceTest, ConsentsAreTheNewestWordForEachChannelAndPurpose) {
  const auto consent = [](const std::string& id, int64_t time_ms, Channel channel, bool granted) {
    Event event = MakeEvent(id, "cara", time_ms, EventKind::CONSENT);
    Consent wish;
    wish.channel = channel;
    wish.purpose = "marketing";
    wish.granted = granted;
    wish.__set_source("newsletter form");
    event.__set_consent(wish);
    return event;
  };
  TrackRequest track;
  track.context = ContextOf("cara");
  track.events = {consent("no", kNow, Channel::EMAIL, false),
                  consent("yes", kNow - 5, Channel::EMAIL, true),
                  consent("sms", kNow - 9, Channel::SMS, true),
                  MakeEvent("nothing", "cara", kNow, EventKind::CONSENT)};
  TrackReply reply;
  storefront_->track(reply, track);
  EXPECT_EQ(reply.accepted, 3);
  ASSERT_EQ(reply.rejects.size(), 1u);
  EXPECT_EQ(reply.rejects[0].reason, "missing_field");
  CustomerRecord record;
  backoffice_->customer_record(record, "shop", "cara");
  ASSERT_EQ(record.consents.size(), 2u);
  EXPECT_EQ(record.consents[0].id, "no");
  EXPECT_EQ(record.consents[1].id, "sms");
}

TEST_F(ServiceTest, TrackTakesOrRejectsEachEventOnItsOwn) {
  TrackRequest track;
  track.context = ContextOf("c1");
  track.events = {MakeEvent("new", "c1", kNow, EventKind::VIEW_ITEM, "p"),
                  MakeEvent("bad", "c1", kNow, EventKind::VIEW_ITEM, "p\n"),
                  MakeEvent("new", "c1", kNow, EventKind::VIEW_ITEM, "p")};
  TrackReply reply;
  storefront_->track(reply, track);
  EXPECT_EQ(reply.accepted, 1);
  EXPECT_EQ(reply.duplicate, 1);
  ASSERT_EQ(reply.rejects.size(), 1u);
  EXPECT_EQ(reply.rejects[0].index, 1);
  EXPECT_EQ(reply.rejects[0].reason, "bad_id");
  EXPECT_EQ(Shop()->house().GetTotals().rejects, 1);
}

TEST_F(ServiceTest, TrackRepairsTheSendersClockAndRefusesWhatCannotBe) {
  TrackRequest track;
  track.context = ContextOf("clock");
  track.context.__set_sent_ms(kNow - kDayMs);  // a day slow
  track.events = {MakeEvent("slow", "clock", kNow - kDayMs - 5'000, EventKind::LOGIN)};
  TrackReply reply;
  storefront_->track(reply, track);
  EXPECT_EQ(reply.accepted, 1);
  std::vector<Event> history;
  backoffice_->history(history, "shop", "clock", "", 10);
  ASSERT_EQ(history.size(), 1u);
  EXPECT_EQ(history[0].time_ms, kNow - 5'000);

  track.context.__isset.sent_ms = false;
  track.events = {MakeEvent("new", "clock", kNow + kDayMs, EventKind::LOGIN),
                  MakeEvent("old", "clock", kNow - 4'000 * kDayMs, EventKind::LOGIN)};
  storefront_->track(reply, track);
  ASSERT_EQ(reply.rejects.size(), 2u);
  EXPECT_EQ(reply.rejects[0].reason, "time_in_future");
  EXPECT_EQ(reply.rejects[1].reason, "time_too_old");
}

TEST_F(ServiceTest, WhatIsNotOnSaleIsNotSuggested) {
  Train();
  const auto ids = [&] {
    std::vector<std::string> shown;
    for (const Suggestion& s : Recommend("c1", 5).suggestions) shown.push_back(s.product_id);
    return shown;
  };
  const std::vector<std::string> before = ids();
  ASSERT_EQ(before.size(), 5u);
  std::vector<Product> rows(4);
  for (size_t i = 0; i < rows.size(); ++i) rows[i].id = before[i];
  rows[0].__set_stock(0);
  rows[1].__set_withdrawn(true);
  rows[2].__set_available_from_ms(kNow + 1);
  rows[3].__set_available_to_ms(kNow);
  UpdateReply reply;
  backoffice_->update_products(reply, "shop", rows);
  EXPECT_EQ(reply.changed, 4);
  std::vector<std::string> after = ids();
  EXPECT_EQ(after.size(), 5u);
  EXPECT_EQ(after[0], before[4]);
  for (const Product& row : rows) EXPECT_EQ(std::count(after.begin(), after.end(), row.id), 0);
  clock_.Advance(1);
  after = ids();
  EXPECT_EQ(std::count(after.begin(), after.end(), rows[2].id), 1);
  // However few are left, they are found.
  std::vector<Product> all;
  backoffice_->catalogue(all, "shop", "", 1000);
  ASSERT_EQ(all.size(), static_cast<size_t>(kGroups * kProductsPerGroup));
  const std::string last = all.back().id;
  all.pop_back();
  for (Product& product : all) {
    const std::string id = product.id;
    product = Product();
    product.id = id;
    product.__set_stock(0);
  }
  backoffice_->update_products(reply, "shop", all);
  RecommendRequest request;
  request.context = ContextOf("");
  request.k = 3;
  RecommendReply shelf;
  storefront_->recommend(shelf, request);
  ASSERT_EQ(shelf.suggestions.size(), 1u);
  EXPECT_EQ(shelf.suggestions[0].product_id, last);
}

TEST_F(ServiceTest, AWrongRowOfAnUpdateIsNamedAndNothingIsTaken) {
  std::vector<Product> rows(2);
  rows[0].id = "fine";
  rows[1].id = "bad";
  rows[1].__set_stock(-1);
  UpdateReply reply;
  try {
    backoffice_->update_products(reply, "shop", rows);
    FAIL();
  } catch (const InvalidRequest& e) {
    EXPECT_THAT(e.message, HasSubstr("products[1]: bad_quantity: "));
  }
  EXPECT_TRUE(absl::IsNotFound(Shop()->house().GetProduct("fine").status()));
  try {
    backoffice_->finish_replacement("shop", "file");
    FAIL();
  } catch (const Unavailable& e) {
    EXPECT_THAT(e.message, HasSubstr("nothing is withdrawn"));
  }
}

TEST_F(ServiceTest, TrackedEventsBecomeSessionsInTheBackground) {
  TrackRequest track;
  track.context = ContextOf("new-customer");
  track.events = {MakeEvent("n", "new-customer", kNow, EventKind::VIEW_ITEM, "p")};
  TrackReply reply;
  storefront_->track(reply, track);
  // The background thread clears the mark when it is done; deriving by hand gives the same rows,
  // so whichever comes first the outcome is one.
  ASSERT_OK(DeriveAll(&Shop()->house(), nullptr));
  EXPECT_EQ(Value(Shop()->house().GetCustomer("new-customer")).sessions, 1);
}

TEST_F(ServiceTest, SaysWhichFieldIsWrong) {
  Train();
  RecommendRequest request;
  RecommendReply reply;
  const auto message = [&] {
    try {
      storefront_->recommend(reply, request);
    } catch (const InvalidRequest& e) {
      return e.message;
    }
    return std::string("no error");
  };
  request.context = ContextOf("c1");
  request.k = 0;
  EXPECT_THAT(message(), HasSubstr("k: 0"));
  request.k = 10;
  request.context.deadline_ms = 0;
  EXPECT_THAT(message(), HasSubstr("context.deadline_ms"));
  request.context = ContextOf("c\n1");
  EXPECT_THAT(message(), HasSubstr("context.customer_id"));
  request.context = ContextOf("c1");
  request.context.site = "other";
  EXPECT_THROW(storefront_->recommend(reply, request), NotFound);
}

TEST_F(ServiceTest, WithoutAModelTheAnswerIsUnavailable) {
  EXPECT_THROW(Recommend("c1"), Unavailable);
  ModelInfo info;
  EXPECT_THROW(backoffice_->model_info(info, "shop"), Unavailable);
}

// Every tick of this clock is a second: whatever is asked of it comes late.
class HurryingClock : public Clock {
 public:
  int64_t NowMs() const override { return kNow; }
  int64_t SteadyNs() const override { return ticks_.fetch_add(1) * 1'000'000'000; }

 private:
  mutable std::atomic<int64_t> ticks_ = 0;
};

TEST_F(ServiceTest, AnAnswerThatComesTooLateIsAnError) {
  Train();
  const HurryingClock late;
  Storefront storefront(sites_.get(), &late);
  RecommendRequest request;
  request.context = ContextOf("c1");
  request.context.deadline_ms = 100;
  RecommendReply reply;
  EXPECT_THROW(storefront.recommend(reply, request), DeadlineExceeded);
}

TEST_F(ServiceTest, AModelIsThereAgainAfterARestart) {
  const ModelInfo trained = Train();
  Open();
  ModelInfo info;
  backoffice_->model_info(info, "shop");
  EXPECT_EQ(info.model_id, trained.model_id);
  EXPECT_EQ(Recommend("c1").model_id, trained.model_id);
}

TEST_F(ServiceTest, ADamagedModelIsNotServed) {
  const ModelInfo trained = Train();
  sites_.reset();
  const std::string path = dir_.File("shop/models/" + trained.model_id + ".model");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  const absl::Status status = Sites::OpenOne(dir_.path(), "shop", false).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(trained.model_id));
}

TEST_F(ServiceTest, RequestsNeverFailNorMixModelsWhileModelsAreSwapped) {
  std::set<std::string> models = {Train().model_id};
  std::atomic<bool> done = false;
  std::atomic<int> answers = 0;
  std::vector<std::set<std::string>> seen(2);
  std::vector<std::thread> readers;
  for (auto& ids : seen) {
    readers.emplace_back([&] {
      while (!done) {
        const RecommendReply reply = Recommend("c1");
        EXPECT_EQ(reply.suggestions.size(), 5u);
        ids.insert(reply.model_id);
        ++answers;
      }
    });
  }
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(1000);
    models.insert(Train().model_id);
    for (const int before = answers; answers < before + 2;) std::this_thread::yield();
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(models.size(), 6u);
  for (const auto& ids : seen) {
    for (const std::string& id : ids) EXPECT_EQ(models.count(id), 1u) << id;
  }
}

TEST_F(ServiceTest, TrainingGivesWayToWhoeverAsksMeanwhile) {
  const int before = ::getpriority(PRIO_PROCESS, 0);
  int training = before;
  Backoffice backoffice(sites_.get(), &clock_, [&training](const TrainProgress&) {
    training = ::getpriority(PRIO_PROCESS, 0);
  });
  TrainRequest request;
  request.site = "shop";
  ModelInfo info;
  backoffice.train(info, request);
  EXPECT_GT(training, before);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), before);
}

TEST_F(ServiceTest, OnlyTheOwnerWritesAndACheckpointIsLeftClean) {
  EXPECT_TRUE(absl::IsFailedPrecondition(Sites::OpenOne(dir_.path(), "shop", false).status()));
  std::string copy;
  backoffice_->checkpoint(copy, "shop");
  EXPECT_EQ(Value(WebHouse::OpenCheckpoint(copy))->GetTotals().events, 480);
  Train();
  Open();
  EXPECT_FALSE(std::filesystem::exists(dir_.File("shop/checkpoints")));
}

TEST_F(ServiceTest, ListsCustomersPageByPage) {
  ASSERT_OK(DeriveAll(&Shop()->house(), nullptr));
  std::vector<std::string> ids;
  std::string after;
  while (true) {
    std::vector<Customer> page;
    backoffice_->customers(page, "shop", after, 33);
    if (page.empty()) break;
    for (const Customer& customer : page) ids.push_back(customer.id);
    after = ids.back();
  }
  EXPECT_EQ(ids.size(), 80u);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
}

TEST(ValidSiteName, KeepsSitesInsideTheDataFolder) {
  EXPECT_OK(ValidSiteName("gifts-2_b"));
  for (const char* name : {"", "..", "a/b", "A", "a b"}) EXPECT_FALSE(ValidSiteName(name).ok());
}

// --- Robots ---

std::vector<std::string> Shown(const std::vector<Robot>& robots) {
  std::vector<std::string> shown;
  for (const Robot& robot : robots) {
    shown.push_back(absl::StrCat(robot.__isset.customer_id ? robot.customer_id : "",
                                 robot.__isset.visitor_id ? "v:" + robot.visitor_id : "", " ",
                                 absl::StrJoin(robot.verdict.sources, " ")));
  }
  return shown;
}

TEST_F(ServiceTest, ARobotIsCountedApartShownAndSpokenFreeByAnOperator) {
  TrackRequest request;
  request.context.site = "shop";
  request.events = {MakeEvent("r1", "v:bot", kNow, EventKind::PAGE_VIEW),
                    MakeEvent("r2", "v:person", kNow, EventKind::PAGE_VIEW)};
  request.events[0].__set_user_agent("AcmeBot/1.0 (Linux)");
  TrackReply reply;
  storefront_->track(reply, request);
  EXPECT_EQ(reply.robot, 1);
  EXPECT_EQ(reply.accepted, 1);

  const auto robots = [&](const std::string& customer = "", const std::string& visitor = "") {
    std::vector<Robot> found;
    backoffice_->robots(found, "shop", customer, visitor, 10);
    return Shown(found);
  };
  ASSERT_OK(Shop()->Derive());
  ASSERT_THAT(robots(), ::testing::ElementsAre(::testing::HasSubstr("v:bot generic:robot_name")));
  backoffice_->decide_robot("shop", "", "bot", RobotDecision::NO_ROBOT);
  backoffice_->decide_robot("shop", "c1", "", RobotDecision::ROBOT);
  EXPECT_THAT(robots(), ::testing::ElementsAre("c1 operator", "v:bot "));
  EXPECT_THAT(robots("c1"), ::testing::ElementsAre("v:bot "));
  EXPECT_EQ(Value(Shop()->house().GetCustomer("c1")).orders, 0);
  backoffice_->decide_robot("shop", "c1", "", RobotDecision::AUTOMATIC);
  EXPECT_EQ(Value(Shop()->house().GetCustomer("c1")).orders, 6);
  EXPECT_THROW(backoffice_->decide_robot("shop", "", "", RobotDecision::ROBOT), InvalidRequest);
  EXPECT_THROW(backoffice_->decide_robot("shop", "c1", "", static_cast<RobotDecision>(9)),
               InvalidRequest);
}

TEST_F(ServiceTest, ListsThatWerePutIntoTheFolderCountWhenTheyAreReadAgain) {
  Event event = MakeEvent("r1", "v:x", kNow, EventKind::PAGE_VIEW);
  event.__set_user_agent("Mozilla/5.0 (Windows NT 10.0) Gecko Sneaky/1");
  ASSERT_OK(Shop()->house().Track({event}, {}, Ack::kApplied).status());
  ASSERT_OK(Shop()->Derive());
  std::vector<Robot> robots;
  backoffice_->robots(robots, "shop", "", "", 10);
  EXPECT_TRUE(robots.empty());

  std::filesystem::create_directory(dir_.File("robots"));
  std::ofstream(dir_.File("robots/mine.json")) << R"([{"pattern": "Sneaky"}])";
  std::ofstream(dir_.File("robots/README")) << "no list";
  backoffice_->relist_robots("shop");
  backoffice_->robots(robots, "shop", "", "", 10);
  EXPECT_THAT(Shown(robots), ::testing::ElementsAre("v:x list:mine"));
  std::vector<RobotListInfo> lists;
  backoffice_->robot_lists(lists, "shop");
  ASSERT_EQ(lists.size(), 2u);
  EXPECT_EQ(lists[0].source, "list:uap-core");
  EXPECT_EQ(lists[1].source, "list:mine");
  EXPECT_EQ(lists[1].patterns, 1);
}

}  // namespace
}  // namespace vitrine
