#include "recommender/rank/session_neighbours.h"

namespace vitrine {

void KeepMostSimilar(size_t count, std::vector<Neighbour>* neighbours) {
  if (neighbours->size() <= count) return;
  std::nth_element(neighbours->begin(), neighbours->begin() + static_cast<ptrdiff_t>(count),
                   neighbours->end(), [](const Neighbour& a, const Neighbour& b) {
                     return a.similarity != b.similarity ? a.similarity > b.similarity
                                                         : a.session > b.session;
                   });
  neighbours->resize(count);
}

float InverseFrequency(const SessionIndex::Reader& index, uint32_t product) {
  const uint32_t count = index.SessionCount(product);
  if (count == 0) return 0;
  return std::log((1 + static_cast<float>(index.sessions())) / static_cast<float>(count));
}

void DividePopularity(const SessionIndex::Reader& index, const InversePower& power,
                      ScoreMap* scores) {
  scores->ForEach(
      [&](uint32_t product, float& score) { score *= power(index.SessionCount(product)); });
}

}  // namespace vitrine
