#include "recommender/model/session_settings.h"

#include "absl/strings/str_cat.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr uint32_t kStepsMax = 16;
constexpr uint32_t kDepthMax = 10'000;

absl::Status CheckCount(absl::string_view name, size_t value, size_t max) {
  if (value >= 1 && value <= max) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " is ", value, ", not 1 to ", max));
}

// A value that is no number fails every comparison.
absl::Status CheckReal(absl::string_view name, float value, float min, float max) {
  if (value >= min && value <= max) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " is ", value, ", not ", min, " to ", max));
}

absl::Status Validate(const RepeatSettings&) { return absl::OkStatus(); }

}  // namespace

VmisSettings VmisSettings::Serenade() {
  return {.last_clicks = 4,
          .recent_sessions = 1502,
          .neighbours = 288,
          .length_exponent = 0,
          .idf_offset = 0,
          .idf_weight = 2,
          .idf_of_pairs = true,
          .hide_last = true};
}

BlendSettings BlendSettings::Default() {
  const StanSettings wide = {.last_clicks = 20,
                             .neighbours = 500,
                             .position_decay = 3,
                             .idf_exponent = 1,
                             .length_exponent = 0.5f,
                             .matched = 1};
  const RuleSettings last = {.last_clicks = 1,
                             .steps = 3,
                             .distance_exponent = 1,
                             .backward = 0.3f,
                             .popularity_exponent = 0};
  return {.sources = {{"stan", StanSettings{}, 1.2f, 0.7f},
                      {"stan-wide", wide, 2.7f, 0.7f},
                      {"vmis", VmisSettings{}, 1.7f, 0.5f},
                      {"rules", RuleSettings{}, 0.7f, 0.35f},
                      {"next", last, 1.0f, 1.0f},
                      {"repeat", RepeatSettings{}, 100.0f, 1.0f, /*relative=*/false}}};
}

absl::Status Validate(const VmisSettings& s) {
  RETURN_IF_ERROR(CheckCount("last_clicks", s.last_clicks, limits::kQueryProductsMax));
  RETURN_IF_ERROR(CheckCount("recent_sessions", s.recent_sessions, limits::kNeighboursMax));
  RETURN_IF_ERROR(CheckCount("neighbours", s.neighbours, limits::kNeighboursMax));
  RETURN_IF_ERROR(CheckReal("length_exponent", s.length_exponent, 0, 4));
  RETURN_IF_ERROR(CheckReal("idf_offset", s.idf_offset, 0, 1000));
  return CheckReal("idf_weight", s.idf_weight, 0, 1000);
}

absl::Status Validate(const StanSettings& s) {
  RETURN_IF_ERROR(CheckCount("last_clicks", s.last_clicks, limits::kQueryProductsMax));
  RETURN_IF_ERROR(
      CheckCount("sessions_per_product", s.sessions_per_product, limits::kSessionsPerProductMax));
  RETURN_IF_ERROR(CheckCount("neighbours", s.neighbours, limits::kNeighboursMax));
  RETURN_IF_ERROR(CheckReal("position_decay", s.position_decay, 0.01f, 1e6f));
  RETURN_IF_ERROR(CheckReal("recency", s.recency, 0, 1e9f));
  RETURN_IF_ERROR(CheckReal("spread", s.spread, 0.01f, 1e6f));
  RETURN_IF_ERROR(CheckReal("idf_exponent", s.idf_exponent, 0, 8));
  RETURN_IF_ERROR(CheckReal("length_exponent", s.length_exponent, 0, 4));
  RETURN_IF_ERROR(CheckReal("before_match", s.before_match, 0, 100));
  RETURN_IF_ERROR(CheckReal("matched", s.matched, 0, 100));
  return CheckReal("popularity_exponent", s.popularity_exponent, 0, 4);
}

absl::Status Validate(const RuleSettings& s) {
  RETURN_IF_ERROR(CheckCount("last_clicks", s.last_clicks, limits::kQueryProductsMax));
  RETURN_IF_ERROR(
      CheckCount("sessions_per_product", s.sessions_per_product, limits::kSessionsPerProductMax));
  RETURN_IF_ERROR(CheckCount("steps", s.steps, kStepsMax));
  RETURN_IF_ERROR(CheckReal("distance_exponent", s.distance_exponent, 0, 8));
  RETURN_IF_ERROR(CheckReal("backward", s.backward, 0, 100));
  RETURN_IF_ERROR(CheckReal("item_decay", s.item_decay, 0, 1));
  RETURN_IF_ERROR(CheckReal("recency", s.recency, 0, 1e9f));
  RETURN_IF_ERROR(CheckReal("row_exponent", s.row_exponent, 0, 4));
  return CheckReal("popularity_exponent", s.popularity_exponent, 0, 4);
}

absl::Status Validate(const BlendSettings& settings) {
  RETURN_IF_ERROR(CheckCount("sources", settings.sources.size(), limits::kBlendSourcesMax));
  RETURN_IF_ERROR(CheckCount("depth", settings.depth, kDepthMax));
  RETURN_IF_ERROR(CheckReal("seen_factor", settings.seen_factor, 0, 1));
  for (const SourceSettings& source : settings.sources) {
    const auto check = [&]() -> absl::Status {
      RETURN_IF_ERROR(
          std::visit([](const auto& scorer) { return Validate(scorer); }, source.scorer));
      RETURN_IF_ERROR(CheckReal("weight", source.weight, 0, 1e9f));
      return CheckReal("exponent", source.exponent, 0.01f, 16);
    };
    RETURN_IF_ERROR(Annotate(check(), absl::StrCat("source ", source.name)));
  }
  return absl::OkStatus();
}

}  // namespace vitrine
