#include "recommender/model/model_description.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "recommender/model/json_fields.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

constexpr size_t kDescriptionBytesMax = 64 << 10;

// Names every field once, for writing and for reading.
template <typename Description, typename Visitor>
void VisitFields(Description& description, Visitor&& visit) {
  auto& facts = description.facts;
  visit("products", description.products);
  visit("id", facts.id);
  visit("trained_at_ms", facts.trained_at_ms);
  visit("newest_ms", facts.newest_ms);
  visit("persons", facts.persons);
  visit("interactions", facts.interactions);
  visit("train_seconds", facts.train_seconds);
  visit("weights.page_view", facts.weights.page_view);
  visit("weights.view_item", facts.weights.view_item);
  visit("weights.add_to_cart", facts.weights.add_to_cart);
  visit("weights.add_to_wishlist", facts.weights.add_to_wishlist);
  visit("weights.purchase", facts.weights.purchase);
  visit("weights.cell_weight_max", facts.weights.cell_weight_max);
  visit("weights.half_life_days", facts.weights.half_life_days);
  visit("als.factors", facts.als.factors);
  visit("als.epochs", facts.als.epochs);
  visit("als.unobserved_weight", facts.als.unobserved_weight);
  visit("als.regularization", facts.als.regularization);
  visit("als.regularization_exponent", facts.als.regularization_exponent);
  visit("als.init_stddev", facts.als.init_stddev);
  visit("als.seed", facts.als.seed);
  visit("als.threads", facts.als.threads);
}

// What models of before these settings do not say: they were made exactly.
constexpr char kSolver[] = "als.solver";
constexpr char kCgSteps[] = "als.cg_steps";
constexpr char kBlock[] = "als.block";
// What is only said where it is not as usual.
constexpr char kLearnLists[] = "learn_lists";
constexpr char kMixDepth[] = "mix.depth";

template <typename Mix, typename Visitor>
void VisitMix(Mix& mix, Visitor&& visit) {
  visit(kMixDepth, mix.depth);
  for (const auto& [situation, name] :
       {std::pair(Situation::kHome, "home"), std::pair(Situation::kVisit, "visit")}) {
    for (size_t s = 0; s < kMixSources; ++s) {
      const auto source = static_cast<MixSource>(s);
      const std::string prefix = absl::StrCat("mix.", name, ".", NameOf(source));
      visit((prefix + ".weight").c_str(), mix[situation][source].weight);
      visit((prefix + ".exponent").c_str(), mix[situation][source].exponent);
    }
  }
}

absl::Status Valid(const ModelFacts& facts) {
  RETURN_IF_ERROR(Validate(facts.weights));
  RETURN_IF_ERROR(Validate(facts.als));
  return facts.mix ? Validate(*facts.mix) : absl::OkStatus();
}

}  // namespace

std::string EncodeDescription(const ModelDescription& description) {
  const AlsSettings& als = description.facts.als;
  Json json = {{kSolver, std::string(SolverName(als.solver))},
               {kCgSteps, als.cg_steps},
               {kBlock, als.block}};
  const auto put = [&json](const char* name, const auto& value) { json[name] = value; };
  VisitFields(description, put);
  if (description.facts.learn_lists) put(kLearnLists, true);
  if (description.facts.mix) VisitMix(*description.facts.mix, put);
  return json.dump(2);
}

absl::StatusOr<ModelDescription> DecodeDescription(absl::string_view text) {
  if (text.size() > kDescriptionBytesMax) {
    return absl::DataLossError("the description is too long");
  }
  const Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  FieldReader read(json, "the description");
  ModelDescription description;
  VisitFields(description, read);
  AlsSettings& als = description.facts.als;
  if (read.Has(kCgSteps)) read(kCgSteps, als.cg_steps);
  if (read.Has(kBlock)) read(kBlock, als.block);
  std::string solver(SolverName(AlsSolver::kExact));
  if (read.Has(kSolver)) read(kSolver, solver);
  if (read.Has(kLearnLists)) read(kLearnLists, description.facts.learn_lists);
  if (read.Has(kMixDepth)) VisitMix(description.facts.mix.emplace(), read);
  RETURN_IF_ERROR(read.status());
  const auto known = SolverOfName(solver);
  if (!known) {
    return absl::DataLossError(absl::StrCat("the description has no valid ", kSolver));
  }
  als.solver = *known;
  if (absl::Status valid = Valid(description.facts); !valid.ok()) {
    return absl::DataLossError(valid.message());
  }
  return description;
}

}  // namespace vitrine
