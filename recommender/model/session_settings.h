// How a list follows from a session going on: the settings of each scorer and of their blend. The
// formulas are with the scorers (rank/session_*.h); where the defaults come from is in
// recommender/README.md.

#ifndef VITRINE_RECOMMENDER_MODEL_SESSION_SETTINGS_H_
#define VITRINE_RECOMMENDER_MODEL_SESSION_SETTINGS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"

namespace vitrine {

// VMIS-kNN (rank/session_vmis.h).
struct VmisSettings {
  uint32_t last_clicks = 4;         // of the session that count; 1 to limits::kQueryProductsMax
  uint32_t recent_sessions = 1500;  // m: newest sessions that share a product with it
  uint32_t neighbours = 500;        // k of them that are most similar
  float length_exponent = 0.5f;     // similarity / length^this
  float idf_offset = 1.0f;
  float idf_weight = 1.0f;
  bool idf_of_pairs = false;  // idf = ln(pairs / sessions with the product), not ln(sessions / ...)
  bool hide_last = false;     // the product of the last click gets no score

  // bol.com's Serenade as it scores (github.com/bolcom/serenade), with the settings of its README.
  static VmisSettings Serenade();

  bool operator==(const VmisSettings&) const = default;
};

// STAN and VSTAN (rank/session_stan.h).
struct StanSettings {
  uint32_t last_clicks = 10;             // 1 to limits::kQueryProductsMax
  uint32_t sessions_per_product = 1000;  // newest; 1 to limits::kSessionsPerProductMax
  uint32_t neighbours = 1500;            // 1 to limits::kNeighboursMax
  float position_decay = 1.5f;           // lambda 1, clicks
  float recency = 200'000;               // lambda 2, sessions; 0: age does not matter
  float spread = 5;                      // lambda 3, clicks around the match
  float idf_exponent = 1.5f;
  float length_exponent = 0.25f;
  float before_match = 0.6f;         // weight of a neighbour's clicks before the match; after it: 1
  float matched = 1.5f;              // of the matched click itself
  float popularity_exponent = 0.2f;  // score / sessions with the product^this

  bool operator==(const StanSettings&) const = default;
};

// Sequential rules over several products, both ways (rank/session_rules.h).
struct RuleSettings {
  uint32_t last_clicks = 20;             // 1 to limits::kQueryProductsMax
  uint32_t sessions_per_product = 1000;  // newest; 1 to limits::kSessionsPerProductMax
  uint32_t steps = 5;                    // clicks between premise and conclusion; 1 to 16
  float distance_exponent = 0.25f;       // a rule over d clicks counts d^-this
  float backward = 0.8f;                 // weight of rules against the order; 0: none
  float item_decay = 0.8f;               // per click of the premise's age
  float recency = 150'000;               // sessions; 0: age does not matter
  float row_exponent = 0.5f;             // a premise's rules / their sum^this
  float popularity_exponent = 0.15f;

  bool operator==(const RuleSettings&) const = default;
};

// P(repeat) (model/session_repeats.h). Nothing to set.
struct RepeatSettings {
  bool operator==(const RepeatSettings&) const = default;
};

// A source of a blend: score = weight * (score / best score of its list)^exponent, or, where the
// source's scores mean something by themselves (a probability), weight * score^exponent.
struct SourceSettings {
  std::string name;
  std::variant<VmisSettings, StanSettings, RuleSettings, RepeatSettings> scorer;
  float weight = 1;      // 0: not asked
  float exponent = 1;    // above 0
  bool relative = true;  // to the best score of the list

  bool operator==(const SourceSettings&) const = default;
};

struct BlendSettings {
  std::vector<SourceSettings> sources;  // 1 to limits::kBlendSourcesMax
  uint32_t depth = 150;                 // best products of each source that are blended
  // What relative sources give to products of the session itself is multiplied by this: 0 leaves it
  // to the repeat source whether somebody goes back. 0 to 1.
  float seen_factor = 0.15f;

  static BlendSettings Default();

  bool operator==(const BlendSettings&) const = default;
};

// InvalidArgument, naming the setting, if one is out of its range or no number.
absl::Status Validate(const VmisSettings& settings);
absl::Status Validate(const StanSettings& settings);
absl::Status Validate(const RuleSettings& settings);
absl::Status Validate(const BlendSettings& settings);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_SESSION_SETTINGS_H_
