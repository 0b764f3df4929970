// Randomness and the two transcendental functions of the simulation, made of integer and basic
// IEEE 754 operations only: unlike the standard library's they give the same bits on every machine.
// (The room is compiled with -ffp-contract=off, so that no processor fuses a multiplication with
// an addition.)

#ifndef VITRINE_EXPERIMENTS_SIMULATION_RANDOM_H_
#define VITRINE_EXPERIMENTS_SIMULATION_RANDOM_H_

#include <array>
#include <cstdint>
#include <vector>

namespace vitrine::simulation {

// SplitMix64's finalizer (Steele, Lea, Flood 2014): a bijection that scatters all bits.
uint64_t Mix(uint64_t x);

// e^x within 1e-14 relative; x is cut to [-700, 700].
double Exp(double x);

// Natural logarithm within 1e-14 relative. REQUIRES: x > 0 and normal.
double Log(double x);

// What a generator is for. Each pair of stream and index has its own sequence, so that a new draw
// in one place leaves all others as they were.
enum class Stream : uint64_t {
  kCategory = 1,
  kProduct,
  kCustomer,
  kRobot,
  kDay,
  kVisit,
  kBrand,
  kRank,
  kReturn
};

// xoshiro256** 1.0 (Blackman, Vigna 2018). Not thread-safe.
class Random {
 public:
  Random(uint64_t seed, Stream stream, uint64_t index);

  uint64_t Next();

  // 0 to n - 1. The bias is below n / 2^64. REQUIRES: n > 0.
  uint64_t Below(uint64_t n) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * n) >> 64);
  }

  // low to high, both included.
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low) + 1));
  }

  // In [0, 1), a multiple of 2^-53.
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

  bool Chance(double probability) { return Uniform() < probability; }

  // Mean 0, variance 1 (Marsaglia's polar method).
  double Normal();

  // Its logarithm is normal with standard deviation `sigma`.
  double LogNormal(double median, double sigma);

 private:
  std::array<uint64_t, 4> state_;
};

// Draws indices in proportion to their weights, in O(log n).
class WeightedChoice {
 public:
  // REQUIRES: weights >= 0, their sum > 0.
  explicit WeightedChoice(const std::vector<double>& weights);

  uint32_t Draw(Random& random) const;

 private:
  std::vector<double> cumulative_;
};

}  // namespace vitrine::simulation

#endif  // VITRINE_EXPERIMENTS_SIMULATION_RANDOM_H_
