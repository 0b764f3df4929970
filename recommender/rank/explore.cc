#include "recommender/rank/explore.h"

#include <algorithm>
#include <limits>
#include <random>

namespace vitrine {
namespace {

constexpr double kTasteShareMin = 0.25;
constexpr double kTasteShareMax = 4;
constexpr double kRateMax = 0.5;

// SplitMix64 (Steele, Lea, Flood 2014): a few nanoseconds to begin, where a Mersenne twister takes
// microseconds, and each product has a sequence of its own.
class Random {
 public:
  using result_type = uint64_t;
  explicit Random(uint64_t seed) : state_(seed) {}
  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return std::numeric_limits<uint64_t>::max(); }

  uint64_t operator()() {
    uint64_t x = state_ += 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
  }

 private:
  uint64_t state_;
};

// What is drawn once for a list, in the order of its sequence.
enum class Drawn { kWhether, kPlace, kProduct };

uint64_t Draw(Drawn what, uint64_t seed) {
  Random random(seed);
  uint64_t drawn = random();
  for (int i = 0; i < static_cast<int>(what); ++i) drawn = random();
  return drawn;
}

double Beta(double a, double b, Random* random) {
  const double x = std::gamma_distribution(a)(*random);
  const double y = std::gamma_distribution(b)(*random);
  return x + y > 0 ? x / (x + y) : 0;  // both may underflow
}

double TasteFor(const NewProduct& candidate) {
  return candidate.taste > 0 ? double{candidate.taste} : 0;  // no NaN is
}

}  // namespace

bool GivesAPlace(double share, uint64_t seed) {
  return static_cast<double>(Draw(Drawn::kWhether, seed) >> 11) * 0x1p-53 < share;
}

size_t PlaceToGive(size_t places, uint64_t seed) {
  return 1 + Draw(Drawn::kPlace, seed) % (places - 1);
}

std::vector<Scored> DrawNew(std::span<const NewProduct> candidates, const ExploreSettings& settings,
                            uint64_t seed) {
  std::vector<const NewProduct*> fresh;
  for (const NewProduct& c : candidates) {
    if (c.shown < settings.shown_max) fresh.push_back(&c);
  }
  // The sum depends on their order.
  std::sort(fresh.begin(), fresh.end(),
            [](const NewProduct* a, const NewProduct* b) { return a->product < b->product; });
  double tastes = 0;
  for (const NewProduct* c : fresh) tastes += TasteFor(*c);
  const uint64_t products_seed = Draw(Drawn::kProduct, seed);
  std::vector<Scored> drawn;
  for (const NewProduct* c : fresh) {
    const double share = tastes > 0 ? TasteFor(*c) * static_cast<double>(fresh.size()) / tastes : 1;
    const double guess =
        std::min(settings.usual_rate * std::clamp(share, kTasteShareMin, kTasteShareMax), kRateMax);
    const double taken = std::min(c->taken, c->shown);
    Random random(Random(products_seed + c->product)());
    const double rate = Beta(settings.doubt * guess + taken,
                             settings.doubt * (1 - guess) + c->shown - taken, &random);
    drawn.push_back({c->product, static_cast<float>(rate)});
  }
  std::stable_sort(drawn.begin(), drawn.end(),
                   [](const Scored& a, const Scored& b) { return a.score > b.score; });
  return drawn;
}

}  // namespace vitrine
