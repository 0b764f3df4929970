#include "recommender/learn/ease.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <vector>

#include "Eigen/Core"

#include "recommender/model/parallel.h"

namespace vitrine {
namespace {

constexpr size_t kLanes = 16;  // columns that are solved together
using Lanes = Eigen::Array<float, kLanes, 1>;
using DoubleLanes = Eigen::Array<double, kLanes, 1>;
using Block = std::vector<Lanes>;  // one row of lanes per product, or per person

DoubleLanes Dots(const Block& a, const Block& b) {
  DoubleLanes sums = DoubleLanes::Zero();
  for (size_t i = 0; i < a.size(); ++i) sums += (a[i] * b[i]).cast<double>();
  return sums;
}

// A = R^T R + D, known by what it does to vectors.
struct System {
  const SparseRows& by_person;
  const SparseRows& by_product;
  std::vector<float> added;     // D
  std::vector<float> diagonal;  // of A
};

System MakeSystem(const SparseRows& by_person, const SparseRows& by_product,
                  const EaseSettings& settings) {
  System system{by_person, by_product, {}, {}};
  const float share = settings.dropout / (1 - settings.dropout);
  for (size_t p = 0; p < by_product.rows(); ++p) {
    double squares = 0;
    for (const Cell& cell : by_product.row(p)) squares += double{cell.weight} * cell.weight;
    const auto gramian = static_cast<float>(squares);
    system.added.push_back(settings.regularization + share * gramian);
    system.diagonal.push_back(system.added.back() + gramian);
  }
  return system;
}

// Conjugate gradients, preconditioned by the diagonal, each lane for itself. One per thread.
class ColumnSolver {
 public:
  ColumnSolver(const System& system, const EaseSettings& settings)
      : system_(system),
        settings_(settings),
        solution_(system.added.size()),
        residual_(solution_.size()),
        preconditioned_(solution_.size()),
        direction_(solution_.size()),
        image_(solution_.size()),
        persons_(system.by_person.rows()) {}

  // The columns begin, ..., begin + count - 1 of the inverse, one per lane.
  const Block& Solve(size_t begin, size_t count) {
    std::ranges::fill(solution_, Lanes::Zero());
    std::ranges::fill(residual_, Lanes::Zero());
    for (size_t lane = 0; lane < count; ++lane) {
      residual_[begin + lane][static_cast<Eigen::Index>(lane)] = 1;
    }
    Precondition();
    direction_ = preconditioned_;
    DoubleLanes length = Dots(residual_, preconditioned_);
    const DoubleLanes enough = length * (double{settings_.tolerance} * settings_.tolerance);
    for (uint32_t step = 0; step < settings_.steps_max && (length > enough).any(); ++step) {
      Multiply();
      const Lanes alpha = Ratio(length, Dots(direction_, image_));
      for (size_t i = 0; i < solution_.size(); ++i) {
        solution_[i] += alpha * direction_[i];
        residual_[i] -= alpha * image_[i];
      }
      Precondition();
      const DoubleLanes next = Dots(residual_, preconditioned_);
      const Lanes beta = Ratio(next, length);
      for (size_t i = 0; i < solution_.size(); ++i) {
        direction_[i] = preconditioned_[i] + beta * direction_[i];
      }
      length = next;
    }
    return solution_;
  }

 private:
  // 0 for lanes that have nothing left to solve.
  static Lanes Ratio(const DoubleLanes& a, const DoubleLanes& b) {
    return (b > 0).select(a / b, 0.0).cast<float>();
  }

  void Precondition() {
    for (size_t i = 0; i < residual_.size(); ++i) {
      preconditioned_[i] = residual_[i] / system_.diagonal[i];
    }
  }

  // image = A direction
  void Multiply() {
    for (size_t r = 0; r < persons_.size(); ++r) {
      Lanes sum = Lanes::Zero();
      for (const Cell& cell : system_.by_person.row(r)) sum += cell.weight * direction_[cell.index];
      persons_[r] = sum;
    }
    for (size_t p = 0; p < image_.size(); ++p) {
      Lanes sum = system_.added[p] * direction_[p];
      for (const Cell& cell : system_.by_product.row(p)) sum += cell.weight * persons_[cell.index];
      image_[p] = sum;
    }
  }

  const System& system_;
  const EaseSettings& settings_;
  Block solution_;
  Block residual_;
  Block preconditioned_;
  Block direction_;
  Block image_;
  Block persons_;
};

// Column `product` of B out of the lane that holds that column of the inverse; ordered by index.
std::vector<Cell> StrongestWeights(const Block& inverse, size_t lane, uint32_t product,
                                   size_t count) {
  const auto l = static_cast<Eigen::Index>(lane);
  std::vector<Cell> cells;
  for (uint32_t i = 0; i < inverse.size(); ++i) {
    const float weight = -inverse[i][l] / inverse[product][l];
    if (i != product && weight != 0) cells.push_back({i, weight});
  }
  if (cells.size() > count) {
    std::ranges::nth_element(cells, cells.begin() + static_cast<ptrdiff_t>(count),
                             [](const Cell& a, const Cell& b) {
                               const float x = std::fabs(a.weight), y = std::fabs(b.weight);
                               return x != y ? x > y : a.index < b.index;
                             });
    cells.resize(count);
    std::ranges::sort(cells, {}, &Cell::index);
  }
  return {cells.begin(), cells.end()};  // no larger than it has to be
}

}  // namespace

SparseRows LearnEase(const SparseRows& rows, const EaseSettings& settings) {
  const SparseRows by_product = rows.Transposed();
  const System system = MakeSystem(rows, by_product, settings);
  std::vector<std::vector<Cell>> columns(by_product.rows());
  Chunks chunks(columns.size(), kLanes);
  std::atomic<size_t> done = 0;
  RunOnThreads(settings.threads, [&] {
    ColumnSolver solver(system, settings);
    while (const auto chunk = chunks.Next()) {
      const size_t count = chunk->end - chunk->begin;
      const Block& inverse = solver.Solve(chunk->begin, count);
      for (size_t lane = 0; lane < count; ++lane) {
        const size_t p = chunk->begin + lane;
        columns[p] = StrongestWeights(inverse, lane, static_cast<uint32_t>(p), settings.weights);
      }
      const size_t now = done += count;
      if (settings.on_progress) settings.on_progress(now, columns.size());
    }
  });
  SparseRows predicted;
  predicted.columns = columns.size();
  for (std::vector<Cell>& column : columns) {
    predicted.cells.insert(predicted.cells.end(), column.begin(), column.end());
    predicted.offsets.push_back(predicted.cells.size());
    column = {};
  }
  return predicted.Transposed();
}

void ScoreByWeights(const SparseRows& weights, std::span<const Cell> history,
                    std::span<float> scores) {
  std::fill(scores.begin(), scores.end(), 0.0f);
  for (const Cell& cell : history) {
    for (const Cell& other : weights.row(cell.index)) {
      scores[other.index] += cell.weight * other.weight;
    }
  }
}

}  // namespace vitrine
