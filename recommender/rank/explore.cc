#include "recommender/rank/explore.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

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
  double Uniform() { return static_cast<double>((*this)() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

double Beta(double a, double b, Random* random) {
  const double x = std::gamma_distribution(a)(*random);
  const double y = std::gamma_distribution(b)(*random);
  return x + y > 0 ? x / (x + y) : 0;  // both may underflow
}

// Of the candidates (in the order of products, as sums depend on it), the one with the highest
// draw; `seed` is the draws'.
const NewProduct* Draw(std::span<const NewProduct* const> candidates,
                       const ExploreSettings& settings, uint64_t seed) {
  const auto taste_for = [](const NewProduct& c) { return c.taste > 0 ? double{c.taste} : 0.0; };
  double tastes = 0;
  for (const NewProduct* c : candidates) tastes += taste_for(*c);
  const NewProduct* best = nullptr;
  double best_rate = -1;
  for (const NewProduct* c : candidates) {
    const double share =
        tastes > 0 ? taste_for(*c) * static_cast<double>(candidates.size()) / tastes : 1;
    const double guess =
        std::min(settings.usual_rate * std::clamp(share, kTasteShareMin, kTasteShareMax), kRateMax);
    const double taken = std::min(c->taken, c->shown);
    Random random(Random(seed + c->product)());
    const double rate = Beta(settings.doubt * guess + taken,
                             settings.doubt * (1 - guess) + c->shown - taken, &random);
    if (rate > best_rate) {
      best = c;
      best_rate = rate;
    }
  }
  return best;
}

// The places that may change hands, in order: that behind a short list is one.
std::vector<size_t> FreePlaces(size_t size, size_t k, std::span<const size_t> pinned) {
  std::vector<size_t> free;
  for (size_t place = 1; place <= size && place < k; ++place) {
    if (std::find(pinned.begin(), pinned.end(), place) == pinned.end()) free.push_back(place);
  }
  return free;
}

// Which of the free places.
size_t Choose(std::span<const size_t> free, const ExploreSettings& settings, Random* random) {
  if (settings.place == 0) return (*random)() % free.size();
  const auto at = std::lower_bound(free.begin(), free.end(), settings.place - 1);
  return std::min(static_cast<size_t>(at - free.begin()), free.size() - 1);
}

}  // namespace

absl::Status Validate(const ExploreSettings& s) {
  if (!(s.share >= 0 && s.share <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat("share: ", s.share, " is not 0 to 1"));
  }
  if (s.place == 1) {
    return absl::InvalidArgumentError("place: the first place is not given away");
  }
  if (!(s.usual_rate > 0 && s.usual_rate < 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("usual_rate: ", s.usual_rate, " is not between 0 and 1"));
  }
  if (!(s.doubt > 0) || std::isinf(s.doubt)) {
    return absl::InvalidArgumentError(absl::StrCat("doubt: ", s.doubt, " is not above 0"));
  }
  return absl::OkStatus();
}

ExploredList Explore(std::vector<Ranked> list, size_t k, std::span<const size_t> pinned,
                     std::span<const NewProduct> candidates,
                     absl::FunctionRef<bool(uint32_t product)> allowed,
                     const ExploreSettings& settings, uint64_t seed) {
  if (list.size() > k) list.resize(k);
  ExploredList explored{.products = std::move(list)};
  std::vector<Ranked>& products = explored.products;
  Random random(seed);
  if (!(random.Uniform() < settings.share)) return explored;
  const std::vector<size_t> free = FreePlaces(products.size(), k, pinned);
  if (free.empty()) return explored;

  absl::flat_hash_set<uint32_t> listed;
  for (const Ranked& ranked : products) listed.insert(ranked.product);
  std::vector<const NewProduct*> fit;
  for (const NewProduct& c : candidates) {
    if (c.shown < settings.shown_max && !listed.contains(c.product) && allowed(c.product)) {
      fit.push_back(&c);
    }
  }
  std::sort(fit.begin(), fit.end(),
            [](const NewProduct* a, const NewProduct* b) { return a->product < b->product; });
  const size_t chosen = Choose(free, settings, &random);
  const NewProduct* const product = Draw(fit, settings, random());
  if (product == nullptr) return explored;

  if (free.back() == products.size()) products.emplace_back();
  for (size_t i = free.size() - 1; i > chosen; --i) products[free[i]] = products[free[i - 1]];
  explored.place = free[chosen];
  products[free[chosen]] = {product->product, product->taste, ListSource::kTaste};
  return explored;
}

}  // namespace vitrine
