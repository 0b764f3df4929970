// Every scorer against its plain twin: the formula of its header, with maps, looking at everything.

#include <cmath>
#include <functional>

#include "recommender/rank/blend.h"
#include "recommender/rank/session_repeat.h"
#include "recommender/rank/session_rules.h"
#include "recommender/rank/session_stan.h"
#include "recommender/rank/session_vmis.h"
#include "tests/recommender/session_data.h"

namespace vitrine {
namespace {

using testing::Clicks;
using testing::DrawSession;
using testing::IndexOf;
using ::testing::IsEmpty;
using testing::Value;

using Scores = std::map<uint32_t, double>;

struct PlainNeighbour {
  double similarity;
  size_t session;
  uint32_t match;  // the newest product that is shared
};

// The products of the last `count` clicks with their distances from the end.
std::map<uint32_t, size_t> Distances(const Clicks& clicks, size_t count) {
  std::map<uint32_t, size_t> distances;
  for (size_t d = 0; d < std::min(count, clicks.size()); ++d) {
    distances.try_emplace(clicks[clicks.size() - 1 - d], d);
  }
  return distances;
}

bool Has(const Clicks& clicks, uint32_t product) {
  return std::find(clicks.begin(), clicks.end(), product) != clicks.end();
}

size_t CountOf(const std::vector<Clicks>& sessions, uint32_t product) {
  return std::count_if(sessions.begin(), sessions.end(),
                       [&](const Clicks& clicks) { return Has(clicks, product); });
}

double Idf(const std::vector<Clicks>& sessions, uint32_t product) {
  const size_t count = CountOf(sessions, product);
  return count == 0 ? 0 : std::log((1 + double(sessions.size())) / double(count));
}

double Decayed(double age, double lambda) { return lambda == 0 ? 1 : std::exp(-age / lambda); }

uint32_t NewestShared(const Clicks& session, const std::map<uint32_t, size_t>& query) {
  uint32_t best = 0;
  size_t distance = 1'000'000;
  for (const auto& [product, d] : query) {
    if (Has(session, product) && d < distance) {
      best = product;
      distance = d;
    }
  }
  return best;
}

void KeepBest(std::vector<PlainNeighbour>* neighbours, size_t count) {
  std::sort(neighbours->begin(), neighbours->end(), [](const auto& a, const auto& b) {
    // What differs by rounding alone is equal; of equals the newer.
    if (std::abs(a.similarity - b.similarity) > 1e-5 * a.similarity) {
      return a.similarity > b.similarity;
    }
    return a.session > b.session;
  });
  if (neighbours->size() > count) neighbours->resize(count);
}

Scores PlainVmis(const std::vector<Clicks>& sessions, const Clicks& clicks,
                 const VmisSettings& settings) {
  const auto query = Distances(clicks, settings.last_clicks);
  const double window = std::min<double>(settings.last_clicks, clicks.size());
  std::vector<PlainNeighbour> neighbours;
  for (size_t s = sessions.size(); s-- > 0 && neighbours.size() < settings.recent_sessions;) {
    double similarity = 0;
    bool shares = false;
    for (const auto& [product, distance] : query) {
      if (!Has(sessions[s], product)) continue;
      shares = true;
      similarity += (window - double(distance)) / double(query.size());
    }
    if (!shares) continue;
    similarity /= std::pow(double(sessions[s].size()), settings.length_exponent);
    neighbours.push_back({similarity, s, NewestShared(sessions[s], query)});
  }
  KeepBest(&neighbours, settings.neighbours);
  double pairs = 0;
  for (const Clicks& session : sessions) {
    pairs += double(std::set<uint32_t>(session.begin(), session.end()).size());
  }
  Scores scores;
  for (const PlainNeighbour& n : neighbours) {
    const Clicks& session = sessions[n.session];
    const double match = std::max(1 - 0.1 * double(1 + query.at(n.match)), 0.05);
    for (const uint32_t product : std::set<uint32_t>(session.begin(), session.end())) {
      if (settings.hide_last && product == clicks.back()) continue;
      double idf = Idf(sessions, product);
      if (settings.idf_of_pairs) idf += std::log(pairs / double(sessions.size()));
      const double factor = settings.idf_offset + settings.idf_weight * idf;
      scores[product] += n.similarity * match * (factor > 0 ? factor : 1);
    }
  }
  return scores;
}

void DivideByPopularity(const std::vector<Clicks>& sessions, double exponent, Scores* scores) {
  for (auto& [product, score] : *scores) {
    score /= std::pow(double(CountOf(sessions, product)), exponent);
  }
}

Scores PlainStan(const std::vector<Clicks>& sessions, const Clicks& clicks,
                 const StanSettings& settings) {
  const auto query = Distances(clicks, settings.last_clicks);
  std::map<size_t, double> similarities;
  std::map<size_t, std::map<uint32_t, size_t>> shared;
  for (const auto& [product, distance] : query) {
    size_t found = 0;
    for (size_t s = sessions.size(); s-- > 0 && found < settings.sessions_per_product;) {
      if (!Has(sessions[s], product)) continue;
      ++found;
      shared[s][product] = distance;
      similarities[s] += Decayed(double(distance), settings.position_decay) *
                         std::pow(Idf(sessions, product), settings.idf_exponent);
    }
  }
  std::vector<PlainNeighbour> neighbours;
  for (const auto& [s, similarity] : similarities) {
    neighbours.push_back({similarity * Decayed(double(sessions.size() - s), settings.recency) /
                              std::pow(double(sessions[s].size()), settings.length_exponent),
                          s, NewestShared(sessions[s], shared[s])});
  }
  KeepBest(&neighbours, settings.neighbours);
  Scores scores;
  for (const PlainNeighbour& n : neighbours) {
    const Clicks& session = sessions[n.session];
    int match = 0;
    for (int i = 0; i < int(session.size()); ++i) {
      if (session[i] == n.match) match = i;
    }
    for (int i = 0; i < int(session.size()); ++i) {
      const double weight = i == match ? settings.matched
                            : i > match
                                ? Decayed(i - match, settings.spread)
                                : settings.before_match * Decayed(match - i, settings.spread);
      scores[session[i]] += n.similarity * weight;
    }
  }
  DivideByPopularity(sessions, settings.popularity_exponent, &scores);
  return scores;
}

Scores PlainRules(const std::vector<Clicks>& sessions, const Clicks& clicks,
                  const RuleSettings& settings) {
  Scores scores;
  for (const auto& [product, distance] : Distances(clicks, settings.last_clicks)) {
    Scores row;
    double sum = 0;
    size_t found = 0;
    for (size_t s = sessions.size(); s-- > 0 && found < settings.sessions_per_product;) {
      if (!Has(sessions[s], product)) continue;
      ++found;
      for (int a = 0; a < int(sessions[s].size()); ++a) {
        for (int b = 0; b < int(sessions[s].size()); ++b) {
          const int e = std::abs(a - b);
          if (sessions[s][a] != product || e == 0 || e > int(settings.steps)) continue;
          const double weight = Decayed(double(sessions.size() - s), settings.recency) *
                                std::pow(e, -settings.distance_exponent) *
                                (b > a ? 1 : settings.backward);
          row[sessions[s][b]] += weight;
          sum += weight;
        }
      }
    }
    const double premise = std::pow(settings.item_decay, double(distance));
    if (sum == 0 || premise < 1e-4) continue;
    for (const auto& [to, weight] : row) {
      scores[to] += premise * weight / std::pow(sum, settings.row_exponent);
    }
  }
  DivideByPopularity(sessions, settings.popularity_exponent, &scores);
  return scores;
}

void ExpectSame(const Scores& plain, ScoreMap* scores) {
  double largest = 0;
  for (const auto& [product, score] : plain) largest = std::max(largest, score);
  size_t above = 0;
  for (const auto& [product, score] : plain) {
    ASSERT_NEAR(scores->Get(product), score, 1e-4 * largest) << "product " << product;
    above += score > 0;
  }
  size_t given = 0;
  scores->ForEach([&](uint32_t product, float score) {
    given += score > 0;
    ASSERT_TRUE(plain.contains(product)) << "product " << product;
  });
  ASSERT_EQ(given, above);
}

template <typename Settings>
using PlainScorer = Scores (*)(const std::vector<Clicks>&, const Clicks&, const Settings&);

// Compares on many sets of sessions, with `draw`n settings.
template <typename Settings>
void CompareWithTwin(PlainScorer<Settings> plain,
                     const std::function<Settings(std::mt19937*)>& draw) {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const uint32_t products = 5 + random() % 40;
    std::vector<Clicks> sessions(1 + random() % 60);
    for (Clicks& session : sessions) session = DrawSession(&random, products);
    const auto index = IndexOf(sessions);
    const Settings settings = draw(&random);
    ASSERT_TRUE(Validate(settings).ok()) << Validate(settings);
    const auto scorer = MakeScorer({"one", settings, 1, 1});
    ScoreMap scores;
    for (int q = 0; q < 5; ++q) {
      const Clicks clicks = DrawSession(&random, products + 5, 30);  // some unknown to the index
      const SessionIndex::Reader reader(*index);
      scores.Clear();
      scorer->Score(reader, clicks, &scores);
      ASSERT_NO_FATAL_FAILURE(ExpectSame(plain(sessions, clicks, settings), &scores));
    }
  }
}

TEST(SessionScorers, VmisAgreesWithItsTwin) {
  CompareWithTwin<VmisSettings>(PlainVmis, [](std::mt19937* random) {
    if ((*random)() % 4 == 0) return VmisSettings::Serenade();
    // Which of many neighbours are kept is compared where equal similarities are exactly equal.
    const bool keep_all = (*random)() % 2 == 0;
    return VmisSettings{.last_clicks = 1 + uint32_t((*random)() % 15),
                        .recent_sessions = 1 + uint32_t((*random)() % 50),
                        .neighbours = keep_all ? 1000 : 1 + uint32_t((*random)() % 30),
                        .length_exponent = keep_all ? float((*random)() % 3) * 0.25f : 0,
                        .idf_offset = float((*random)() % 2),
                        .idf_weight = float((*random)() % 3),
                        .idf_of_pairs = (*random)() % 2 == 0,
                        .hide_last = (*random)() % 2 == 0};
  });
}

TEST(SessionScorers, StanAgreesWithItsTwin) {
  CompareWithTwin<StanSettings>(PlainStan, [](std::mt19937* random) {
    return StanSettings{.last_clicks = 1 + uint32_t((*random)() % 20),
                        .sessions_per_product = 1 + uint32_t((*random)() % 40),
                        .neighbours = 1000,
                        .position_decay = 0.5f + float((*random)() % 5),
                        .recency = float((*random)() % 3) * 20,
                        .spread = 1 + float((*random)() % 5),
                        .idf_exponent = float((*random)() % 3),
                        .before_match = float((*random)() % 3) * 0.5f,
                        .matched = float((*random)() % 3),
                        .popularity_exponent = float((*random)() % 3) * 0.2f};
  });
}

// Which of many neighbours are kept is compared where similarities differ by more than rounding.
TEST(SessionScorers, StanKeepsTheMostSimilarAndOfEqualsTheNewer) {
  std::vector<Clicks> sessions;
  for (uint32_t s = 0; s < 40; ++s) sessions.push_back({1, 100 + s});
  sessions.push_back({2, 1});
  const auto index = IndexOf(sessions);
  const SessionIndex::Reader reader(*index);
  StanScorer scorer({.neighbours = 3, .recency = 0, .idf_exponent = 0, .length_exponent = 0});
  ScoreMap scores;
  scorer.Score(reader, Clicks{2, 1}, &scores);
  EXPECT_GT(scores.Get(139), 0);  // the newest two of the equal ones
  EXPECT_GT(scores.Get(138), 0);
  EXPECT_EQ(scores.Get(137), 0);
  EXPECT_GT(scores.Get(2), 0);  // and the one that shares more
}

TEST(SessionScorers, RulesAgreeWithTheirTwin) {
  CompareWithTwin<RuleSettings>(PlainRules, [](std::mt19937* random) {
    return RuleSettings{.last_clicks = 1 + uint32_t((*random)() % 25),
                        .sessions_per_product = 1 + uint32_t((*random)() % 40),
                        .steps = 1 + uint32_t((*random)() % 8),
                        .distance_exponent = float((*random)() % 3) * 0.5f,
                        .backward = float((*random)() % 3) * 0.5f,
                        .item_decay = float((*random)() % 4) * 0.3f,
                        .recency = float((*random)() % 3) * 20,
                        .row_exponent = float((*random)() % 3) * 0.5f,
                        .popularity_exponent = float((*random)() % 3) * 0.2f};
  });
}

// Serenade: a position weight of 1 - 0.1 * position is 0 at the tenth click and negative after it.
TEST(SerenadesDefects, AnOldMatchStillCountsAndNeverAgainstItself) {
  Clicks query;
  for (uint32_t i = 0; i < 20; ++i) query.push_back(i);
  for (uint32_t shared = 0; shared < 20; ++shared) {
    const auto index = IndexOf({{shared, 50}});
    const SessionIndex::Reader reader(*index);
    VmisSettings settings = VmisSettings::Serenade();
    settings.last_clicks = 20;
    ScoreMap scores;
    VmisScorer(settings).Score(reader, query, &scores);
    EXPECT_GT(scores.Get(50), 0) << "matched " << 20 - shared << " clicks before the end";
  }
}

// Serenade: an item that the index does not know ends the process (its idf is looked up unchecked),
// or the list is empty though other clicks are known.
TEST(SerenadesDefects, AnUnknownProductTakesNothingAway) {
  const auto index = IndexOf({{1, 2}, {1, 3}});
  const SessionIndex::Reader reader(*index);
  for (const SourceSettings& source : BlendSettings::Default().sources) {
    if (source.name == "next" || source.name == "repeat") continue;  // the last click; the session
    const auto scorer = MakeScorer(source);
    ScoreMap scores;
    scorer->Score(reader, Clicks{1, 4'000'000}, &scores);
    EXPECT_GT(scores.Get(3), 0) << source.name;
    scores.Clear();
    scorer->Score(reader, Clicks{4'000'000, 3'000'000}, &scores);
    EXPECT_EQ(scores.size(), 0u) << source.name;
  }
}

// Serenade: times are 32-bit floats (128 s steps) of a clock that may step back. Here the order in
// which sessions came in is all there is: of equals the newest are neighbours.
TEST(SerenadesDefects, TheOrderOfSessionsIsExact) {
  std::vector<Clicks> sessions;
  for (uint32_t s = 0; s < 1000; ++s) sessions.push_back({1, 10 + s});
  const auto index = IndexOf(sessions);
  const SessionIndex::Reader reader(*index);
  VmisScorer scorer({.recent_sessions = 20, .neighbours = 5});
  ScoreMap scores;
  scorer.Score(reader, Clicks{1}, &scores);
  EXPECT_EQ(scores.size(), 6u);
  for (uint32_t s = 995; s < 1000; ++s) EXPECT_GT(scores.Get(10 + s), 0);
}

TEST(SessionScorers, AnEmptySessionAndAnEmptyIndexGiveNothing) {
  const auto empty = IndexOf({});
  const auto index = IndexOf({{1, 2}});
  auto blend = Value(SessionBlend::Make(BlendSettings::Default()));
  std::vector<Scored> list = {{1, 1}};
  blend.Rank(SessionIndex::Reader(*index), {}, {}, &list);
  EXPECT_THAT(list, IsEmpty());
  blend.Rank(SessionIndex::Reader(*empty), Clicks{7}, {.hide_seen = true}, &list);
  EXPECT_THAT(list, IsEmpty());
}

TEST(ScoreMap, AddsUpLikeAMap) {
  std::mt19937 random(3);
  ScoreMap scores;
  for (int round = 0; round < 20; ++round) {
    std::map<uint32_t, float> plain;
    for (int i = 0; i < 5000; ++i) {
      const uint32_t product = random() % (1 + round * 1000);
      plain[product] += float(i % 7);
      scores.Add(product, float(i % 7));
    }
    EXPECT_EQ(scores.size(), plain.size());
    std::vector<Scored> sorted;
    for (const auto& [product, score] : plain) {
      EXPECT_EQ(scores.Get(product), score);
      if (score > 0 && product != 5) sorted.push_back({product, score});
    }
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Scored& a, const Scored& b) { return a.score > b.score; });
    sorted.resize(std::min<size_t>(sorted.size(), 30));
    std::vector<Scored> top;
    scores.Top(30, Clicks{5}, &top);
    EXPECT_EQ(top, sorted);
    EXPECT_EQ(scores.Get(4'000'000), 0);
    scores.Clear();
  }
}

}  // namespace
}  // namespace vitrine
