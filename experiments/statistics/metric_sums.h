// All that is kept of an arm's units for a metric: a count, sums, and sums of products. Sums of two
// sets of units add up, a unit's values can be taken back and given anew, and every test here is
// computed from them, however many units there were.

#ifndef VITRINE_EXPERIMENTS_STATISTICS_METRIC_SUMS_H_
#define VITRINE_EXPERIMENTS_STATISTICS_METRIC_SUMS_H_

#include <array>
#include <cstdint>
#include <span>

namespace vitrine::experiments {

enum class MetricKind {
  kMean,        // value per unit: revenue per visitor
  kProportion,  // the same, every value 0 or 1: conversion
  kRatio,  // sum of values by sum of denominators: clicks by impressions, where units are people
};

// One unit's values. Those before come from a time before the unit's first exposure, the same for
// all; a unit that was not there has 0 (CUPED stays unbiased, it only gains less).
struct UnitValues {
  double value = 0;
  double denominator = 0;  // of a ratio
  double value_before = 0;
  double denominator_before = 0;

  bool operator==(const UnitValues&) const = default;
};

// Weights of the four values in a linear combination, in the order of UnitValues.
using Gradient = std::array<double, 4>;

// A plain value of 15 numbers, fit for a row. Sums are exact while their values are integers
// (minor units, counts) and the sums of squares stay below 2^53; beyond, their relative error is
// about 1e-16 each time one is added.
struct MetricSums {
  static constexpr int kParts = 4;

  int64_t units = 0;
  std::array<double, kParts> sums = {};
  std::array<double, kParts*(kParts + 1) / 2> products =
      {};  // of the pairs (0,0) (1,0) (1,1) (2,0)…

  // Values are finite.
  void Add(const UnitValues& unit) { AddTimes(unit, 1); }
  // Of a unit that was added with these values, when it has new ones.
  void Remove(const UnitValues& unit) { AddTimes(unit, -1); }
  void Merge(const MetricSums& other);

  double Mean(int part) const { return sums[part] / static_cast<double>(units); }
  double Product(int part, int other) const;
  // Of the sample, by n - 1. REQUIRES: units >= 2.
  double Covariance(int part, int other) const;
  double Variance(int part) const { return Covariance(part, part); }
  // Of the combination of a unit's four values.
  double Variance(const Gradient& gradient) const;

  // Without ratio and values before: what publications give.
  static MetricSums Of(int64_t units, double sum, double sum_of_squares);

  bool operator==(const MetricSums&) const = default;

 private:
  void AddTimes(const UnitValues& unit, int times);
};

// The part in UnitValues.
inline constexpr int kValue = 0, kDenominator = 1, kValueBefore = 2, kDenominatorBefore = 3;

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_STATISTICS_METRIC_SUMS_H_
