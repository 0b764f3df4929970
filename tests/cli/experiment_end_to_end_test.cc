// An experiment from its plan to its decision, through a real server: simulated customers ask for
// shelves, get an arm, and buy as often as their arm makes them. What is true is known here.
//
// VITRINE_EXPERIMENT_RUNS: how many experiments are run to their end (else a few).
// VITRINE_EXPERIMENT_SITE: the folder of a site with a model, which is copied (else a small shop).

#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "api/client/client.h"
#include "experiments/analysis/experiment_report.h"
#include "experiments/sequential/planning.h"
#include "store/base/clock.h"
#include "store/web_house.h"
#include "tests/testing/process.h"

namespace vitrine {
namespace {

using experiments::Decision;
using testing::MakeEvent;
using testing::Process;
using testing::TempDir;
using testing::Value;
using testing::Vitrine;

constexpr int kTimeoutMs = 10'000;
constexpr char kSite[] = "shop";
constexpr int kLooks = 10;
constexpr int kRunsInOneShop = 10;
constexpr uint64_t kSeed = 20261128;
// What the arms make of a visitor, and so the least effect that the experiment is planned to find.
constexpr double kControlBuys = 0.5;
constexpr double kLift = 0.4;
constexpr double kPower = 0.95;

int64_t PlannedUnits() {
  const double per_arm = Value(experiments::SequentialUnitsForLift(
      {.mean = kControlBuys, .variance = kControlBuys * (1 - kControlBuys), .power = kPower},
      kLift));
  return 2 * static_cast<int64_t>(std::ceil(per_arm));
}

Experiment Trial(const std::string& id) {
  Experiment experiment;
  experiment.id = id;
  experiment.hypothesis = "best sellers sell better";
  experiment.placement = "home";
  experiment.planned_units = PlannedUnits();
  experiment.arms.resize(2);
  experiment.arms[0].id = "as-it-is";
  experiment.arms[1].id = "popular";
  experiment.arms[1].recipe.emplace_back().source = Source::POPULAR;
  return experiment;
}

// Some customers who bought some products, without which there is no model.
void FillSmallShop(const std::string& data) {
  const auto house = Value(WebHouse::Open({.directory = absl::StrCat(data, "/", kSite, "/db")}));
  const int64_t now_ms = Clock::System().NowMs();
  std::vector<Event> events;
  for (int i = 0; i < 400; ++i) {
    events.push_back(MakeEvent(absl::StrCat("e", i), absl::StrCat("c", i % 60),
                               now_ms - (i + 1) * int64_t{3'600'000}, EventKind::PURCHASE,
                               absl::StrCat("p", i * 7 % 40)));
  }
  ASSERT_OK(house->Track(events, {}, Ack::kApplied).status());
}

// A site behind a server of its own, which can be killed and started again.
class LiveShop {
 public:
  LiveShop() {
    const char* const site = std::getenv("VITRINE_EXPERIMENT_SITE");
    if (site == nullptr) {
      FillSmallShop(dir_.path());
    } else {
      std::filesystem::copy(site, dir_.File(kSite), std::filesystem::copy_options::recursive);
    }
    Start();
    if (site != nullptr) return;
    TrainRequest request;
    request.site = kSite;
    request.__set_factors(8);
    ModelInfo info;
    backoffice_->call().train(info, request);
  }

  void Start() {
    server_ = std::make_unique<Process>(
        Vitrine({"serve", "--data", dir_.path(), "--port", "0", "--admin-port", "0", "--no-http"}));
    std::string out;
    const auto patience = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while ((out = server_->OutSoFar()).find('\n') == std::string::npos &&
           std::chrono::steady_clock::now() < patience) {
      std::this_thread::yield();
    }
    const std::vector<std::string> words =
        absl::StrSplit(out, absl::ByAnyChar(": \n"), absl::SkipEmpty());
    int backoffice_port = 0;
    ASSERT_TRUE(words.size() > 5 && absl::SimpleAtoi(words[2], &port_) &&
                absl::SimpleAtoi(words[5], &backoffice_port))
        << out;
    backoffice_ =
        Value(Connection<BackofficeClient>::Open("127.0.0.1", backoffice_port, 6 * kTimeoutMs));
  }
  void Kill() {
    server_->Signal(SIGKILL);
    ASSERT_EQ(server_->Wait().exit_code, 128 + SIGKILL);
  }

  int port() const { return port_; }

  void Begin(const Experiment& experiment) {
    ExperimentChange change;
    backoffice_->call().set_experiment(change, kSite, experiment, 0, "op", "");
    Move(experiment.id, ExperimentStatus::RUNNING);
  }
  void Move(const std::string& id, ExperimentStatus to) {
    ExperimentChange change;
    backoffice_->call().move_experiment(change, kSite, id, to, "op", "");
  }

  struct Look {
    experiments::ExperimentCounts counts;
    experiments::Verdict verdict;
  };
  // As `vitrine experiment report` looks. `read` is given the store as it was then.
  Look LookAt(
      const std::string& id,
      const std::function<void(const WebHouse&)>& read = [](const WebHouse&) {}) {
    std::vector<ExperimentVersion> versions;
    backoffice_->call().experiment_history(versions, kSite, id, 1);
    std::string copy;
    backoffice_->call().checkpoint(copy, kSite);
    Look look;
    {
      const std::unique_ptr<WebHouse> house = Value(WebHouse::OpenCheckpoint(copy));
      const int64_t now_ms = Clock::System().NowMs();
      const Experiment& experiment = versions.at(0).content;
      look.counts = Value(experiments::CountExperiment(*house, experiment, {.now_ms = now_ms}));
      look.verdict = Value(experiments::JudgeExperiment(experiment, look.counts, now_ms));
      read(*house);
    }
    std::filesystem::remove_all(copy);
    return look;
  }

 private:
  TempDir dir_;
  std::unique_ptr<Process> server_;
  int port_ = 0;
  std::unique_ptr<Connection<BackofficeClient>> backoffice_;
};

// What the server acknowledged.
struct Acknowledged {
  std::map<std::string, std::pair<std::string, std::string>> shown;  // visitor: reply's id, arm
  std::set<std::string> bought;                                      // visitors
};

// Customers of one experiment, one after the other: each asks, sees, and buys or does not. Who gets
// which arm and who buys follows from names and seed, whatever the clock does.
class Customers {
 public:
  // What they buy is told so many orders at a time.
  Customers(std::string experiment, std::string prefix, uint64_t seed, size_t orders_at_once)
      : experiment_(std::move(experiment)),
        prefix_(std::move(prefix)),
        orders_at_once_(orders_at_once),
        random_(seed) {}

  void Connect(int port) {
    storefront_ = Value(Connection<StorefrontClient>::Open("127.0.0.1", port, kTimeoutMs));
  }

  // False: the server is gone. Whoever was not answered comes again next time.
  bool One() {
    const std::string visitor = absl::StrCat(prefix_, next_);
    if (next_ == draws_.size()) {
      draws_.push_back(std::uniform_real_distribution<double>(0, 1)(random_));
    }
    RecommendRequest request;
    request.context = ContextOf(visitor);
    request.k = 5;
    RecommendReply reply;
    if (!CatchThrift([&] { storefront_->call().recommend(reply, request); }).ok()) return false;
    std::string arm;
    for (const ShownArm& shown : reply.arms) {
      if (shown.experiment == experiment_) arm = shown.arm;
    }
    EXPECT_NE(arm, "") << visitor;
    // An answer that was lost is followed by another one, and both count as one unit.
    acknowledged.shown[visitor] = {reply.recommendation_id, arm};
    const double buys = arm == "popular" ? kControlBuys * (1 + kLift) : kControlBuys;
    if (draws_[next_] < buys) {
      Buy(visitor, reply);
      if (orders_.size() >= orders_at_once_ && !TellOrders()) return false;
    }
    ++next_;
    return true;
  }

  bool TellOrders() {
    if (orders_.empty()) return true;
    TrackRequest request;
    request.context = ContextOf("");
    for (const auto& [visitor, order] : orders_) request.events.push_back(order);
    TrackReply tracked;
    if (!CatchThrift([&] { storefront_->call().track(tracked, request); }).ok()) return false;
    EXPECT_EQ(tracked.accepted + tracked.duplicate + tracked.conflicting_duplicate,
              static_cast<int64_t>(orders_.size()));
    for (const auto& [visitor, order] : orders_) acknowledged.bought.insert(visitor);
    orders_.clear();
    return true;
  }

  size_t came() const { return next_; }
  Acknowledged acknowledged;

 private:
  static Context ContextOf(const std::string& visitor) {
    Context context;
    context.site = kSite;
    context.deadline_ms = kTimeoutMs;
    if (!visitor.empty()) context.__set_visitor_id(visitor);
    return context;
  }

  // Whoever comes again after a lost answer orders the same again.
  void Buy(const std::string& visitor, const RecommendReply& reply) {
    ASSERT_FALSE(reply.suggestions.empty());
    Event event =
        MakeEvent(absl::StrCat("order-", visitor), absl::StrCat("v:", visitor),
                  Clock::System().NowMs(), EventKind::PURCHASE, reply.suggestions.at(0).product_id);
    event.__set_order_id(event.id);
    event.__set_recommendation_id(reply.recommendation_id);
    orders_.insert_or_assign(visitor, std::move(event));
  }

  const std::string experiment_;
  const std::string prefix_;
  const size_t orders_at_once_;
  std::mt19937_64 random_;
  std::map<std::string, Event> orders_;  // not told yet
  std::unique_ptr<Connection<StorefrontClient>> storefront_;
  size_t next_ = 0;
  std::vector<double> draws_;
};

// What one experiment came to.
struct Ended {
  Decision decision = Decision::kUndecided;
  int64_t units = 0;
  bool holds_difference = false, holds_lift = false;
};

Ended RunToItsEnd(LiveShop* shop, int number) {
  const std::string id = absl::StrCat("trial-", number);
  const Experiment experiment = Trial(id);
  shop->Begin(experiment);
  Customers customers(id, absl::StrCat("v", number, "-"), kSeed + static_cast<uint64_t>(number),
                      /*orders_at_once=*/50);
  customers.Connect(shop->port());
  Ended ended;
  for (int look = 1; look <= kLooks && ended.decision != Decision::kTreatmentWins &&
                     ended.decision != Decision::kControlWins;
       ++look) {
    while (static_cast<int64_t>(customers.came()) < experiment.planned_units * look / kLooks) {
      if (!customers.One()) {
        ADD_FAILURE() << "the server is gone";
        return ended;
      }
    }
    EXPECT_TRUE(customers.TellOrders());
    const LiveShop::Look seen = shop->LookAt(id);
    ended.decision = seen.verdict.decision;
    ended.units = static_cast<int64_t>(customers.came());
    EXPECT_EQ(seen.counts.replies_unexposed, 0);
    if (seen.verdict.comparisons.empty()) continue;
    const experiments::MetricVerdict& primary = seen.verdict.comparisons.at(0);
    const auto holds = [](const experiments::Interval& interval, double truth) {
      return interval.low <= truth && truth <= interval.high;
    };
    ended.holds_difference = holds(primary.absolute, kControlBuys * kLift);
    ended.holds_lift = primary.relative && holds(*primary.relative, kLift);
  }
  shop->Move(id, ExperimentStatus::STOPPED);
  return ended;
}

TEST(ExperimentEndToEnd, DecidesAsOftenAsPlannedAndItsIntervalHoldsTheTruth) {
  const char* const wanted = std::getenv("VITRINE_EXPERIMENT_RUNS");
  const int runs = wanted == nullptr ? 4 : std::atoi(wanted);
  std::unique_ptr<LiveShop> shop;
  int right = 0, wrong = 0, difference = 0, lift = 0;
  int64_t units = 0;
  for (int run = 0; run < runs; ++run) {
    if (run % kRunsInOneShop == 0) {
      shop = nullptr;
      shop = std::make_unique<LiveShop>();
    }
    const Ended ended = RunToItsEnd(shop.get(), run);
    right += ended.decision == Decision::kTreatmentWins;
    wrong += ended.decision == Decision::kControlWins || ended.decision == Decision::kInvalid;
    difference += ended.holds_difference;
    lift += ended.holds_lift;
    units += ended.units;
    std::printf("%d: %s after %ld units, truth %s\n", run,
                std::string(experiments::DecisionName(ended.decision)).c_str(),
                static_cast<long>(ended.units), ended.holds_difference ? "inside" : "outside");
    std::fflush(stdout);
  }
  std::printf(
      "seed %lu, N* %ld: of %d experiments %d decided rightly, %d wrongly, after %.0f units (%.2f "
      "of N*); %d intervals of the difference and %d of the lift hold the truth\n",
      static_cast<unsigned long>(kSeed), static_cast<long>(PlannedUnits()), runs, right, wrong,
      static_cast<double>(units) / runs,
      static_cast<double>(units) / runs / static_cast<double>(PlannedUnits()), difference, lift);
  EXPECT_GE(right, 0.95 * runs);
  EXPECT_EQ(wrong, 0);
  const double chance = 2 * std::sqrt(0.05 * 0.95 * runs);  // of so few runs
  EXPECT_GE(difference, 0.95 * runs - chance);
  EXPECT_GE(lift, 0.95 * runs - chance);
}

// Units and conversions that `acknowledged` says, by arm.
using ByArm = std::map<std::string, std::pair<int64_t, int64_t>>;

ByArm Expected(const std::vector<Customers*>& all) {
  ByArm arms;
  for (const Customers* customers : all) {
    for (const auto& [visitor, shown] : customers->acknowledged.shown) {
      ++arms[shown.second].first;
      arms[shown.second].second += customers->acknowledged.bought.contains(visitor) ? 1 : 0;
    }
  }
  return arms;
}

ByArm Counted(const experiments::ExperimentCounts& counts) {
  ByArm arms;
  for (const experiments::ArmSums& arm : counts.arms) {
    const experiments::MetricSums& conversion = arm.metrics.at(0);
    arms[arm.name] = {conversion.units, static_cast<int64_t>(std::llround(conversion.sums[0]))};
  }
  return arms;
}

TEST(ExperimentEndToEnd, KeepsWhatItAcknowledgedWhenItIsKilled) {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  LiveShop shop;
  const Experiment experiment = Trial("killed");
  shop.Begin(experiment);
  Customers first("killed", "a", seed, 1), second("killed", "b", seed + 1, 1);
  const std::vector<Customers*> all = {&first, &second};
  std::atomic<int> came = 0;
  const auto come = [&came](Customers* customers, int64_t until) {
    while (static_cast<int64_t>(customers->came()) < until && customers->One()) ++came;
  };
  const auto both = [&](int64_t until, const std::function<void()>& meanwhile) {
    first.Connect(shop.port());
    second.Connect(shop.port());
    std::thread one([&] { come(&first, until); }), two([&] { come(&second, until); });
    meanwhile();
    one.join();
    two.join();
  };
  const int after = 100 + static_cast<int>(seed % 100);
  both(experiment.planned_units, [&] {
    while (came < after) std::this_thread::yield();
    shop.Kill();
  });
  ASSERT_LT(first.came() + second.came(), static_cast<size_t>(experiment.planned_units));

  shop.Start();
  int64_t lost = 0, otherwise = 0;
  const LiveShop::Look look = shop.LookAt("killed", [&](const WebHouse& house) {
    for (const Customers* customers : all) {
      for (const auto& [visitor, shown] : customers->acknowledged.shown) {
        const absl::StatusOr<Exposure> kept = house.GetExposure(shown.first);
        lost += kept.ok() ? 0 : 1;
        otherwise += kept.ok() && kept->arms.at(0).arm != shown.second ? 1 : 0;
      }
    }
  });
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(otherwise, 0);
  // At most the two calls that were under way are there beside what was acknowledged.
  const ByArm expected = Expected(all);
  for (const auto& [arm, counted] : Counted(look.counts)) {
    EXPECT_GE(counted.first, expected.at(arm).first) << arm;
    EXPECT_LE(counted.first, expected.at(arm).first + 2) << arm;
    EXPECT_GE(counted.second, expected.at(arm).second) << arm;
    EXPECT_LE(counted.second, expected.at(arm).second + 2) << arm;
  }

  // They come again, and so do the others: then it is exact.
  both(experiment.planned_units / 2, [] {});
  const LiveShop::Look end = shop.LookAt("killed");
  EXPECT_EQ(Counted(end.counts), Expected(all));
  EXPECT_EQ(end.counts.mixed, 0);
  EXPECT_EQ(end.counts.replies_unexposed, 0);
  std::printf("killed after %d customers, %zu exposures acknowledged, %ld lost\n", after,
              first.acknowledged.shown.size() + second.acknowledged.shown.size(),
              static_cast<long>(lost));
}

}  // namespace
}  // namespace vitrine
