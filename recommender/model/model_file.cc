#include "recommender/model/model_file.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"

#include "recommender/model/padded_matrix.h"
#include "recommender/model/parallel.h"
#include "store/base/crc32c.h"
#include "store/base/status_macros.h"

namespace vitrine::model_file {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

constexpr std::array<char, 8> kMagic = {'V', 'I', 'T', 'R', 'M', 'O', 'D', 'L'};
constexpr uint32_t kVersion = 3;
constexpr size_t kAlignment = 64;

struct Header {
  std::array<char, 8> magic = kMagic;
  uint32_t version = kVersion;
  uint32_t sections = 0;
  uint64_t file_bytes = 0;
  uint32_t table_crc = 0;
  uint32_t header_crc = 0;  // of the bytes above
};
static_assert(sizeof(Header) == 32 && std::is_trivially_copyable_v<Header>);

struct TableEntry {
  std::array<char, 24> name = {};  // padded with zeros
  uint64_t offset = 0;
  uint64_t size = 0;
  uint32_t crc = 0;
  uint32_t zero = 0;
};
static_assert(sizeof(TableEntry) == 48 && std::is_trivially_copyable_v<TableEntry>);

constexpr std::array<absl::string_view, kSections> kNames = {
    "description",     "products",      "factors",   "gramian",
    "popularity",      "by_popularity", "quantized", "viewed_also_viewed",
    "bought_together", "blend",         "rerank"};
constexpr std::array<Section, kSections> kOrder = {
    kDescription, kProducts,         kFactors,        kGramian, kPopularity, kByPopularity,
    kQuantized,   kViewedAlsoViewed, kBoughtTogether, kBlend,   kRerank};
constexpr std::array<Section, 4> kOrderOfVersion1 = {kDescription, kProducts, kFactors,
                                                     kPopularity};

constexpr size_t TableEnd(size_t sections) {
  return sizeof(Header) + sections * sizeof(TableEntry);
}

constexpr size_t Aligned(size_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

template <typename T>
absl::string_view ObjectBytes(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

template <typename T>
T Load(absl::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

uint32_t HeaderCrc(const Header& header) {
  return Crc32c(ObjectBytes(header).substr(0, offsetof(Header, header_crc)));
}

std::array<char, 24> PaddedName(Section section) {
  std::array<char, 24> name = {};
  std::copy_n(NameOf(section).begin(), NameOf(section).size(), name.begin());
  return name;
}

absl::Status Damaged(Section section, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("section ", NameOf(section), ": ", what));
}

absl::StatusOr<Header> ReadHeader(absl::string_view file) {
  if (file.size() < sizeof(Header) ||
      file.substr(0, kMagic.size()) != absl::string_view(kMagic.data(), kMagic.size())) {
    return absl::InvalidArgumentError("this is no model file");
  }
  const auto header = Load<Header>(file);
  if (header.header_crc != HeaderCrc(header)) {
    return absl::DataLossError("the header is damaged");
  }
  if (header.version < 1 || header.version > kVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("version ", header.version, ", this program reads 1 to ", kVersion));
  }
  if (header.file_bytes != file.size()) {
    return absl::DataLossError(
        absl::StrCat("the file has ", file.size(), " bytes of ", header.file_bytes));
  }
  return header;
}

std::span<const Section> OrderOf(uint32_t version) {
  if (version == 1) return kOrderOfVersion1;
  return kOrder;
}

}  // namespace

absl::string_view NameOf(Section section) { return kNames[section]; }

Image Assemble(const std::array<Pieces, kSections>& sections) {
  std::array<TableEntry, kSections> table;
  size_t end = TableEnd(kSections);
  for (size_t s = 0; s < kSections; ++s) {
    table[s].name = PaddedName(static_cast<Section>(s));
    table[s].offset = Aligned(end);
    for (const absl::string_view piece : sections[s]) table[s].size += piece.size();
    end = table[s].offset + table[s].size;
  }
  auto memory = std::make_shared<const AlignedFloats>((end + sizeof(float) - 1) / sizeof(float));
  char* const bytes = reinterpret_cast<char*>(memory->data());
  for (size_t s = 0; s < kSections; ++s) {
    char* to = bytes + table[s].offset;
    for (const absl::string_view piece : sections[s]) {
      to = std::copy(piece.begin(), piece.end(), to);
    }
    table[s].crc = Crc32c({bytes + table[s].offset, table[s].size});
  }
  Header header;
  header.sections = kSections;
  header.file_bytes = end;
  header.table_crc = Crc32c(ObjectBytes(table));
  header.header_crc = HeaderCrc(header);
  std::memcpy(bytes, &header, sizeof(header));
  std::memcpy(bytes + sizeof(header), &table, sizeof(table));
  return {std::move(memory), {bytes, end}};
}

absl::StatusOr<Contents> Dissect(absl::string_view file) {
  ASSIGN_OR_RETURN(const Header header, ReadHeader(file));
  const std::span<const Section> order = OrderOf(header.version);
  size_t end = TableEnd(order.size());
  if (header.sections != order.size() || file.size() < end) {
    return absl::DataLossError(absl::StrCat("there are ", header.sections, " sections"));
  }
  absl::string_view table = file.substr(sizeof(Header), end - sizeof(Header));
  if (header.table_crc != Crc32c(table)) {
    return absl::DataLossError("the section table is damaged");
  }
  Contents contents{.version = header.version, .sections = {}};
  for (const Section section : order) {
    const auto entry = Load<TableEntry>(table);
    table.remove_prefix(sizeof(entry));
    if (entry.name != PaddedName(section)) return Damaged(section, "has another name");
    if (entry.zero != 0) return Damaged(section, "its entry does not end in zeros");
    if (entry.offset != Aligned(end) || entry.offset > file.size() ||
        entry.size > file.size() - entry.offset) {
      return Damaged(section, "is not where it must be");
    }
    const absl::string_view gap = file.substr(end, entry.offset - end);
    if (gap.find_first_not_of('\0') != gap.npos) {
      return Damaged(section, "bytes before it are not zero");
    }
    contents.sections[section] = file.substr(entry.offset, entry.size);
    contents.crcs[section] = entry.crc;
    end = entry.offset + entry.size;
  }
  if (end != file.size()) return absl::DataLossError("there are bytes after the last section");
  if (Crc32c(contents.sections[kDescription]) != contents.crcs[kDescription]) {
    return Damaged(kDescription, "checksum does not match");
  }
  return contents;
}

namespace {

// What a core looks at in one go, small enough to be in the cache still when it is looked at again.
constexpr size_t kChunkBytes = 128 << 10;

struct Chunk {
  const Array* array = nullptr;
  size_t begin = 0;  // bytes
  size_t end = 0;
  uint32_t crc = 0;
  absl::Status status = {};
};

std::vector<Chunk> Divide(std::span<const Array> arrays) {
  std::vector<Chunk> chunks;
  for (const Array& array : arrays) {
    const size_t step = kChunkBytes / array.element_bytes * array.element_bytes;
    for (size_t begin = 0; begin < array.bytes.size(); begin += step) {
      chunks.push_back({&array, begin, std::min(begin + step, array.bytes.size())});
    }
  }
  return chunks;
}

void LookAt(Chunk* chunk) {
  const Array& array = *chunk->array;
  chunk->crc = Crc32c(array.bytes.substr(chunk->begin, chunk->end - chunk->begin));
  if (array.check) {
    chunk->status =
        array.check(chunk->begin / array.element_bytes, chunk->end / array.element_bytes);
  }
}

}  // namespace

absl::Status CheckArrays(const Contents& contents, std::span<const Array> arrays) {
  std::vector<Chunk> chunks = Divide(arrays);
  Chunks turns(chunks.size(), /*chunk=*/1);
  // Less is done before a second thread has begun.
  const size_t bytes =
      std::accumulate(arrays.begin(), arrays.end(), size_t{0},
                      [](size_t sum, const Array& array) { return sum + array.bytes.size(); });
  RunOnThreads(bytes < kChunkBytes ? 1 : 0, [&] {
    while (const auto turn = turns.Next()) LookAt(&chunks[turn->begin]);
  });

  std::array<uint32_t, kSections> crcs = {};  // of nothing
  std::array<size_t, kSections> sizes = {};
  for (const Chunk& chunk : chunks) {
    uint32_t& crc = crcs[chunk.array->section];
    crc = Crc32cConcat(crc, chunk.crc, chunk.end - chunk.begin);
    sizes[chunk.array->section] += chunk.end - chunk.begin;
  }
  for (size_t s = 0; s < kSections; ++s) {
    const auto section = static_cast<Section>(s);
    if (sizes[s] != contents.sections[s].size()) return Damaged(section, "has another size");
    if (crcs[s] != contents.crcs[s]) return Damaged(section, "checksum does not match");
  }
  for (const Chunk& chunk : chunks) {
    if (!chunk.status.ok()) return Damaged(chunk.array->section, chunk.status.message());
  }
  return absl::OkStatus();
}

}  // namespace vitrine::model_file
