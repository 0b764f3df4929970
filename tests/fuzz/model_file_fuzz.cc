// A model file with changes: the input is a list of (offset, byte), and cuts or adds bytes at the
// end. The checksums are made to fit, so that what stands behind them is tried. A model that is
// read hangs together.

#include <cstring>
#include <filesystem>

#include "recommender/model/model.h"
#include "store/base/atomic_file.h"
#include "store/base/crc32c.h"
#include "tests/fuzz/fuzzing.h"

namespace vitrine {
namespace {

// Where the checksums lie: recommender/model/README.md.
constexpr size_t kHeaderBytes = 32, kEntryBytes = 48, kSections = 4;
constexpr size_t kTableEnd = kHeaderBytes + kSections * kEntryBytes;

Model SmallModel() {
  Model model;
  model.id = "m";
  model.products = {"a", "bc", "d"};
  model.factors = FactorMatrix::Zero(3, 2);
  for (int i = 0; i < 3; ++i) model.factors(i, i % 2) = 1;
  model.popularity = {3, 1, 2};
  model.Derive();
  return model;
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

void PutCrc(std::string* file, size_t at, absl::string_view of) {
  const uint32_t crc = Crc32c(of);
  file->replace(at, sizeof(crc), reinterpret_cast<const char*>(&crc), sizeof(crc));
}

void FitChecksums(std::string* file) {
  if (file->size() < kTableEnd) return;
  const absl::string_view all = *file;
  for (size_t i = 0; i < kSections; ++i) {
    const size_t entry = kHeaderBytes + i * kEntryBytes;
    uint64_t offset, size;
    std::memcpy(&offset, file->data() + entry + 24, sizeof(offset));
    std::memcpy(&size, file->data() + entry + 32, sizeof(size));
    if (offset > all.size() || size > all.size() - offset) continue;
    PutCrc(file, entry + 40, all.substr(offset, size));
  }
  PutCrc(file, 24, all.substr(kHeaderBytes, kTableEnd - kHeaderBytes));
  PutCrc(file, 28, all.substr(0, 28));
}

void Run(absl::string_view changes) {
  static const std::string& good = *new std::string(SmallFile());
  static fuzz::MemoryFile& memory = *new fuzz::MemoryFile;
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
  CHECK(static_cast<size_t>(model.factors.rows()) == model.products.size());
  CHECK(model.popularity.size() == model.products.size());
  CHECK(model.by_popularity.size() == model.products.size());
  for (size_t i = 0; i < model.products.size(); ++i) CHECK(model.Find(model.products[i]) == i);
}

}  // namespace
}  // namespace vitrine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vitrine::Run(vitrine::fuzz::Text(data, size));
  return 0;
}
