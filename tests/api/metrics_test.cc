// What Prometheus is told, and whom.

#include "api/metrics/metrics.h"

#include <memory>
#include <string>
#include <thread>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "api/metrics/call_counts.h"
#include "api/metrics/process_figures.h"
#include "tests/api/service_testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::Value;

TEST(DurationsTest, EachIsInTheFirstBucketThatHoldsIt) {
  Durations durations;
  for (const int64_t ns : {int64_t{1}, int64_t{200'000}, int64_t{200'001}, int64_t{60'000'000'000}})
    durations.Add(ns);
  const auto counts = durations.counts();
  EXPECT_EQ(counts.front(), 2);
  EXPECT_EQ(counts[1], 1);
  EXPECT_EQ(counts.back(), 1);
  EXPECT_EQ(durations.sum_ns(), 60'000'400'002);
}

TEST(CallCountsTest, ManyThreadsThatMeetNewMethodsLoseNoCall) {
  CallCounts counts;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&counts] {
      for (int i = 0; i < 2000; ++i) counts.Count(absl::StrCat("m", i % 100), 0, i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  size_t methods = 0;
  int64_t others = 0;
  counts.ForEach([&](const CallCounts::Method& method) {
    ++methods;
    if (method.name == "other") {
      others = method.outcomes[0];
    } else {
      EXPECT_EQ(method.outcomes[0], 80) << method.name;
    }
  });
  EXPECT_EQ(methods, limits::kMetricMethodsMax + 1);
  EXPECT_EQ(others, 36 * 80);
  EXPECT_EQ(counts.total(), 8000);
}

TEST(ProcessFiguresTest, AreThoseOfThisProcess) {
  const ProcessFigures figures = ReadProcessFigures();
  EXPECT_GT(figures.resident_bytes, 1 << 20);
  EXPECT_GE(figures.virtual_bytes, figures.resident_bytes);
  EXPECT_GE(figures.threads, 1);
  EXPECT_GE(figures.open_descriptors, 3);
  EXPECT_GE(figures.descriptors_max, figures.open_descriptors);
  EXPECT_NEAR(figures.start_time_seconds, static_cast<double>(Clock::System().NowMs()) * 1e-3, 600);
}

class MetricsTest : public testing::ServiceTest {
 protected:
  Metrics Make(bool keys_required) {
    gatekeeper_ = std::make_unique<Gatekeeper>(sites_.get(),
                                               Gatekeeper::Options{keys_required, "the local key"});
    return Metrics({.sites = sites_.get(),
                    .gatekeeper = gatekeeper_.get(),
                    .keys_required = keys_required,
                    .servers = {{"storefront", counts_}},
                    .degraded = [] { return 5; },
                    .clock = &clock_});
  }
  // The value of a line, "" if it is not there.
  static std::string ValueOf(const std::string& text, absl::string_view name) {
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      if (absl::StartsWith(line, name) && line[name.size()] == ' ') {
        return std::string(line.substr(name.size() + 1));
      }
    }
    return "";
  }

  const std::shared_ptr<ServerCounts> counts_ = std::make_shared<ServerCounts>();
  std::unique_ptr<Gatekeeper> gatekeeper_;
};

TEST_F(MetricsTest, FiguresOfASiteFollowWhatHappensThere) {
  const Metrics metrics = Make(false);
  const char* const accepted =
      "vitrine_track_events_total{site=\"shop\",outcome=\"accepted\",reason=\"\"}";
  std::string text = Value(metrics.Text(""));
  EXPECT_EQ(ValueOf(text, accepted), "480");
  EXPECT_EQ(ValueOf(text, "vitrine_model_loaded{site=\"shop\"}"), "0");
  EXPECT_EQ(ValueOf(text, "vitrine_training_last_outcome{site=\"shop\",outcome=\"published\"}"),
            "0");
  Train();
  clock_.Advance(7000);
  Recommend("c1");
  TrackRequest track;
  track.context = ContextOf("c1");
  track.events.push_back(testing::MakeEvent("n1", "c1", clock_.NowMs(), EventKind::VIEW_ITEM,
                                            testing::ProductId(0, 0)));
  track.events.push_back(track.events[0]);
  track.events[1].id = "n2";
  track.events[1].time_ms = clock_.NowMs() + testing::kDayMs;
  TrackReply reply;
  storefront_->track(reply, track);
  text = Value(metrics.Text(""));
  EXPECT_EQ(ValueOf(text, "vitrine_model_loaded{site=\"shop\"}"), "1");
  EXPECT_EQ(ValueOf(text, "vitrine_model_age_seconds{site=\"shop\"}"), "7");
  EXPECT_EQ(ValueOf(text, "vitrine_training_last_outcome{site=\"shop\",outcome=\"published\"}"),
            "1");
  EXPECT_EQ(ValueOf(text, "vitrine_exposures_written_total{site=\"shop\"}"), "1");
  EXPECT_EQ(ValueOf(text, accepted), "481");
  EXPECT_EQ(ValueOf(text,
                    "vitrine_track_events_total{site=\"shop\",outcome=\"rejected\","
                    "reason=\"time_in_future\"}"),
            "1");
  EXPECT_EQ(ValueOf(text, "vitrine_quarantined_rows{site=\"shop\"}"), "1");
  EXPECT_EQ(ValueOf(text, "vitrine_live_visits{site=\"shop\"}"), "1");
  EXPECT_EQ(ValueOf(text, "vitrine_requests_degraded_total"), "5");
  // Of customers there is nothing.
  EXPECT_THAT(text, Not(HasSubstr("c1\"")));
}

TEST_F(MetricsTest, HistogramsAddUp) {
  for (const int64_t ms : {1, 3, 3, 700}) counts_->calls.Count("recommend", 0, ms * 1'000'000);
  counts_->calls.Count("recommend", 3, 1);  // a refusal, which would look fast
  const std::string text = Value(Make(false).Text(""));
  const std::string labels = "{service=\"storefront\",method=\"recommend\"";
  const std::string name = "vitrine_request_duration_seconds";
  EXPECT_EQ(ValueOf(text, absl::StrCat(name, "_count", labels, "}")), "4");
  EXPECT_EQ(ValueOf(text, absl::StrCat(name, "_bucket", labels, ",le=\"0.001\"}")), "1");
  EXPECT_EQ(ValueOf(text, absl::StrCat(name, "_bucket", labels, ",le=\"0.005\"}")), "3");
  EXPECT_EQ(ValueOf(text, absl::StrCat(name, "_bucket", labels, ",le=\"+Inf\"}")), "4");
  EXPECT_EQ(
      ValueOf(text, absl::StrCat("vitrine_requests_total", labels, ",outcome=\"overloaded\"}")),
      "1");
}

// The names of outcomes are by the numbers of the exceptions in the IDL.
TEST_F(MetricsTest, AnOutcomeIsCalledAsTheExceptionThatItIs) {
  Storefront_recommend_result result;
  result.__isset.unauthorized = true;
  const auto buffer = std::make_shared<apache::thrift::transport::TMemoryBuffer>();
  apache::thrift::protocol::TBinaryProtocol protocol(buffer);
  result.write(&protocol);
  const std::string bytes = buffer->getBufferAsString();
  counts_->calls.Count("recommend", static_cast<size_t>(bytes[2]), 1);
  EXPECT_EQ(ValueOf(Value(Make(false).Text("")),
                    "vitrine_requests_total{service=\"storefront\",method=\"other\","
                    "outcome=\"unauthorized\"}"),
            "1");
}

TEST_F(MetricsTest, WhereKeysAreWantedAKeyShowsTheFiguresOfItsSites) {
  const Metrics metrics = Make(true);
  for (const char* key : {"", "vk_0123456789abcdef_wrong"}) {
    EXPECT_TRUE(absl::IsUnauthenticated(metrics.Text(key).status())) << key;
  }
  const std::string front = Value(Shop()->keys().Create({.role = Role::STOREFRONT})).secret;
  EXPECT_TRUE(absl::IsUnauthenticated(metrics.Text(front).status())) << "it is in every page";
  const std::string reader = Value(Shop()->keys().Create({.role = Role::READ_ONLY})).secret;
  EXPECT_THAT(Value(metrics.Text(reader)), HasSubstr("site=\"shop\""));
  EXPECT_THAT(Value(metrics.Text("the local key")), HasSubstr("site=\"shop\""));
}

}  // namespace
}  // namespace vitrine
