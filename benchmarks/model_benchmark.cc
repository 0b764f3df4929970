// How long it takes from opening a model file to the first answer: a generated model of 1,000,000
// products, d=64, is written to a temporary folder and then opened, asked once and closed, several
// times, the page cache warm. Beside it, in turn, what reading the same bytes takes: read() into
// memory, and one look at every page of a mapping. Then what the parts cost, the memory that an
// open model takes, and how long it takes to find a product by its id.
//
//   model_benchmark [PRODUCTS [ROUNDS]]

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "Eigen/Eigenvalues"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "recommender/model/model.h"
#include "recommender/model/parallel.h"
#include "recommender/rank/ranker.h"
#include "store/base/atomic_file.h"
#include "store/base/check.h"
#include "store/base/crc32c.h"
#include "store/base/limits.h"
#include "store/base/mapped_file.h"

namespace vitrine {
namespace {

constexpr Eigen::Index kFactors = 64;
constexpr int64_t kNowMs = 1'700'000'000'000;
constexpr uint32_t kSeed = 1;

double MillisecondsOf(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

std::string ProductName(size_t product) {
  return absl::StrCat("sku-", absl::Dec(product * 7, absl::kZeroPad10));
}

// Factors that a fold-in needs not turn: columns of growing length, next to orthogonal, and made
// wholly so.
FactorMatrix OrthogonalFactors(size_t products, std::mt19937_64* random) {
  std::normal_distribution<float> normal;
  FactorMatrix factors(static_cast<Eigen::Index>(products), kFactors);
  for (Eigen::Index i = 0; i < factors.size(); ++i) factors.data()[i] = 0.1f * normal(*random);
  const Eigen::MatrixXd gramian = Gramian(factors, 0).cast<double>();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(gramian);
  const FactorMatrix basis = eigen.eigenvectors().cast<float>();
  constexpr Eigen::Index kRows = 4096;
  for (Eigen::Index row = 0; row < factors.rows(); row += kRows) {
    auto rows = factors.middleRows(row, std::min(kRows, factors.rows() - row));
    rows = (rows * basis).eval();
  }
  return factors;
}

// Twenty links of each kind for every product.
ItemLinkLists DrawLinks(size_t products, std::mt19937_64* random) {
  constexpr uint32_t kLinks = 20;
  ItemLinkLists lists;
  for (size_t p = 0; p < products; ++p) {
    for (uint32_t i = 0; i < kLinks; ++i) {
      const auto other = static_cast<uint32_t>((p + 1 + (*random)() % (products - 1)) % products);
      lists.links.push_back({other, kLinks - i, static_cast<float>(kLinks - i)});
    }
    lists.offsets.push_back(lists.links.size());
  }
  return lists;
}

void WriteGenerated(size_t products, bool links, const std::string& path) {
  std::mt19937_64 random(kSeed);
  ModelParts parts;
  parts.id = "generated";
  parts.newest_ms = kNowMs;
  parts.als.factors = kFactors;
  parts.factors = OrthogonalFactors(products, &random);
  for (size_t p = 0; p < products; ++p) {
    parts.products.push_back(ProductName(p));
    parts.popularity.push_back(static_cast<float>(random() % 1000));
  }
  parts.blend = BlendSettings::Default();
  if (links) {
    parts.viewed_also_viewed = DrawLinks(products, &random);
    parts.bought_together = DrawLinks(products, &random);
  }
  const absl::StatusOr<Model> model = MakeModel(std::move(parts));
  CHECK(model.ok()) << model.status();
  CHECK(WriteModel(*model, path).ok());
}

std::vector<Event> MakeHistory(size_t products) {
  std::mt19937 random(kSeed);
  std::vector<Event> history(100);
  for (size_t i = 0; i < history.size(); ++i) {
    history[i].kind = i % 3 == 0 ? PURCHASE : VIEW_ITEM;
    history[i].time_ms = kNowMs - static_cast<int64_t>(i) * 3'600'000;
    history[i].items.emplace_back();
    history[i].items[0].product_id = ProductName(random() % products);
  }
  return history;
}

std::shared_ptr<const Model> Open(const std::string& path) {
  absl::StatusOr<std::shared_ptr<const Model>> model = ReadModel(path);
  CHECK(model.ok()) << model.status();
  return *std::move(model);
}

void Print(absl::string_view what, std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  absl::PrintF("  %-34s %8.1f ms  (%.1f to %.1f, %d rounds)\n", what, ms[ms.size() / 2], ms.front(),
               ms.back(), ms.size());
}

// Megabytes of the process, of a line of /proc/self/status.
double Megabytes(absl::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(std::string(field), 0) == 0) {
      return std::stod(line.substr(field.size() + 1)) / 1024;
    }
  }
  return 0;
}

void ReadWithBuffer(const std::string& path, std::vector<char>* buffer) {
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  CHECK(file != nullptr);
  CHECK(std::fread(buffer->data(), 1, buffer->size(), file) == buffer->size());
  std::fclose(file);
}

// What no reader can do without: every byte looked at once, on all cores.
void LookAtAll(const std::string& path, bool checksum) {
  const absl::StatusOr<MappedFile> file = MappedFile::Open(path, limits::kModelBytesMax);
  CHECK(file.ok()) << file.status();
  constexpr size_t kPage = 4096, kChunk = 1 << 20;
  const absl::string_view bytes = file->bytes();
  Chunks chunks(bytes.size(), kChunk);
  std::atomic<uint32_t> sum = 0;
  RunOnThreads(0, [&] {
    while (const auto chunk = chunks.Next()) {
      uint32_t mine = 0;
      if (checksum) mine = Crc32c(bytes.substr(chunk->begin, chunk->end - chunk->begin));
      for (size_t i = chunk->begin; i < chunk->end && !checksum; i += kPage) {
        mine += static_cast<uint8_t>(bytes[i]);
      }
      sum += mine;
    }
  });
}

void MeasureOpening(const std::string& path, size_t products, size_t rounds) {
  const std::vector<Event> history = MakeHistory(products);
  const RankOptions options{.k = 20, .now_ms = kNowMs};
  std::vector<char> buffer(std::filesystem::file_size(path));
  std::vector<double> first, opened, answered, again, read, touched, summed;
  for (size_t round = 0; round < rounds; ++round) {
    std::shared_ptr<const Model> model;
    opened.push_back(MillisecondsOf([&] { model = Open(path); }));
    const auto answer = [&] {
      const RankedList list = Recommend(*model, history, options);
      CHECK(list.products.size() == 20 && list.products[0].source == ListSource::kTaste);
    };
    answered.push_back(MillisecondsOf(answer));
    first.push_back(opened.back() + answered.back());
    again.push_back(MillisecondsOf(answer));
    CHECK(model->fold_in.rotated == nullptr) << "nothing of the factors' size is to be copied";
    model.reset();
    read.push_back(MillisecondsOf([&] { ReadWithBuffer(path, &buffer); }));
    touched.push_back(MillisecondsOf([&] { LookAtAll(path, /*checksum=*/false); }));
    summed.push_back(MillisecondsOf([&] { LookAtAll(path, /*checksum=*/true); }));
  }
  absl::PrintF("%s: %d products, %.1f MB\n", path, products,
               static_cast<double>(buffer.size()) / 1e6);
  Print("open to first answer", first);
  Print("  of that: open", opened);
  Print("  of that: the answer", answered);
  Print("a second answer", again);
  Print("read() of the same bytes", read);
  Print("a mapping, one byte of each page", touched);
  Print("a mapping, checksums alone", summed);
}

void MeasureMemory(const std::string& path) {
  const double before = Megabytes("RssAnon:");
  const std::shared_ptr<const Model> model = Open(path);
  absl::PrintF("  memory of its own %.1f MB, beside %.1f MB mapped\n",
               Megabytes("RssAnon:") - before, static_cast<double>(model->file.size()) / 1e6);
}

void MeasureFind(const std::string& path, size_t products) {
  const std::shared_ptr<const Model> model = Open(path);
  std::mt19937 random(kSeed);
  std::vector<std::string> names(10'000);
  for (std::string& name : names) name = ProductName(random() % products);
  size_t found = 0;
  const double ms = MillisecondsOf([&] {
    for (const std::string& name : names) found += model->Find(name).has_value() ? 1 : 0;
  });
  CHECK(found == names.size());
  absl::PrintF("  a product found by its id in %.0f ns\n",
               ms * 1e6 / static_cast<double>(names.size()));
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  using namespace vitrine;
  const size_t products = argc > 1 ? std::stoul(argv[1]) : 1'000'000;
  const size_t rounds = argc > 2 ? std::stoul(argv[2]) : 15;
  std::string folder = (std::filesystem::temp_directory_path() / "vitrine.XXXXXX").string();
  CHECK(::mkdtemp(folder.data()) != nullptr);
  for (const bool links : {false, true}) {
    const std::string path = folder + (links ? "/with-links.model" : "/plain.model");
    WriteGenerated(products, links, path);
    MeasureOpening(path, products, rounds);
    MeasureMemory(path);
    MeasureFind(path, products);
  }
  std::filesystem::remove_all(folder);
  return 0;
}
