#include "experiments/simulation/random.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "store/base/check.h"

namespace vitrine::simulation {
namespace {

constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
// ln 2 in two parts: the first has trailing zeros, so that a small integer times it is exact.
constexpr double kLn2High = 0x1.62e42feep-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kLog2E = 0x1.71547652b82fep0;
constexpr uint64_t kMantissaBits = 52;
constexpr uint64_t kMantissaMask = (uint64_t{1} << kMantissaBits) - 1;
constexpr int64_t kExponentBias = 1023;

constexpr std::array<double, 14> kInverseFactorials = [] {
  std::array<double, 14> inverse = {1.0};
  for (size_t n = 1; n < inverse.size(); ++n) inverse[n] = inverse[n - 1] / static_cast<double>(n);
  return inverse;
}();

// 2^exponent, for exponents of normal numbers.
double PowerOfTwo(int64_t exponent) {
  return std::bit_cast<double>(static_cast<uint64_t>(exponent + kExponentBias) << kMantissaBits);
}

}  // namespace

uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

double Exp(double x) {
  x = std::clamp(x, -700.0, 700.0);
  const double whole = std::floor(x * kLog2E + 0.5);
  const double rest = (x - whole * kLn2High) - whole * kLn2Low;  // at most ln 2 / 2
  double sum = 0.0;                                              // Taylor's series by Horner's rule
  for (size_t n = kInverseFactorials.size(); n-- > 0;) sum = sum * rest + kInverseFactorials[n];
  return sum * PowerOfTwo(static_cast<int64_t>(whole));
}

double Log(double x) {
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  int64_t exponent = static_cast<int64_t>(bits >> kMantissaBits) - kExponentBias;
  double mantissa = std::bit_cast<double>((bits & kMantissaMask) | std::bit_cast<uint64_t>(1.0));
  if (mantissa > 0x1.6a09e667f3bcdp0) {  // sqrt 2: keeps the series below short
    mantissa *= 0.5;
    ++exponent;
  }
  // log m = 2 artanh((m - 1) / (m + 1)), whose argument is at most 0.172.
  const double t = (mantissa - 1.0) / (mantissa + 1.0);
  double sum = 0.0;
  for (int n = 21; n >= 1; n -= 2) sum = sum * t * t + 1.0 / n;
  const double whole = static_cast<double>(exponent);
  return whole * kLn2High + (2.0 * t * sum + whole * kLn2Low);
}

Random::Random(uint64_t seed, Stream stream, uint64_t index) {
  uint64_t s = Mix(Mix(seed + static_cast<uint64_t>(stream) * kGolden) + index);
  for (uint64_t& word : state_) word = Mix(s += kGolden);
}

uint64_t Random::Next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::Normal() {
  double u, length2;
  do {
    u = 2.0 * Uniform() - 1.0;
    const double v = 2.0 * Uniform() - 1.0;
    length2 = u * u + v * v;
  } while (length2 >= 1.0 || length2 < 1e-300);
  return u * std::sqrt(-2.0 * Log(length2) / length2);
}

double Random::LogNormal(double median, double sigma) { return median * Exp(sigma * Normal()); }

WeightedChoice::WeightedChoice(const std::vector<double>& weights) {
  double sum = 0.0;
  cumulative_.reserve(weights.size());
  for (const double weight : weights) cumulative_.push_back(sum += weight);
  CHECK(sum > 0.0);
}

uint32_t WeightedChoice::Draw(Random& random) const {
  const double target = random.Uniform() * cumulative_.back();
  const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), target);
  // Rounding may lift `target` to the sum itself.
  const auto last = cumulative_.end() - 1;
  return static_cast<uint32_t>(std::min(found, last) - cumulative_.begin());
}

}  // namespace vitrine::simulation
