// A model file with changes: the input says which version, then is a list of (offset, byte) that
// changes it, and cuts or adds bytes at the end. The checksums are made to fit, so that what stands
// behind them is tried. A model that is read hangs together.

#include <filesystem>
#include <utility>

#include "recommender/model/model.h"
#include "store/base/atomic_file.h"
#include "store/base/crc32c.h"
#include "tests/fuzz/fuzzing.h"
#include "tests/recommender/model_bytes.h"

namespace vitrine {
namespace {

// Where the checksums lie: recommender/model/README.md.
constexpr size_t kHeaderBytes = 32, kEntryBytes = 48;

Model SmallModel() {
  ModelParts parts;
  parts.id = "m";
  parts.als.factors = 2;
  parts.products = {"a", "bc", "d"};
  parts.factors = FactorMatrix::Zero(3, 2);
  for (int i = 0; i < 3; ++i) parts.factors(i, i % 2) = 1;
  parts.popularity = {3, 1, 2};
  parts.viewed_also_viewed = {{0, 2, 2, 3}, {{2, 5, 0.5f}, {1, 1, 0.25f}, {0, 5, 0.5f}}};
  parts.blend = BlendSettings::Default();
  parts.rerank = fuzz::Value(TreeEnsemble::Parse(
      R"({"learner": {"gradient_booster": {"name": "gbtree", "model": {"trees": [
          {"left_children": [1, -1, -1], "right_children": [2, -1, -1],
           "split_indices": [1, 0, 0], "split_conditions": [0.5, 1, 2]}]}}}})",
      /*features=*/2, /*trees=*/1));
  return fuzz::Value(MakeModel(std::move(parts)));
}

std::string SmallFile() {
  std::string folder = (std::filesystem::temp_directory_path() / "fuzz.XXXXXX").string();
  CHECK(::mkdtemp(folder.data()) != nullptr);
  const std::string path = folder + "/model";
  CHECK(WriteModel(SmallModel(), path).ok());
  const std::string bytes = fuzz::Value(ReadFile(path, 1 << 20));
  std::filesystem::remove_all(folder);
  return bytes;
}

void FitChecksums(std::string* file) {
  const absl::string_view all = *file;
  if (file->size() < kHeaderBytes) return;
  const size_t sections = testing::GetValue<uint32_t>(all, 12);
  if (sections > (file->size() - kHeaderBytes) / kEntryBytes) return;
  const size_t table_end = kHeaderBytes + sections * kEntryBytes;
  for (size_t i = 0; i < sections; ++i) {
    const size_t entry = kHeaderBytes + i * kEntryBytes;
    const auto offset = testing::GetValue<uint64_t>(all, entry + 24);
    const auto size = testing::GetValue<uint64_t>(all, entry + 32);
    if (offset > all.size() || size > all.size() - offset) continue;
    testing::PutValue(Crc32c(all.substr(offset, size)), entry + 40, file);
  }
  testing::PutValue(Crc32c(all.substr(kHeaderBytes, table_end - kHeaderBytes)), 24, file);
  testing::PutValue(Crc32c(all.substr(0, 28)), 28, file);
}

void CheckLinks(const ItemLinks& links, size_t products) {
  for (uint32_t p = 0; p < products; ++p) {
    for (const ItemLink& link : links.Of(p)) CHECK(link.product < products);
  }
}

void Run(absl::string_view changes) {
  static const std::string& newest = *new std::string(SmallFile());
  static const std::string& version2 =
      *new std::string(testing::FileOf(2, testing::SectionsOf(newest)));
  static const std::string& version1 = *new std::string(testing::AsVersion1(newest));
  static fuzz::MemoryFile& memory = *new fuzz::MemoryFile;
  if (changes.empty()) return;
  const std::string& good = changes[0] == '1' ? version1 : changes[0] == '2' ? version2 : newest;
  changes.remove_prefix(1);
  std::string file = good;
  for (; changes.size() >= 3; changes.remove_prefix(3)) {
    const size_t at = static_cast<uint8_t>(changes[0]) << 8 | static_cast<uint8_t>(changes[1]);
    if (at < file.size()) {
      file[at] = changes[2];
    } else {
      file.resize(at % (2 * good.size()), changes[2]);
    }
  }
  FitChecksums(&file);
  const absl::StatusOr<std::shared_ptr<const Model>> read = ReadModel(memory.Hold(file));
  if (!read.ok()) return;
  const Model& model = **read;
  const size_t products = model.products.size();
  CHECK(static_cast<size_t>(model.factors.rows()) == products && model.factors.allFinite());
  CHECK(model.gramian.rows() == model.factors.cols());
  CHECK(model.popularity.size() == products && model.by_popularity.size() == products);
  CHECK(model.quantized.products() == products);
  for (const uint32_t product : model.quantized.order()) CHECK(product < products);
  for (size_t i = 0; i < products; ++i) CHECK(model.Find(model.products[i]) == i);
  CheckLinks(model.viewed_also_viewed, products);
  CheckLinks(model.bought_together, products);
}

}  // namespace
}  // namespace vitrine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vitrine::Run(vitrine::fuzz::Text(data, size));
  return 0;
}
