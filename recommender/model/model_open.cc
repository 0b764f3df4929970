#include "recommender/model/model_open.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

#include "recommender/model/eigenbasis.h"
#include "recommender/model/model_description.h"
#include "recommender/model/session_settings_json.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

using model_file::Array;
using model_file::BytesOf;
using model_file::Contents;
using model_file::ValuesOf;

constexpr size_t kBlendBytesMax = 64 << 10;

// --- Views of the sections ---

// Takes the first `count` values off the front, or nullopt if there are not so many.
template <typename T>
std::optional<std::span<const T>> Take(size_t count, absl::string_view* bytes) {
  if (count > bytes->size() / sizeof(T)) return std::nullopt;
  const std::span<const T> values = ValuesOf<T>(bytes->substr(0, count * sizeof(T)));
  bytes->remove_prefix(count * sizeof(T));
  return values;
}

// The section as so many values exactly; none where it may be left out and is.
template <typename T>
bool View(absl::string_view bytes, size_t count, bool may_be_left_out, std::span<const T>* out) {
  if (bytes.empty() && may_be_left_out) return true;
  if (bytes.size() / sizeof(T) != count || bytes.size() % sizeof(T) != 0) return false;
  *out = ValuesOf<T>(bytes);
  return true;
}

bool ViewIds(absl::string_view bytes, size_t products, ProductIds* ids) {
  const auto offsets = Take<uint64_t>(products + 1, &bytes);
  if (!offsets) return false;
  *ids = ProductIds(*offsets, bytes);
  return true;
}

bool ViewMatrix(absl::string_view bytes, size_t rows, size_t columns, bool may_be_left_out,
                FactorView* matrix) {
  std::span<const float> values;
  if (!View(bytes, rows * columns, may_be_left_out, &values)) return false;
  if (values.empty()) return true;
  *matrix = {values.data(), static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns)};
  return true;
}

bool ViewQuantized(absl::string_view bytes, size_t products, size_t factors,
                   QuantizedFactors* quantized) {
  using Q = QuantizedFactors;
  if (bytes.empty()) return true;
  const size_t blocks = Q::Blocks(products);
  const auto codes = Take<uint8_t>(blocks * Q::Slices(factors) * Q::kSliceBytes, &bytes);
  if (!codes) return false;
  const auto fine_codes = Take<uint8_t>(blocks * Q::kLanes * factors, &bytes);
  if (!fine_codes) return false;
  const auto scales = Take<float>(blocks * Q::kLanes, &bytes);
  if (!scales) return false;
  const auto bounds = Take<Q::Bounds>(blocks, &bytes);
  if (!bounds) return false;
  const auto order = Take<uint32_t>(products, &bytes);
  if (!order || !bytes.empty()) return false;
  *quantized = Q(factors, {*codes, *fine_codes, *scales, *bounds, *order});
  return true;
}

bool ViewLinks(absl::string_view bytes, size_t products, ItemLinks* links) {
  if (bytes.empty()) return true;
  const auto offsets = Take<uint64_t>(products + 1, &bytes);
  if (!offsets || bytes.empty() || bytes.size() % sizeof(ItemLink) != 0) return false;
  *links = {*offsets, ValuesOf<ItemLink>(bytes)};
  return true;
}

// Everything is where the sizes say, and no more is known of it yet.
absl::Status ViewAll(const Contents& contents, size_t products, Model* model) {
  const auto& sections = contents.sections;
  const size_t d = model->als.factors;
  const auto unfit = [&](model_file::Section section) {
    return absl::DataLossError(absl::StrCat("section ", model_file::NameOf(section),
                                            " does not fit ", products, " products with ", d,
                                            " factors"));
  };
  using namespace model_file;
  // With less there are no such factors, and nothing below can overflow.
  if (products == 0 || !std::in_range<uint32_t>(products) ||
      !ViewMatrix(sections[kFactors], products, d, false, &model->factors)) {
    return unfit(kFactors);
  }
  if (!ViewIds(sections[kProducts], products, &model->products)) return unfit(kProducts);
  if (!ViewMatrix(sections[kGramian], d, d, true, &model->gramian)) return unfit(kGramian);
  if (!View(sections[kPopularity], products, false, &model->popularity)) return unfit(kPopularity);
  if (!View(sections[kByPopularity], products, true, &model->by_popularity)) {
    return unfit(kByPopularity);
  }
  // What version 2 has there is left alone.
  if (contents.version > 2 &&
      !ViewQuantized(sections[kQuantized], products, d, &model->quantized)) {
    return unfit(kQuantized);
  }
  if (!ViewLinks(sections[kViewedAlsoViewed], products, &model->viewed_also_viewed)) {
    return unfit(kViewedAlsoViewed);
  }
  if (!ViewLinks(sections[kBoughtTogether], products, &model->bought_together)) {
    return unfit(kBoughtTogether);
  }
  return absl::OkStatus();
}

// --- What the elements must be. These look at bytes that may be damaged. ---

// An infinity or NaN has all bits of its exponent set. As whole numbers they go through at the
// speed of the memory.
bool IsNotFinite(float value) {
  constexpr uint32_t kExponent = 0x7f800000;
  return (std::bit_cast<uint32_t>(value) & kExponent) == kExponent;
}

auto Finite(std::span<const float> values) {
  return [values](size_t begin, size_t end) {
    unsigned bad = 0;
    for (size_t i = begin; i < end; ++i) bad |= IsNotFinite(values[i]) ? 1u : 0u;
    if (bad == 0) return absl::OkStatus();
    while (!IsNotFinite(values[begin])) ++begin;
    return absl::DataLossError(absl::StrCat("value ", begin, " is not finite"));
  };
}

auto AscendingIds(std::span<const uint64_t> offsets, absl::string_view bytes) {
  return [offsets, bytes](size_t begin, size_t end) {
    const size_t last = offsets.size() - 1;
    // Empty for what is no id.
    const auto id = [&](size_t i) {
      const uint64_t size = offsets[i + 1] - offsets[i];
      if (offsets[i + 1] > bytes.size() || size > limits::kIdBytesMax) return absl::string_view();
      return bytes.substr(offsets[i], size);
    };
    for (size_t i = begin; i < std::min(end, last); ++i) {
      if (id(i).empty() || (i == 0 && offsets[0] != 0)) {
        return absl::DataLossError(absl::StrCat("product ", i, " of ", last, " is damaged"));
      }
      if (i > 0 && !(id(i - 1) < id(i))) {
        return absl::DataLossError(
            absl::StrCat("product ", i, " is there twice, or in another order than that of ids"));
      }
    }
    if (end > last && offsets[last] != bytes.size()) {
      return absl::DataLossError("there are too many bytes of product ids");
    }
    return absl::OkStatus();
  };
}

// By falling popularity, then by rising index: an order in which no product can be there twice, so
// that they are all there.
auto OrderedByPopularity(std::span<const uint32_t> order, std::span<const float> popularity) {
  return [order, popularity](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const uint32_t later = order[i];
      const uint32_t earlier = i == 0 ? later : order[i - 1];
      if (later >= popularity.size() || earlier >= popularity.size() ||
          (i > 0 && !(popularity[earlier] > popularity[later] ||
                      (popularity[earlier] == popularity[later] && earlier < later)))) {
        return absl::DataLossError(absl::StrCat("place ", i, " is not the next most popular"));
      }
    }
    return absl::OkStatus();
  };
}

auto BoundsByNorm(std::span<const QuantizedFactors::Bounds> bounds) {
  return [bounds](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const QuantizedFactors::Bounds& above = bounds[i == 0 ? 0 : i - 1];
      if (!(bounds[i].residual >= 0 && std::isfinite(bounds[i].residual)) ||
          !(bounds[i].fine_residual >= 0 && std::isfinite(bounds[i].fine_residual)) ||
          !(bounds[i].norm >= 0 && bounds[i].norm <= above.norm)) {
        return absl::DataLossError(absl::StrCat("the bounds of block ", i, " are damaged"));
      }
    }
    return absl::OkStatus();
  };
}

// So many numbers below that number, none of them twice.
auto EachOnce(std::span<const uint32_t> order) {
  constexpr size_t kBits = 64;
  using Words = std::vector<std::atomic<uint64_t>>;
  const auto seen = std::make_shared<Words>((order.size() + kBits - 1) / kBits);
  return [order, seen](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const uint32_t product = order[i];
      const uint64_t bit = uint64_t{1} << product % kBits;
      if (product >= order.size() ||
          ((*seen)[product / kBits].fetch_or(bit, std::memory_order_relaxed) & bit) != 0) {
        return absl::DataLossError(
            absl::StrCat("place ", i, " has a product that is not there, or that another has"));
      }
    }
    return absl::OkStatus();
  };
}

auto OffsetsOfLists(const ItemLinks& links) {
  return [links](size_t begin, size_t end) {
    const size_t last = links.offsets.size() - 1;
    for (size_t i = begin; i < end; ++i) {
      const uint64_t from = i == 0 ? 0 : links.offsets[i - 1];
      if (links.offsets[i] < from || (i == 0 && links.offsets[0] != 0) ||
          (i == last && links.offsets[last] != links.links.size())) {
        return absl::DataLossError(absl::StrCat("the links of product ", i, " are damaged"));
      }
    }
    return absl::OkStatus();
  };
}

// Whether links of one list, of which `previous` is the one before (or null), are what they must
// be: to other products, scores positive and finite, the best first. There are tens of millions of
// them, so no branch waits for one.
bool AreLinks(std::span<const ItemLink> links, const ItemLink* previous, size_t product,
              size_t products) {
  constexpr float kHuge = std::numeric_limits<float>::max();
  float before = previous == nullptr ? kHuge : previous->score;
  unsigned bad = 0;
  for (const ItemLink& link : links) {
    bad |= static_cast<unsigned>(link.product >= products) |
           static_cast<unsigned>(link.product == product) |
           static_cast<unsigned>(!(link.score > 0)) |
           static_cast<unsigned>(!(link.score <= before));
    before = link.score;
  }
  return bad == 0;
}

auto ListsOfLinks(const ItemLinks& links) {
  return [links](size_t begin, size_t end) {
    const std::span<const uint64_t> offsets = links.offsets;
    const size_t products = offsets.size() - 1;
    const auto next = std::upper_bound(offsets.begin(), offsets.end(), begin);
    // `end_of` is where the list ends that is looked at. Offsets may be damaged.
    for (auto end_of = static_cast<size_t>(next - offsets.begin()); begin < end; ++end_of) {
      const auto damaged = [&] {
        return absl::DataLossError(
            absl::StrCat("link ", begin, " or the list it is in is damaged"));
      };
      if (end_of == 0 || end_of > products) return damaged();
      const uint64_t list_begin = offsets[end_of - 1];
      const uint64_t list_end = std::min<uint64_t>(offsets[end_of], end);
      if (list_begin > begin || list_end < begin) return damaged();
      const ItemLink* const previous = list_begin < begin ? &links.links[begin - 1] : nullptr;
      if (!AreLinks(links.links.subspan(begin, list_end - begin), previous, end_of - 1, products)) {
        return damaged();
      }
      begin = list_end;
    }
    return absl::OkStatus();
  };
}

Array FloatArray(model_file::Section section, std::span<const float> values) {
  return {section, BytesOf(values), sizeof(float), Finite(values)};
}

void AppendLinks(model_file::Section section, const ItemLinks& links, std::vector<Array>* arrays) {
  if (links.empty()) return;
  arrays->push_back({section, BytesOf(links.offsets), sizeof(uint64_t), OffsetsOfLists(links)});
  arrays->push_back({section, BytesOf(links.links), sizeof(ItemLink), ListsOfLinks(links)});
}

std::span<const float> Values(const FactorView& matrix) {
  return {matrix.data(), static_cast<size_t>(matrix.size())};
}

absl::Status CheckAll(const Contents& contents, const Model& model) {
  using namespace model_file;
  const auto& sections = contents.sections;
  const QuantizedFactors::Arrays& quantized = model.quantized.arrays();
  absl::string_view ids = sections[kProducts];
  const std::span<const uint64_t> offsets = *Take<uint64_t>(model.products.size() + 1, &ids);
  std::vector<Array> arrays = {
      {kDescription, sections[kDescription]},
      {kProducts, BytesOf(offsets), sizeof(uint64_t), AscendingIds(offsets, ids)},
      {kProducts, ids},
      FloatArray(kFactors, Values(model.factors)),
      FloatArray(kGramian, Values(model.gramian)),
      FloatArray(kPopularity, model.popularity),
      {kByPopularity, BytesOf(model.by_popularity), sizeof(uint32_t),
       OrderedByPopularity(model.by_popularity, model.popularity)},
      {kQuantized, BytesOf(quantized.codes)},
      {kQuantized, BytesOf(quantized.fine_codes)},
      FloatArray(kQuantized, quantized.scales),
      {kQuantized, BytesOf(quantized.bounds), sizeof(QuantizedFactors::Bounds),
       BoundsByNorm(quantized.bounds)},
      {kQuantized, BytesOf(quantized.order), sizeof(uint32_t), EachOnce(quantized.order)}};
  if (contents.version == 2) arrays.push_back({kQuantized, sections[kQuantized]});
  AppendLinks(kViewedAlsoViewed, model.viewed_also_viewed, &arrays);
  AppendLinks(kBoughtTogether, model.bought_together, &arrays);
  arrays.push_back({kBlend, sections[kBlend]});
  arrays.push_back({kRerank, sections[kRerank]});
  return CheckArrays(contents, arrays);
}

absl::Status DecodeSettings(const Contents& contents, Model* model) {
  const absl::string_view blend = contents.sections[model_file::kBlend];
  const absl::string_view rerank = contents.sections[model_file::kRerank];
  if (blend.size() > kBlendBytesMax) return absl::DataLossError("the blend is too long");
  if (!blend.empty()) {
    ASSIGN_OR_RETURN(model->blend, BlendFromJson(blend));
  }
  if (!rerank.empty()) {
    ASSIGN_OR_RETURN(model->rerank, TreeEnsemble::Decode(rerank));
  }
  return absl::OkStatus();
}

// --- Folding in ---

// Whether folding in as if the Gramian were diagonal changes a solution by a 10^-5th at most: with
// D the diagonal of a row's system and E what is left out of it, |D^-1/2 E D^-1/2|.
bool IsDiagonal(const FactorView& gramian, const AlsSettings& als, size_t products) {
  const double regularization = RowRegularization(als, /*degree=*/1, products);
  const Eigen::ArrayXd inverse_root =
      (als.unobserved_weight * gramian.diagonal().cast<double>().array() + regularization).rsqrt();
  Eigen::MatrixXd scaled = inverse_root.matrix().asDiagonal() *
                           (als.unobserved_weight * gramian.cast<double>()) *
                           inverse_root.matrix().asDiagonal();
  scaled.diagonal().setZero();
  return scaled.norm() <= 1e-5;  // false for NaN
}

void PrepareFoldIn(Model* model) {
  const auto d = static_cast<size_t>(model->factors.cols());
  const size_t width = (d + kWidthStep - 1) / kWidthStep * kWidthStep;
  auto& fold_in = model->fold_in;
  if (IsDiagonal(model->gramian, model->als, model->products.size())) {
    fold_in.spectrum.assign(width, 0);
    for (Eigen::Index i = 0; i < model->gramian.cols(); ++i) {
      fold_in.spectrum[static_cast<size_t>(i)] = model->gramian(i, i);
    }
    if (width != d) fold_in.rotated = std::make_shared<const PaddedMatrix>(model->factors);
    return;
  }
  Eigenbasis eigen = Diagonalize(model->gramian.cast<double>(), width);
  auto rotated = std::make_shared<PaddedMatrix>(model->factors);
  Rotate(eigen.basis, /*threads=*/0, rotated.get());
  fold_in = {std::move(rotated), std::move(eigen.spectrum), eigen.basis.cast<float>()};
}

// --- Version 1: four sections, ids with their lengths, in any order ---

absl::Status DecodeIdsOfVersion1(absl::string_view bytes, size_t count,
                                 std::vector<std::string>* ids) {
  using Length = uint16_t;
  const auto bad = [&] {
    return absl::DataLossError(absl::StrCat("product ", ids->size(), " of ", count, " is damaged"));
  };
  if (count > bytes.size() / sizeof(Length)) return bad();
  ids->reserve(count);
  while (ids->size() < count) {
    Length length;
    if (bytes.size() < sizeof(length)) return bad();
    std::memcpy(&length, bytes.data(), sizeof(length));
    bytes.remove_prefix(sizeof(length));
    if (length == 0 || length > limits::kIdBytesMax || length > bytes.size()) return bad();
    ids->emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  return bytes.empty() ? absl::OkStatus() : absl::DataLossError("there are too many product ids");
}

// Puts the products of `from` into the order of their ids.
void SortById(std::vector<std::string> ids, const FactorView& factors,
              std::span<const float> popularity, ModelParts* parts) {
  std::vector<uint32_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, {}, [&ids](uint32_t i) -> const std::string& { return ids[i]; });
  parts->factors.resize(factors.rows(), factors.cols());
  for (const uint32_t from : order) {
    const auto to = static_cast<Eigen::Index>(parts->products.size());
    parts->products.push_back(std::move(ids[from]));
    parts->factors.row(to) = factors.row(from);
    parts->popularity.push_back(popularity[from]);
  }
}

absl::StatusOr<Model> OpenVersion1(const Contents& contents) {
  using namespace model_file;
  ASSIGN_OR_RETURN(ModelDescription description,
                   DecodeDescription(contents.sections[kDescription]));
  ModelParts parts;
  static_cast<ModelFacts&>(parts) = std::move(description.facts);
  const size_t products = description.products;
  FactorView factors;
  std::span<const float> popularity;
  if (products == 0 || !std::in_range<uint32_t>(products) ||
      !ViewMatrix(contents.sections[kFactors], products, parts.als.factors, false, &factors) ||
      !View(contents.sections[kPopularity], products, false, &popularity)) {
    return absl::DataLossError(absl::StrCat("sections do not fit ", products, " products with ",
                                            parts.als.factors, " factors"));
  }
  const Array arrays[] = {{kDescription, contents.sections[kDescription]},
                          {kProducts, contents.sections[kProducts]},
                          FloatArray(kFactors, Values(factors)),
                          FloatArray(kPopularity, popularity)};
  RETURN_IF_ERROR(CheckArrays(contents, arrays));
  std::vector<std::string> ids;
  RETURN_IF_ERROR(DecodeIdsOfVersion1(contents.sections[kProducts], products, &ids));
  SortById(std::move(ids), factors, popularity, &parts);
  return MakeModel(std::move(parts));
}

}  // namespace

absl::StatusOr<Model> OpenModel(model_file::Image image) {
  ASSIGN_OR_RETURN(const Contents contents, model_file::Dissect(image.bytes));
  if (contents.version == 1) return OpenVersion1(contents);
  ASSIGN_OR_RETURN(ModelDescription description,
                   DecodeDescription(contents.sections[model_file::kDescription]));
  Model model;
  static_cast<ModelFacts&>(model) = std::move(description.facts);
  model.file = image.bytes;
  model.storage = std::move(image.owner);
  RETURN_IF_ERROR(ViewAll(contents, description.products, &model));
  RETURN_IF_ERROR(CheckAll(contents, model));
  RETURN_IF_ERROR(DecodeSettings(contents, &model));
  const bool complete =
      model.gramian.size() > 0 && !model.by_popularity.empty() && model.quantized.products() > 0;
  if (!complete) return MakeModel(PartsOf(model));
  PrepareFoldIn(&model);
  return model;
}

}  // namespace vitrine
