// Seconds per epoch (a product sweep and a person sweep) of iALS on the Gowalla check-ins, beside a
// plain twin in the same run: what the exact solvers elsewhere do, with Eigen and without waste
// (rank updates of 64 gathered rows, Cholesky in place, buffers per thread, rows handed out in
// small pieces, the Gramian on all threads).
//
//   als_benchmark [--factors 64,128,256] [--solvers twin,exact,cg,ials++] [--threads 2] [--rounds
//   5]
//                 [--data FOLDER]
//
// A round is an epoch of each; printed is the median, with least and most, the ratio to the twin's,
// and the loss after all rounds, all having begun from the same factors. Beside them stands what
// the processor multiplies and adds at most, measured in the same run, and which part of it the
// arithmetic that is needed at least comes to.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "Eigen/Cholesky"

#include "benchmarks/ranking_sets.h"
#include "recommender/learn/als/als.h"
#include "recommender/model/kernels/kernels.h"
#include "recommender/model/parallel.h"
#include "recommender/model/row_solver.h"

namespace vitrine::benchmarks {
namespace {

double SecondsOf(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// --- The twin ---

FactorMatrix TwinGramian(const FactorMatrix& fixed, uint32_t threads) {
  constexpr Eigen::Index kRows = 1024;
  std::vector<FactorMatrix> sums(threads, FactorMatrix::Zero(fixed.cols(), fixed.cols()));
  Chunks chunks(static_cast<size_t>(fixed.rows()), kRows);
  std::atomic<size_t> next = 0;
  RunOnThreads(threads, [&] {
    FactorMatrix& sum = sums[next++];
    while (const auto chunk = chunks.Next()) {
      sum.selfadjointView<Eigen::Lower>().rankUpdate(
          fixed
              .middleRows(static_cast<Eigen::Index>(chunk->begin),
                          static_cast<Eigen::Index>(chunk->end - chunk->begin))
              .transpose());
    }
  });
  for (size_t t = 1; t < sums.size(); ++t) sums[0] += sums[t];
  return sums[0];
}

void TwinSweep(const SparseRows& rows, const FactorMatrix& fixed, const AlsSettings& settings,
               FactorMatrix* solved) {
  constexpr Eigen::Index kBatch = 64;
  const Eigen::Index d = fixed.cols();
  const Eigen::MatrixXf base = settings.unobserved_weight * TwinGramian(fixed, settings.threads);
  Chunks chunks(rows.rows(), 16);
  RunOnThreads(settings.threads, [&] {
    Eigen::MatrixXf system(d, d);
    Eigen::MatrixXf batch(d, kBatch);
    Eigen::VectorXf x(d);
    while (const auto chunk = chunks.Next()) {
      for (size_t r = chunk->begin; r < chunk->end; ++r) {
        const std::span<const Cell> row = rows.row(r);
        system = base;
        system.diagonal().array() += RowRegularization(settings, row.size(), rows.columns);
        x.setZero();
        for (size_t begin = 0; begin < row.size(); begin += kBatch) {
          Eigen::Index count = 0;
          for (const Cell& cell :
               row.subspan(begin, std::min<size_t>(kBatch, row.size() - begin))) {
            batch.col(count++) = std::sqrt(cell.weight) * fixed.row(cell.index).transpose();
            x += cell.weight * fixed.row(cell.index).transpose();
          }
          system.selfadjointView<Eigen::Lower>().rankUpdate(batch.leftCols(count));
        }
        const Eigen::LLT<Eigen::Ref<Eigen::MatrixXf>> cholesky(system);
        cholesky.solveInPlace(x);
        solved->row(static_cast<Eigen::Index>(r)) = x;
      }
    }
  });
}

// --- Arithmetic ---

double CholeskyFlops(const SparseRows& by_person, double d) {
  const auto rows = static_cast<double>(by_person.rows() + by_person.columns);
  const auto cells = static_cast<double>(by_person.cells.size());
  return 2 * cells * d * d + 8 * cells * d + rows * (d * d * d / 3 + 3 * d * d);
}

// Each row the cheaper way; a Gramian and a rotation of the other side.
double LeastFlops(const SparseRows& rows, double d) {
  double flops = 3 * static_cast<double>(rows.columns) * d * d;
  for (size_t r = 0; r < rows.rows(); ++r) {
    const auto n = static_cast<double>(rows.row(r).size());
    flops += std::min(n * n * d + n * n * n / 3 + 4 * n * d, n * d * d + d * d * d / 3 + 4 * n * d);
  }
  return flops;
}

// What all threads multiply and add in registers, in operations per second.
double PeakFlops(uint32_t threads) {
  typedef float Vec __attribute__((vector_size(64)));
  constexpr size_t kSums = 16;
  constexpr size_t kSteps = 10'000'000;
  const double seconds = SecondsOf([&] {
    RunOnThreads(threads, [] {
      Vec sums[kSums];
      for (Vec& sum : sums) sum = Vec{} + 1;
      Vec by = Vec{} + 0.999f;
      for (size_t i = 0; i < kSteps; ++i) {
        asm volatile("" : "+v"(by));
#pragma GCC unroll 16
        for (Vec& sum : sums) sum = sum * by + by;
      }
      for (Vec& sum : sums) asm volatile("" : : "v"(sum));
    });
  });
  return 2.0 * 16 * kSums * kSteps * threads / seconds;
}

// --- The table ---

struct Spread {
  double median, least, most;
};

Spread SpreadOf(std::vector<double> seconds) {
  std::ranges::sort(seconds);
  return {seconds[seconds.size() / 2], seconds.front(), seconds.back()};
}

struct Contender {
  std::string name;
  std::function<void()> epoch;
  std::function<AlsFactors()> factors;
  double flops = 0;
  std::vector<double> seconds = {};
};

// What training makes small (model/settings.h).
double Loss(const SparseRows& by_person, const AlsSettings& settings, const AlsFactors& f) {
  const Eigen::MatrixXd persons = (f.persons.transpose() * f.persons).cast<double>();
  const Eigen::MatrixXd products = (f.products.transpose() * f.products).cast<double>();
  double loss = settings.unobserved_weight * persons.cwiseProduct(products).sum();
  std::vector<size_t> degrees(by_person.columns);
  for (size_t r = 0; r < by_person.rows(); ++r) {
    const auto person = f.persons.row(static_cast<Eigen::Index>(r));
    const std::span<const Cell> row = by_person.row(r);
    for (const Cell& cell : row) {
      const double miss = 1 - person.dot(f.products.row(cell.index));
      loss += cell.weight * miss * miss;
      ++degrees[cell.index];
    }
    loss += RowRegularization(settings, row.size(), by_person.columns) * person.squaredNorm();
  }
  for (size_t p = 0; p < degrees.size(); ++p) {
    loss += RowRegularization(settings, degrees[p], by_person.rows()) *
            f.products.row(static_cast<Eigen::Index>(p)).squaredNorm();
  }
  return loss;
}

void Print(const Contender& c, double twin, double peak, double loss) {
  const Spread s = SpreadOf(c.seconds);
  std::printf("  %-8s %7.4f s [%.4f, %.4f]  loss %.1f", c.name.c_str(), s.median, s.least, s.most,
              loss);
  if (twin > 0) std::printf("  %6.2f x the twin", twin / s.median);
  if (c.flops > 0) {
    std::printf("  %6.1f GFLOP/s, limit %.4f s, %.0f %% of it", c.flops / s.median * 1e-9,
                c.flops / peak, 100 * c.flops / peak / s.median);
  }
  std::printf("\n");
}

// A twin among the contenders comes first.
void Compare(const SparseRows& by_person, AlsSettings settings, int rounds,
             const std::vector<std::string>& solvers) {
  const SparseRows by_product = by_person.Transposed();
  const double d = settings.factors;
  std::vector<Contender> contenders;
  AlsFactors twin = {RandomFactors(by_person.rows(), settings),
                     FactorMatrix(static_cast<Eigen::Index>(by_product.rows()), settings.factors)};
  if (std::ranges::count(solvers, "twin") > 0) {
    const auto epoch = [&] {
      TwinSweep(by_product, twin.persons, settings, &twin.products);
      TwinSweep(by_person, twin.products, settings, &twin.persons);
    };
    contenders.push_back({"twin", epoch, [&] { return twin; }, CholeskyFlops(by_person, d)});
  }
  for (const std::string& name : solvers) {
    const std::optional<AlsSolver> solver = SolverOfName(name);
    if (!solver) continue;
    settings.solver = *solver;
    const auto trainer = std::make_shared<AlsTrainer>(by_person, settings);
    const bool exact = *solver == AlsSolver::kExact;
    contenders.push_back({name, [trainer] { trainer->RunEpoch(); },
                          [trainer] { return trainer->Factors(); },
                          exact ? LeastFlops(by_person, d) + LeastFlops(by_product, d) : 0});
  }
  double peak = 0;
  for (int round = 0; round < rounds; ++round) {
    for (Contender& c : contenders) c.seconds.push_back(SecondsOf(c.epoch));
    peak = std::max(peak, PeakFlops(settings.threads));
  }
  std::printf("d=%u, %u threads, %s kernels; %d rounds; peak %.0f GFLOP/s\n", settings.factors,
              settings.threads, BestKernels().name, rounds, peak * 1e-9);
  const bool has_twin = contenders.front().name == "twin";
  const double twin_seconds = has_twin ? SpreadOf(contenders.front().seconds).median : 0;
  for (const Contender& c : contenders) {
    Print(c, twin_seconds, peak, Loss(by_person, settings, c.factors()));
  }
}

int Main(int argc, char** argv) {
  std::vector<uint32_t> factors = {64, 128, 256};
  std::vector<std::string> solvers = {"twin", "exact", "cg", "ials++"};
  std::string data = kGowallaFolder;
  uint32_t threads = 2;
  int rounds = 5;
  CLI::App app("Seconds per epoch of iALS on Gowalla, beside a plain Eigen twin");
  app.add_option("--factors", factors, "numbers of factors")->delimiter(',');
  app.add_option("--solvers", solvers, "who takes part")
      ->delimiter(',')
      ->check(CLI::IsMember({"twin", "exact", "cg", "ials++"}));
  app.add_option("--threads", threads)->check(CLI::Range(1, 1024));
  app.add_option("--rounds", rounds)->check(CLI::Range(1, 1000));
  app.add_option("--data", data, "folder of train.txt.zst and test.txt.zst");
  CLI11_PARSE(app, argc, argv);
  const absl::StatusOr<RankingSet> gowalla = ReadGowalla(data);
  if (!gowalla.ok()) {
    std::fprintf(stderr, "%s\n", gowalla.status().ToString().c_str());
    return 1;
  }
  for (const uint32_t d : factors) {
    Compare(gowalla->train,
            {.factors = d,
             .unobserved_weight = 0.01f,
             .regularization = 0.0045786f,
             .threads = threads},
            rounds, solvers);
  }
  return 0;
}

}  // namespace
}  // namespace vitrine::benchmarks

int main(int argc, char** argv) { return vitrine::benchmarks::Main(argc, argv); }
