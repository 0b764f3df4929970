#include "recommender/model/model.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

#include "recommender/model/model_description.h"
#include "recommender/model/model_file.h"
#include "recommender/model/model_open.h"
#include "recommender/model/session_settings_json.h"
#include "store/base/atomic_file.h"
#include "store/base/limits.h"
#include "store/base/mapped_file.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

using model_file::BytesOf;
using model_file::Pieces;

std::vector<uint32_t> OrderByPopularity(const std::vector<float>& popularity) {
  std::vector<uint32_t> order(popularity.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, std::greater<>(), [&](uint32_t i) { return popularity[i]; });
  return order;
}

// The offsets of ids that follow one another, and those ids.
std::pair<std::vector<uint64_t>, std::string> Join(const std::vector<std::string>& ids) {
  std::pair<std::vector<uint64_t>, std::string> joined = {{0}, ""};
  for (const std::string& id : ids) {
    joined.second += id;
    joined.first.push_back(joined.second.size());
  }
  return joined;
}

Pieces PiecesOf(const ItemLinks& links) {
  if (links.empty()) return {};
  return {BytesOf(links.offsets), BytesOf(links.links)};
}

Pieces PiecesOf(const QuantizedFactors::Arrays& arrays) {
  return {BytesOf(arrays.codes), BytesOf(arrays.fine_codes), BytesOf(arrays.scales),
          BytesOf(arrays.bounds), BytesOf(arrays.order)};
}

Pieces PiecesOf(const FactorMatrix& matrix) {
  return {BytesOf(std::span(matrix.data(), static_cast<size_t>(matrix.size())))};
}

template <typename T>
Pieces PiecesOf(const std::vector<T>& values) {
  return {BytesOf(std::span(values))};
}

ItemLinkLists ListsOf(const ItemLinks& links) {
  if (links.empty()) return {};
  return {{links.offsets.begin(), links.offsets.end()}, {links.links.begin(), links.links.end()}};
}

}  // namespace

FixedSide Model::FoldInSide() const {
  if (fold_in.rotated) return MakeFixedSide(*fold_in.rotated, fold_in.spectrum);
  const auto width = static_cast<size_t>(factors.cols());
  return {factors.data(), static_cast<size_t>(factors.rows()), width, width, fold_in.spectrum};
}

absl::StatusOr<Model> MakeModel(ModelParts parts) {
  const std::string description = EncodeDescription({parts, parts.products.size()});
  const auto [offsets, ids] = Join(parts.products);
  const FactorMatrix gramian = Gramian(parts.factors, /*threads=*/0);
  const std::vector<uint32_t> by_popularity = OrderByPopularity(parts.popularity);
  const QuantizedFactors quantized(parts.factors);
  const std::string blend = parts.blend ? BlendToJson(*parts.blend) : "";
  const std::string rerank = parts.rerank ? parts.rerank->Encode() : "";
  return OpenModel(model_file::Assemble({{{description},
                                          {BytesOf(std::span(offsets)), ids},
                                          PiecesOf(parts.factors),
                                          PiecesOf(gramian),
                                          PiecesOf(parts.popularity),
                                          PiecesOf(by_popularity),
                                          PiecesOf(quantized.arrays()),
                                          PiecesOf(parts.viewed_also_viewed),
                                          PiecesOf(parts.bought_together),
                                          {blend},
                                          {rerank}}}));
}

ModelParts PartsOf(const Model& model) {
  ModelParts parts;
  static_cast<ModelFacts&>(parts) = model;
  for (size_t i = 0; i < model.products.size(); ++i) {
    parts.products.emplace_back(model.products[i]);
  }
  parts.factors = model.factors;
  parts.popularity.assign(model.popularity.begin(), model.popularity.end());
  parts.viewed_also_viewed = ListsOf(model.viewed_also_viewed);
  parts.bought_together = ListsOf(model.bought_together);
  parts.blend = model.blend;
  parts.rerank = model.rerank;
  return parts;
}

absl::Status WriteModel(const Model& model, const std::string& path) {
  return WriteFileAtomically(path, model.file);
}

absl::StatusOr<std::shared_ptr<const Model>> ReadModel(const std::string& path) {
  ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path, limits::kModelBytesMax));
  const auto file = std::make_shared<const MappedFile>(std::move(mapped));
  absl::StatusOr<Model> model = OpenModel({file, file->bytes()});
  if (!model.ok()) return Annotate(model.status(), path);
  return std::make_shared<const Model>(*std::move(model));
}

}  // namespace vitrine
