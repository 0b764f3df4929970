#include "recommender/offline/gate.h"

#include <cstdint>
#include <string>
#include <vector>

#include "recommender/model/parallel.h"
#include "recommender/offline/metrics.h"
#include "recommender/rank/ranker.h"

namespace vitrine {
namespace {

constexpr size_t kCutoff = 20;
constexpr uint32_t kResamples = 1000;
constexpr uint64_t kSeed = 1;
constexpr size_t kVisitsPerChunk = 16;

// NDCG of the list that `model` would have given when the visit began. A product it does not know
// is one it misses.
double NdcgOf(const Model& model, const HeldOutVisit& visit) {
  RankOptions options;
  options.k = kCutoff;
  options.now_ms = visit.start_ms;
  std::vector<uint32_t> list;
  for (const Ranked& ranked : Recommend(model, visit.history, options).products) {
    list.push_back(ranked.product);
  }
  std::vector<uint32_t> targets;
  uint32_t unknown = UINT32_MAX;
  for (const std::string& product : visit.products) {
    targets.push_back(model.Find(product).value_or(unknown--));
  }
  return Judge(list, targets, kCutoff).ndcg;
}

}  // namespace

GateVerdict JudgeModel(const Model& model, const Model* served,
                       std::span<const HeldOutVisit> held_out) {
  std::vector<const HeldOutVisit*> asked;
  for (const HeldOutVisit& visit : held_out) {
    if (served == nullptr || visit.start_ms > served->newest_ms) asked.push_back(&visit);
  }
  enum { kCount, kNew, kServed, kColumns };
  ClusterSums sums(asked.size(), kColumns);
  Chunks chunks(asked.size(), kVisitsPerChunk);
  RunOnThreads(0, [&] {
    while (const auto chunk = chunks.Next()) {
      for (size_t i = chunk->begin; i < chunk->end; ++i) {
        const std::span<float> row = sums.Of(i);
        row[kCount] = 1;
        row[kNew] = static_cast<float>(NdcgOf(model, *asked[i]));
        if (served != nullptr) row[kServed] = static_cast<float>(NdcgOf(*served, *asked[i]));
      }
    }
  });
  const Bootstrap bootstrap(sums, kResamples, kSeed, 0);
  GateVerdict verdict;
  verdict.visits = asked.size();
  verdict.ndcg = bootstrap.Mean(kNew, kCount).value;
  if (served == nullptr) return verdict;
  verdict.served_ndcg = bootstrap.Mean(kServed, kCount).value;
  verdict.difference = bootstrap.Difference(kNew, kServed, kCount);
  verdict.outcome = asked.size() < GateVerdict::kVisitsMin ? GateOutcome::kTooFewVisits
                    : verdict.difference.high < 0          ? GateOutcome::kWorse
                                                           : GateOutcome::kNotWorse;
  return verdict;
}

}  // namespace vitrine
