#include "recommender/model/session_settings_json.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "recommender/model/json_fields.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

// Each names every field once, for writing and for reading.
template <typename Visitor>
void Visit(VmisSettings& s, Visitor& visit) {
  visit("last_clicks", s.last_clicks);
  visit("recent_sessions", s.recent_sessions);
  visit("neighbours", s.neighbours);
  visit("length_exponent", s.length_exponent);
  visit("idf_offset", s.idf_offset);
  visit("idf_weight", s.idf_weight);
  visit("idf_of_pairs", s.idf_of_pairs);
  visit("hide_last", s.hide_last);
}

template <typename Visitor>
void Visit(StanSettings& s, Visitor& visit) {
  visit("last_clicks", s.last_clicks);
  visit("sessions_per_product", s.sessions_per_product);
  visit("neighbours", s.neighbours);
  visit("position_decay", s.position_decay);
  visit("recency", s.recency);
  visit("spread", s.spread);
  visit("idf_exponent", s.idf_exponent);
  visit("length_exponent", s.length_exponent);
  visit("before_match", s.before_match);
  visit("matched", s.matched);
  visit("popularity_exponent", s.popularity_exponent);
}

template <typename Visitor>
void Visit(RuleSettings& s, Visitor& visit) {
  visit("last_clicks", s.last_clicks);
  visit("sessions_per_product", s.sessions_per_product);
  visit("steps", s.steps);
  visit("distance_exponent", s.distance_exponent);
  visit("backward", s.backward);
  visit("item_decay", s.item_decay);
  visit("recency", s.recency);
  visit("row_exponent", s.row_exponent);
  visit("popularity_exponent", s.popularity_exponent);
}

template <typename Visitor>
void Visit(RepeatSettings&, Visitor&) {}

template <typename Visitor>
void VisitSource(SourceSettings& s, Visitor& visit) {
  visit("name", s.name);
  visit("weight", s.weight);
  visit("exponent", s.exponent);
  visit("relative", s.relative);
  std::visit([&visit](auto& scorer) { Visit(scorer, visit); }, s.scorer);
}

// In the order of the variant.
constexpr const char* kScorers[] = {"vmis", "stan", "rules", "repeat"};
using Scorer = decltype(SourceSettings::scorer);
static_assert(std::size(kScorers) == std::variant_size_v<Scorer>);

template <size_t... kIndex>
bool ChooseScorer(absl::string_view name, Scorer* scorer, std::index_sequence<kIndex...>) {
  return ((name == kScorers[kIndex] && (scorer->emplace<kIndex>(), true)) || ...);
}

absl::StatusOr<SourceSettings> SourceFromJson(const Json& json, size_t number) {
  FieldReader read(json, absl::StrCat("source ", number, " of the blend"));
  SourceSettings source;
  std::string scorer;
  read("scorer", scorer);
  RETURN_IF_ERROR(read.status());
  if (!ChooseScorer(scorer, &source.scorer,
                    std::make_index_sequence<std::variant_size_v<Scorer>>())) {
    return absl::DataLossError(
        absl::StrCat("source ", number, " of the blend: scorer ", scorer, " is not known"));
  }
  VisitSource(source, read);
  read.ExpectNoOthers();
  RETURN_IF_ERROR(read.status());
  return source;
}

}  // namespace

std::string BlendToJson(const BlendSettings& settings) {
  Json sources = Json::array();
  for (SourceSettings source : settings.sources) {
    Json json = {{"scorer", kScorers[source.scorer.index()]}};
    const auto write = [&json](const char* name, const auto& value) { json[name] = value; };
    VisitSource(source, write);
    sources.push_back(std::move(json));
  }
  const Json json = {{"depth", settings.depth},
                     {"seen_factor", settings.seen_factor},
                     {"sources", std::move(sources)}};
  return json.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

absl::StatusOr<BlendSettings> BlendFromJson(absl::string_view text) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  FieldReader read(json, "the blend");
  BlendSettings settings;
  read("depth", settings.depth);
  read("seen_factor", settings.seen_factor);
  const Json* const sources = read.Find("sources");
  read.ExpectNoOthers();
  RETURN_IF_ERROR(read.status());
  if (!sources->is_array() || sources->size() > limits::kBlendSourcesMax) {
    return absl::DataLossError("the blend has no valid sources");
  }
  for (const Json& source : *sources) {
    ASSIGN_OR_RETURN(settings.sources.emplace_back(),
                     SourceFromJson(source, settings.sources.size()));
  }
  if (const absl::Status valid = Validate(settings); !valid.ok()) {
    return absl::DataLossError(absl::StrCat("the blend: ", valid.message()));
  }
  return settings;
}

}  // namespace vitrine
