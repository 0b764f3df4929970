#include "recommender/rank/rerank.h"

#include <cmath>
#include <functional>

#include "recommender/offline/rerank_train.h"
#include "tests/recommender/session_data.h"

namespace vitrine {
namespace {

using testing::Clicks;
using testing::DrawSession;
using ::testing::HasSubstr;
using testing::IndexOf;
using testing::Value;

// A model as XGBoost writes it; lists without their brackets.
std::string Json(const std::string& left, const std::string& right, const std::string& features,
                 const std::string& conditions) {
  return R"({"learner":{"gradient_booster":{"name":"gbtree","model":{"trees":[{"left_children":[)" +
         left + R"(],"right_children":[)" + right + R"(],"split_indices":[)" + features +
         R"(],"split_conditions":[)" + conditions + "]}]}}}}";
}

TEST(TreeEnsemble, WalksAsTheTreeSays) {
  // x1 < 2 ? -1 : (x0 < 0.5 ? 10 : 20)
  const TreeEnsemble trees = Value(TreeEnsemble::Parse(
      Json("1,-1,3,-1,-1", "2,-1,4,-1,-1", "1,0,0,0,0", "2,-1,0.5,10,20"), 2, 100));
  EXPECT_EQ(trees.trees(), 1u);
  std::vector<float> scores(4);
  trees.Score(std::vector<float>{9, 1, 0.4f, 2, 0.5f, 2, 0.5f, 3}, scores);
  EXPECT_THAT(scores, ::testing::ElementsAre(-1, 10, 20, 20));
}

TEST(TreeEnsemble, SaysWhatIsWrongWithAModel) {
  const auto message = [](const std::string& json) {
    return std::string(TreeEnsemble::Parse(json, 2, 100).status().message());
  };
  EXPECT_THAT(message("{"), HasSubstr("parse error"));
  EXPECT_THAT(message("{}"), HasSubstr("learner"));
  EXPECT_THAT(message(Json("1,-1", "2,-1", "0,0", "1,1")), HasSubstr("node 0 has child 2"));
  EXPECT_THAT(message(Json("1,-1,-1", "2,-1,-1", "7,0,0", "1,1,1")),
              HasSubstr("splits on feature 7 of 2"));
  EXPECT_THAT(message(Json("0", "0", "0", "1")), HasSubstr("deeper than 8"));  // its own child
  EXPECT_THAT(message(Json("-1", "-1,-1", "0", "1")), HasSubstr("differ in length"));
  EXPECT_THAT(message(Json("", "", "", "")), HasSubstr("are empty"));
  EXPECT_FALSE(TreeEnsemble::Parse(Json("-1", "-1", "0", "1"), 2, 0).ok());
}

TEST(TreeEnsemble, ComesBackFromItsBytesAndFromNoOthers) {
  const TreeEnsemble trees = Value(TreeEnsemble::Parse(
      Json("1,-1,3,-1,-1", "2,-1,4,-1,-1", "1,0,0,0,0", "2,-1,0.5,10,20"), 2, 100));
  const std::string bytes = trees.Encode();
  EXPECT_EQ(Value(TreeEnsemble::Decode(bytes)), trees);
  const TreeEnsemble leaf = Value(TreeEnsemble::Parse(Json("-1", "-1", "0", "1"), 0, 1));
  EXPECT_EQ(Value(TreeEnsemble::Decode(leaf.Encode())), leaf);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(TreeEnsemble::Decode(bytes.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(TreeEnsemble::Decode(bytes + "1234").ok());
  const auto with = [&](size_t at, uint32_t value) {
    std::string changed = bytes;
    changed.replace(at, sizeof(value), reinterpret_cast<const char*>(&value), sizeof(value));
    return TreeEnsemble::Decode(changed).status();
  };
  EXPECT_EQ(with(0, 9).code(), absl::StatusCode::kDataLoss) << "depth";
  EXPECT_FALSE(with(0, 40).ok());
  EXPECT_FALSE(with(4, 1).ok()) << "features";
  EXPECT_FALSE(with(8, 0).ok()) << "trees";
  EXPECT_FALSE(with(8, ~0u).ok());
  EXPECT_FALSE(with(12, 1).ok()) << "unused";
  EXPECT_FALSE(with(bytes.size() - 4, 0x7f800000).ok()) << "an infinite leaf";
  EXPECT_FALSE(with(16 + 3 * 4, 0x7fc00000).ok()) << "a threshold that is no number";
}

// Sessions in which what follows depends on the product before: trees have something to learn.
std::vector<Clicks> ManySessions(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Clicks> sessions(count);
  for (Clicks& session : sessions) session = DrawSession(&random, 150, 8);
  return sessions;
}

SessionQuestions Ask(const std::vector<Clicks>& sessions) {
  SessionLog log;
  for (const Clicks& clicks : sessions) log.Append(clicks);
  return AskEveryClick(log, nullptr);
}

// That XGBoost and our walk agree is checked by TrainReranker itself.
TEST(Reranker, OrdersTheBlendsHeadByItsTrees) {
  const auto index = IndexOf(ManySessions(1500, 1));
  const BlendSettings blend = BlendSettings::Default();
  const RerankTraining training = Value(TrainReranker(
      *index, Ask(ManySessions(200, 2)), blend, {.trees = 20, .stopping = 0.3, .threads = 1}));
  EXPECT_GT(training.trees.trees(), 0u);
  Reranker reranker = Value(Reranker::Make(blend, training.trees));
  SessionBlend plain = Value(SessionBlend::Make(blend));
  RerankDescriber describer;
  std::mt19937 random(3);
  for (int q = 0; q < 30; ++q) {
    const SessionIndex::Reader reader(*index);
    const Clicks clicks = DrawSession(&random, 150, 8);
    std::vector<Scored> head;
    std::vector<float> rows;
    plain.Rank(reader, clicks, {.k = kRerankDepth, .hide_seen = q % 2 == 0}, &head);
    describer.Describe(reader, plain, clicks, head, &rows);
    std::vector<float> scores(head.size());
    training.trees.Score(rows, scores);
    std::vector<Scored> expected;
    for (size_t i = 0; i < head.size(); ++i) expected.push_back({head[i].product, scores[i]});
    std::stable_sort(expected.begin(), expected.end(),
                     [](const Scored& a, const Scored& b) { return a.score > b.score; });
    expected.resize(std::min<size_t>(20, expected.size()));
    std::vector<Scored> list;
    reranker.Rank(reader, clicks, {.k = 20, .hide_seen = q % 2 == 0}, &list);
    EXPECT_EQ(list, expected);
  }
}

TEST(RerankTraining, LearnsAsManyTreesAsItIsToldWhereNothingStopsIt) {
  const auto index = IndexOf(ManySessions(1500, 1));
  const RerankTraining training =
      Value(TrainReranker(*index, Ask(ManySessions(200, 2)), BlendSettings::Default(),
                          {.trees = 7, .stopping = 0, .threads = 1}));
  EXPECT_EQ(training.trees.trees(), 7u);
}

TEST(Reranker, DescribesProductsAsItsHeaderSays) {
  std::vector<Clicks> sessions(100, Clicks{5, 6});
  for (size_t s = 96; s < 100; ++s) sessions[s] = {5, 7};
  const auto index = IndexOf(sessions);
  const SessionIndex::Reader reader(*index);
  SessionBlend blend =
      Value(SessionBlend::Make({.sources = {{"rules", RuleSettings{.recency = 0}, 1, 1}}}));
  std::vector<Scored> list;
  blend.Rank(reader, Clicks{6, 6, 5}, {.k = 10}, &list);
  ASSERT_EQ(list.size(), 3u);
  std::vector<float> rows;
  RerankDescriber().Describe(reader, blend, Clicks{6, 6, 5}, list, &rows);
  ASSERT_EQ(rows.size(), 3 * RerankFeatures(1));
  const auto source = blend.SourceList(0);
  for (size_t i = 0; i < 3; ++i) {
    const std::span<const float> row = std::span(rows).subspan(i * RerankFeatures(1));
    EXPECT_FLOAT_EQ(row[0], source[i].score / source[0].score);
    EXPECT_FLOAT_EQ(row[1], 1 / float(i + 1));
    EXPECT_NEAR(row[2], std::log(source[i].score), 1e-4);
    const uint32_t product = list[i].product;
    EXPECT_EQ(row[3], product == 5 ? 0 : product == 6 ? 1 : 99);
    EXPECT_EQ(row[4], product == 5 ? 1 : product == 6 ? 2 : 0);
    EXPECT_EQ(row[5], 3);
    EXPECT_FLOAT_EQ(row[6], 2.0f / 3);
    const float all = product == 5 ? 100 : product == 6 ? 96 : 4;
    const float recent = product == 5 ? 5 : product == 6 ? 1 : 4;
    const float newest = product == 6 ? 0 : 1;
    EXPECT_FLOAT_EQ(row[7], std::log(1 + all));
    EXPECT_FLOAT_EQ(row[8], std::log(1 + recent));
    EXPECT_FLOAT_EQ(row[9], std::log(1 + newest));
    EXPECT_FLOAT_EQ(row[10], std::log((1 + recent) / (5 + all)));
    EXPECT_FLOAT_EQ(row[11], list[i].score / list[0].score);
  }
}

TEST(Reranker, RefusesTreesOfAnotherBlend) {
  const TreeEnsemble trees = Value(TreeEnsemble::Parse(Json("-1", "-1", "0", "1"), 12, 1));
  EXPECT_TRUE(Reranker::Make({.sources = {{"repeat", RepeatSettings{}, 1, 1}}}, trees).ok());
  EXPECT_THAT(Reranker::Make(BlendSettings::Default(), trees).status().message(),
              HasSubstr("it looks at 12 features, 6 sources have 27"));
}

TEST(RerankTraining, NeedsSomethingToLearnFrom) {
  const auto index = IndexOf(ManySessions(50, 1));
  const auto training =
      TrainReranker(*index, Ask(ManySessions(10, 2)), BlendSettings::Default(), {});
  EXPECT_EQ(training.status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace vitrine
