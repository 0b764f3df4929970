#include "recommender/rank/fold_in.h"

#include "Eigen/QR"

#include "recommender/learn/als/als.h"
#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using testing::DrawProduct;
using testing::kDayMs;
using testing::kNewestMs;
using testing::MakeEvent;
using testing::ProductName;
using testing::TasteShape;
using testing::Value;

constexpr TasteShape kShape;

// Histories newest first, of several kinds of events.
std::vector<std::vector<Event>> MakeHistories(uint32_t seed) {
  std::mt19937 random(seed);
  const EventKind kinds[] = {VIEW_ITEM, PURCHASE, ADD_TO_CART, LOGIN};
  std::vector<std::vector<Event>> histories(80);
  for (std::vector<Event>& history : histories) {
    for (size_t i = 0; i < 1 + random() % 40; ++i) {
      history.push_back(MakeEvent("e", "c", kNewestMs - static_cast<int64_t>(i) * kDayMs,
                                  kinds[random() % 4],
                                  ProductName(DrawProduct(random() % 3, kShape, &random))));
    }
  }
  histories[0][0].kind = PURCHASE;  // so that the newest event counts
  return histories;
}

Interactions Gather(const std::vector<std::vector<Event>>& histories) {
  InteractionsBuilder builder(WeightSettings(), kNewestMs);
  for (const std::vector<Event>& history : histories) {
    for (const Event& e : history) builder.Add(e.kind, e.time_ms, e.items[0].product_id);
    builder.EndPerson();
  }
  return std::move(builder).Build();
}

TEST(FoldIn, OfATrainedPersonIsTheTrainedVector) {
  const std::vector<std::vector<Event>> histories = MakeHistories(51);
  const Interactions interactions = Gather(histories);
  const AlsSettings als{.factors = 16};
  const Model model =
      Value(TrainModel(interactions, {.als = als, .now_ms = kNewestMs + 99 * kDayMs}));
  const AlsFactors trained = TrainAls(interactions.by_person, als);

  Eigen::Index person = 0;
  for (const std::vector<Event>& history : histories) {
    const Profile profile = MakeProfile(model, history);
    if (profile.cells.empty()) continue;
    const Eigen::VectorXf& taste = profile.taste;
    const Eigen::VectorXf expected = trained.persons.row(person++);
    EXPECT_LT((taste - expected).norm(), 1e-5 * expected.norm());
  }
  EXPECT_EQ(person, trained.persons.rows());
}

// As models are that were trained before factors came out of training in their eigenbasis.
TEST(FoldIn, ScoresAlikeInWhateverBasisTheFactorsLie) {
  for (const uint32_t d : {8u, 16u, 24u}) {
    const Model model = testing::MakeModel(kShape, 56, {.factors = d});
    EXPECT_EQ(model.fold_in.basis.size(), 0) << "no need to turn what training writes";
    const Eigen::MatrixXf random = Eigen::MatrixXf::Random(d, d);
    const Eigen::MatrixXf turn = random.householderQr().householderQ();
    ModelParts parts = PartsOf(model);
    parts.factors = model.factors * turn;
    const Model turned = Value(MakeModel(parts));
    EXPECT_NE(turned.fold_in.basis.size(), 0);
    const std::vector<Cell> history = {{1, 3}, {5, 1}, {30, 0.5f}};
    const Eigen::VectorXf expected = model.factors * Taste(model, history, {}, 0);
    const Eigen::VectorXf scores = turned.factors * Taste(turned, history, {}, 0);
    EXPECT_LT((scores - expected).norm(), 1e-5 * expected.norm()) << d;
  }
}

TEST(FoldIn, LeavesOutProductsThatTheModelDoesNotKnow) {
  const Model model = testing::MakeModel(kShape, 52);
  const std::vector<Event> history = {MakeEvent("1", "c", kNewestMs, PURCHASE, "unheard of"),
                                      MakeEvent("2", "c", kNewestMs, PURCHASE, ProductName(3)),
                                      MakeEvent("3", "c", kNewestMs, LOGIN, ProductName(4)),
                                      MakeEvent("4", "c", kNewestMs, SEARCH)};
  const Profile profile = MakeProfile(model, history);
  EXPECT_EQ(profile.cells.size(), 1u);
  EXPECT_EQ(profile.history_events, 1);
  EXPECT_EQ(profile.acts.size(), history.size()) << "each keeps a visit going";
}

TEST(FoldIn, WithoutASessionIsExactlyThePlainOne) {
  const Model model = testing::MakeModel(kShape, 53);
  const std::vector<Cell> history = {{1, 3}, {5, 1}};
  const Eigen::VectorXf plain = Taste(model, history, {}, 0);
  EXPECT_EQ(Taste(model, history, {}, 0.9f), plain);
  EXPECT_EQ(Taste(model, history, history, 0.9f), plain) << "the session is all there is";
  EXPECT_EQ(Taste(model, history, std::vector<Cell>{{1, 1}}, 0), plain) << "it has no share";
}

TEST(FoldIn, GivesSessionAndHistoryTheSameSpreadOfScores) {
  const Model model = testing::MakeModel(kShape, 54);
  std::vector<Cell> history;
  for (uint32_t p = 0; p < 50; ++p) history.push_back({p, 3});
  const std::vector<Cell> session = {{55, 1}};
  const Eigen::VectorXf whole = Taste(model, history, session, 0);
  const Eigen::VectorXf now = Taste(model, history, session, 1);
  EXPECT_NEAR((model.factors * now).norm(), (model.factors * whole).norm(),
              1e-3 * (model.factors * whole).norm());
  const Eigen::VectorXf alone = Taste(model, session, {}, 0);
  EXPECT_NEAR(now.normalized().dot(alone.normalized()), 1, 1e-5);
}

TEST(FoldIn, OfNothingIsZero) {
  const Model model = testing::MakeModel(kShape, 55);
  EXPECT_TRUE(MakeProfile(model, {}).taste.isZero(0));
}

}  // namespace
}  // namespace vitrine
