// The model file. Drawn byte by byte in README.md, next to this file.
//
// There is one way only to write a given model: sections in fixed order, no gaps but zeros up to
// the next 64 bytes. So the reader can say of every byte what it must be, and none goes unchecked.

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "recommender/model/model.h"
#include "store/base/atomic_file.h"
#include "store/base/crc32c.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

constexpr std::array<char, 8> kMagic = {'V', 'I', 'T', 'R', 'M', 'O', 'D', 'L'};
constexpr uint32_t kVersion = 1;
constexpr size_t kAlignment = 64;
constexpr size_t kDescriptionBytesMax = 64 << 10;

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

enum Section { kDescription, kProducts, kFactors, kPopularity, kSections };
constexpr std::array<absl::string_view, kSections> kNames = {"description", "products", "factors",
                                                             "popularity"};
constexpr size_t kTableEnd = sizeof(Header) + kSections * sizeof(TableEntry);

using Sections = std::array<absl::string_view, kSections>;
using Json = nlohmann::json;

constexpr size_t Aligned(size_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

template <typename T>
absl::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

template <typename T>
T Load(absl::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

uint32_t HeaderCrc(const Header& header) {
  return Crc32c(BytesOf(header).substr(0, offsetof(Header, header_crc)));
}

// --- The description: what the model is and how it was made, by name, for people and for programs
// in other languages. Numbers come back bit by bit: JSON has the shortest text that does. ---

// Names every field once, for writing and for reading.
template <typename ModelType, typename Visitor>
void VisitDescription(ModelType& model, Visitor&& visit) {
  visit("id", model.id);
  visit("trained_at_ms", model.trained_at_ms);
  visit("newest_ms", model.newest_ms);
  visit("persons", model.persons);
  visit("interactions", model.interactions);
  visit("train_seconds", model.train_seconds);
  visit("weights.page_view", model.weights.page_view);
  visit("weights.view_item", model.weights.view_item);
  visit("weights.add_to_cart", model.weights.add_to_cart);
  visit("weights.add_to_wishlist", model.weights.add_to_wishlist);
  visit("weights.purchase", model.weights.purchase);
  visit("weights.cell_weight_max", model.weights.cell_weight_max);
  visit("weights.half_life_days", model.weights.half_life_days);
  visit("als.factors", model.als.factors);
  visit("als.epochs", model.als.epochs);
  visit("als.unobserved_weight", model.als.unobserved_weight);
  visit("als.regularization", model.als.regularization);
  visit("als.regularization_exponent", model.als.regularization_exponent);
  visit("als.init_stddev", model.als.init_stddev);
  visit("als.seed", model.als.seed);
  visit("als.threads", model.als.threads);
}

// What models of before these settings do not say: how they were made.
constexpr char kSolver[] = "als.solver";
constexpr char kCgSteps[] = "als.cg_steps";
constexpr char kBlock[] = "als.block";

std::string EncodeDescription(const Model& model) {
  Json json = {{"products", model.products.size()},
               {kSolver, std::string(SolverName(model.als.solver))},
               {kCgSteps, model.als.cg_steps},
               {kBlock, model.als.block}};
  VisitDescription(model, [&json](const char* name, const auto& value) { json[name] = value; });
  return json.dump(2);
}

bool Fits(const Json& json, const std::string&) { return json.is_string(); }
bool Fits(const Json& json, int64_t) { return json.is_number_integer(); }
bool Fits(const Json& json, uint64_t) { return json.is_number_unsigned(); }
bool Fits(const Json& json, uint32_t) {
  return json.is_number_unsigned() && std::in_range<uint32_t>(json.get<uint64_t>());
}
bool Fits(const Json& json, double) { return json.is_number(); }
bool Fits(const Json& json, float) { return json.is_number(); }

absl::Status DecodeDescription(absl::string_view text, Model* model, size_t* products) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::DataLossError("the description is no JSON object");
  absl::Status status;
  const auto read = [&](const char* name, auto& value) {
    const auto field = json.find(name);
    if (field != json.end() && Fits(*field, value)) {
      field->get_to(value);
    } else {
      status = absl::DataLossError(absl::StrCat("the description has no valid ", name));
    }
  };
  read("products", *products);
  VisitDescription(*model, read);
  if (json.contains(kCgSteps)) read(kCgSteps, model->als.cg_steps);
  if (json.contains(kBlock)) read(kBlock, model->als.block);
  std::string solver(SolverName(AlsSolver::kExact));
  if (json.contains(kSolver)) read(kSolver, solver);
  if (const auto known = SolverOfName(solver)) {
    model->als.solver = *known;
  } else {
    status = absl::DataLossError(absl::StrCat("the description has no valid ", kSolver));
  }
  RETURN_IF_ERROR(status);
  if (absl::Status valid = Validate(model->weights); !valid.ok()) {
    return absl::DataLossError(valid.message());
  }
  if (absl::Status valid = Validate(model->als); !valid.ok()) {
    return absl::DataLossError(valid.message());
  }
  return absl::OkStatus();
}

// --- The other sections ---

// Each id after its length in two bytes.
std::string EncodeProducts(const std::vector<std::string>& ids) {
  std::string out;
  for (const std::string& id : ids) {
    absl::StrAppend(&out, BytesOf(static_cast<uint16_t>(id.size())), id);
  }
  return out;
}

absl::Status DecodeProducts(absl::string_view bytes, size_t count, std::vector<std::string>* ids) {
  constexpr size_t kLengthBytes = sizeof(uint16_t);
  const auto bad = [&] {
    return absl::DataLossError(absl::StrCat("product ", ids->size(), " of ", count, " is damaged"));
  };
  if (count > bytes.size() / kLengthBytes) return bad();
  ids->reserve(count);
  while (ids->size() < count) {
    if (bytes.size() < kLengthBytes) return bad();
    const size_t length = Load<uint16_t>(bytes);
    bytes.remove_prefix(kLengthBytes);
    if (length == 0 || length > limits::kIdBytesMax || length > bytes.size()) return bad();
    ids->emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  return bytes.empty() ? absl::OkStatus() : absl::DataLossError("there are too many product ids");
}

absl::string_view FloatBytes(const float* values, size_t count) {
  return {reinterpret_cast<const char*>(values), count * sizeof(float)};
}

absl::Status DecodeFloats(absl::string_view name, absl::string_view bytes, std::span<float> out) {
  std::memcpy(out.data(), bytes.data(), bytes.size());
  for (size_t i = 0; i < out.size(); ++i) {
    if (!std::isfinite(out[i])) {
      return absl::DataLossError(absl::StrCat(name, "[", i, "] is not finite"));
    }
  }
  return absl::OkStatus();
}

// --- The file around them ---

std::string Assemble(const Sections& sections) {
  std::array<TableEntry, kSections> table;
  size_t end = kTableEnd;
  for (size_t s = 0; s < kSections; ++s) {
    std::memcpy(table[s].name.data(), kNames[s].data(), kNames[s].size());
    table[s].offset = Aligned(end);
    table[s].size = sections[s].size();
    table[s].crc = Crc32c(sections[s]);
    end = table[s].offset + table[s].size;
  }
  Header header;
  header.sections = kSections;
  header.file_bytes = end;
  header.table_crc = Crc32c(BytesOf(table));
  header.header_crc = HeaderCrc(header);

  std::string file;
  file.reserve(end);
  absl::StrAppend(&file, BytesOf(header), BytesOf(table));
  for (size_t s = 0; s < kSections; ++s) {
    file.resize(table[s].offset, '\0');
    absl::StrAppend(&file, sections[s]);
  }
  return file;
}

absl::Status CheckHeader(absl::string_view file) {
  if (file.size() < sizeof(Header) ||
      file.substr(0, kMagic.size()) != absl::string_view(kMagic.data(), kMagic.size())) {
    return absl::InvalidArgumentError("this is no model file");
  }
  const auto header = Load<Header>(file);
  if (header.header_crc != HeaderCrc(header)) {
    return absl::DataLossError("the header is damaged");
  }
  if (header.version != kVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("version ", header.version, ", this program reads ", kVersion));
  }
  if (header.file_bytes != file.size()) {
    return absl::DataLossError(
        absl::StrCat("the file has ", file.size(), " bytes of ", header.file_bytes));
  }
  if (header.sections != kSections || file.size() < kTableEnd) {
    return absl::DataLossError(absl::StrCat("there are ", header.sections, " sections"));
  }
  if (header.table_crc != Crc32c(file.substr(sizeof(Header), kTableEnd - sizeof(Header)))) {
    return absl::DataLossError("the section table is damaged");
  }
  return absl::OkStatus();
}

// Views of the sections, each with the right name, place and checksum.
absl::StatusOr<Sections> Dissect(absl::string_view file) {
  RETURN_IF_ERROR(CheckHeader(file));
  const auto table = Load<std::array<TableEntry, kSections>>(
      file.substr(sizeof(Header), kSections * sizeof(TableEntry)));
  Sections sections;
  size_t end = kTableEnd;
  for (size_t s = 0; s < kSections; ++s) {
    const TableEntry& entry = table[s];
    const auto damaged = [&](absl::string_view what) {
      return absl::DataLossError(absl::StrCat("section ", kNames[s], ": ", what));
    };
    if (absl::string_view(entry.name.data(), strnlen(entry.name.data(), entry.name.size())) !=
        kNames[s]) {
      return damaged("has another name");
    }
    if (entry.offset != Aligned(end) || entry.offset > file.size() ||
        entry.size > file.size() - entry.offset) {
      return damaged("is not where it must be");
    }
    const absl::string_view gap = file.substr(end, entry.offset - end);
    if (gap.find_first_not_of('\0') != gap.npos) return damaged("bytes before it are not zero");
    sections[s] = file.substr(entry.offset, entry.size);
    if (Crc32c(sections[s]) != entry.crc) return damaged("checksum does not match");
    end = entry.offset + entry.size;
  }
  if (end != file.size()) return absl::DataLossError("there are bytes after the last section");
  return sections;
}

absl::Status DecodeModel(absl::string_view file, Model* model) {
  ASSIGN_OR_RETURN(const Sections sections, Dissect(file));
  if (sections[kDescription].size() > kDescriptionBytesMax) {
    return absl::DataLossError("the description is too long");
  }
  size_t products = 0;
  RETURN_IF_ERROR(DecodeDescription(sections[kDescription], model, &products));

  // All sizes are checked before anything of that size is allocated.
  const size_t row_bytes = model->als.factors * sizeof(float);
  if (products == 0 || !std::in_range<uint32_t>(products) ||
      sections[kFactors].size() / row_bytes != products ||
      sections[kFactors].size() % row_bytes != 0 ||
      sections[kPopularity].size() != products * sizeof(float)) {
    return absl::DataLossError(absl::StrCat("sections do not fit ", products, " products with ",
                                            model->als.factors, " factors"));
  }
  RETURN_IF_ERROR(DecodeProducts(sections[kProducts], products, &model->products));
  model->factors.resize(static_cast<Eigen::Index>(products), model->als.factors);
  RETURN_IF_ERROR(
      DecodeFloats("factors", sections[kFactors],
                   {model->factors.data(), static_cast<size_t>(model->factors.size())}));
  model->popularity.resize(products);
  RETURN_IF_ERROR(DecodeFloats("popularity", sections[kPopularity], model->popularity));

  model->Derive();
  if (model->index.size() != products) return absl::DataLossError("a product id is there twice");
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteModel(const Model& model, const std::string& path) {
  const std::string description = EncodeDescription(model);
  const std::string products = EncodeProducts(model.products);
  return WriteFileAtomically(
      path, Assemble({description, products,
                      FloatBytes(model.factors.data(), static_cast<size_t>(model.factors.size())),
                      FloatBytes(model.popularity.data(), model.popularity.size())}));
}

absl::StatusOr<std::shared_ptr<const Model>> ReadModel(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string file, ReadFile(path, limits::kModelBytesMax));
  auto model = std::make_shared<Model>();
  if (absl::Status status = DecodeModel(file, model.get()); !status.ok()) {
    return Annotate(status, path);
  }
  return model;
}

}  // namespace vitrine
