#include "recommender/learn/als/checkpoint.h"

#include <array>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "store/base/atomic_file.h"
#include "store/base/crc32c.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr std::array<char, 8> kMagic = {'V', 'I', 'T', 'R', 'A', 'L', 'S', 'C'};
constexpr uint32_t kVersion = 1;

struct Header {
  std::array<char, 8> magic = kMagic;
  uint32_t version = kVersion;
  uint32_t epoch = 0;
  uint64_t rows = 0;
  uint32_t factors = 0;
  uint32_t fingerprint = 0;
  uint32_t zero = 0;
  uint32_t crc = 0;  // of the bytes above and of the floats
};
static_assert(sizeof(Header) == 40 && std::is_trivially_copyable_v<Header>);

absl::string_view Bytes(const void* data, size_t size) {
  return {static_cast<const char*>(data), size};
}

uint32_t CrcOf(const Header& header, absl::string_view floats) {
  return Crc32c(floats, Crc32c(Bytes(&header, offsetof(Header, crc))));
}

}  // namespace

uint32_t Fingerprint(const SparseRows& by_person, const AlsSettings& settings,
                     const FactorMatrix* start) {
  uint32_t crc =
      Crc32c(Bytes(by_person.offsets.data(), by_person.offsets.size() * sizeof(uint64_t)));
  crc = Crc32c(Bytes(by_person.cells.data(), by_person.cells.size() * sizeof(Cell)), crc);
  if (start != nullptr) {
    crc = Crc32c(Bytes(start->data(), static_cast<size_t>(start->size()) * sizeof(float)), crc);
  }
  return Crc32c(
      absl::StrCat(by_person.columns, " ", settings.factors, " ", SolverName(settings.solver), " ",
                   settings.cg_steps, " ", settings.block, " ", settings.unobserved_weight, " ",
                   settings.regularization, " ", settings.regularization_exponent, " ",
                   settings.init_stddev, " ", settings.seed),
      crc);
}

absl::Status WriteCheckpoint(const std::string& path, uint32_t fingerprint,
                             const AlsCheckpoint& checkpoint) {
  const absl::string_view floats = Bytes(
      checkpoint.products.data(), static_cast<size_t>(checkpoint.products.size()) * sizeof(float));
  Header header;
  header.epoch = checkpoint.epoch;
  header.rows = static_cast<uint64_t>(checkpoint.products.rows());
  header.factors = static_cast<uint32_t>(checkpoint.products.cols());
  header.fingerprint = fingerprint;
  header.crc = CrcOf(header, floats);
  return WriteFileAtomically(path, absl::StrCat(Bytes(&header, sizeof(header)), floats));
}

absl::StatusOr<AlsCheckpoint> ReadCheckpoint(const std::string& path, uint32_t fingerprint) {
  ASSIGN_OR_RETURN(const std::string file, ReadFile(path, limits::kModelBytesMax));
  const absl::string_view bytes = file;
  Header header;
  if (bytes.size() < sizeof(header)) {
    return absl::DataLossError(absl::StrCat(path, ": too short for a training checkpoint"));
  }
  bytes.copy(reinterpret_cast<char*>(&header), sizeof(header));
  const absl::string_view floats = bytes.substr(sizeof(header));
  if (header.magic != kMagic || header.version != kVersion) {
    return absl::DataLossError(
        absl::StrCat(path, ": no training checkpoint of version ", kVersion));
  }
  const size_t row_bytes = header.factors * sizeof(float);
  if (row_bytes == 0 || floats.size() % row_bytes != 0 ||
      floats.size() / row_bytes != header.rows || header.crc != CrcOf(header, floats)) {
    return absl::DataLossError(absl::StrCat(path, ": the training checkpoint is damaged"));
  }
  if (header.fingerprint != fingerprint) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": the training checkpoint is of other interactions or settings"));
  }
  AlsCheckpoint checkpoint;
  checkpoint.epoch = header.epoch;
  checkpoint.products.resize(static_cast<Eigen::Index>(header.rows), header.factors);
  std::memcpy(checkpoint.products.data(), floats.data(), floats.size());
  return checkpoint;
}

}  // namespace vitrine
