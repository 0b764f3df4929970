#include "experiments/definition/definition.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "experiments/definition/audience.h"
#include "experiments/definition/metrics.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/enum_number.h"
#include "store/event_names.h"
#include "store/key_format.h"

namespace vitrine::experiments {
namespace {

absl::Status Wrong(absl::string_view where, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
}

absl::Status CheckRange(absl::string_view where, double value, double low, double high) {
  if (value >= low && value <= high) return absl::OkStatus();  // no NaN is
  return Wrong(where, absl::StrCat(value, " is not between ", low, " and ", high));
}

absl::Status CheckText(absl::string_view where, absl::string_view text) {
  if (text.size() <= limits::kTextBytesMax) return absl::OkStatus();
  return Wrong(where, absl::StrCat("is longer than ", limits::kTextBytesMax, " bytes"));
}

absl::Status CheckArm(const std::string& where, const ExperimentArm& arm) {
  RETURN_IF_ERROR(Annotate(ValidName(arm.id), where + ".id"));
  if (!(arm.weight > 0 && arm.weight <= 1e6)) {
    return Wrong(where + ".weight", absl::StrCat(arm.weight, " is not above 0 (and at most 1e6)"));
  }
  if (arm.__isset.k) RETURN_IF_ERROR(CheckRange(where + ".k", arm.k, 1, limits::kSuggestionsMax));
  if (arm.__isset.model_id) RETURN_IF_ERROR(Annotate(ValidId(arm.model_id), where + ".model_id"));
  if (arm.parameters.size() > limits::kExperimentParametersMax) {
    return Wrong(where + ".parameters",
                 absl::StrCat("more than ", limits::kExperimentParametersMax));
  }
  for (const auto& [name, value] : arm.parameters) {
    RETURN_IF_ERROR(Annotate(ValidId(name), where + ".parameters"));
    RETURN_IF_ERROR(CheckText(absl::StrCat(where, ".parameters[", name, "]"), value));
  }
  return absl::OkStatus();
}

absl::Status CheckArms(const Experiment& experiment) {
  const size_t count = experiment.arms.size();
  if (count < 2 || count > limits::kExperimentArmsMax) {
    return Wrong("arms", absl::StrCat("2 to ", limits::kExperimentArmsMax, " are wanted, not ",
                                      count, "; the first is the control"));
  }
  std::set<std::string> ids;
  for (const ExperimentArm& arm : experiment.arms) {
    const std::string where = absl::StrCat("arms[", arm.id, "]");
    RETURN_IF_ERROR(CheckArm(where, arm));
    if (!ids.insert(arm.id).second) return Wrong(where, "there are two of this id");
  }
  return absl::OkStatus();
}

absl::Status CheckEventMetric(const std::string& where, const EventMetric& metric) {
  RETURN_IF_ERROR(Annotate(ValidName(metric.name), where + ".name"));
  if (ParseExperimentMetric(metric.name)) return Wrong(where + ".name", "is one of ours");
  if (_EventKind_VALUES_TO_NAMES.count(NumberIn(metric.kind)) == 0) {
    return Wrong(where + ".kind", absl::StrCat(NumberIn(metric.kind), " is no kind of event"));
  }
  if (_EventMeasure_VALUES_TO_NAMES.count(NumberIn(metric.measure)) == 0) {
    return Wrong(where + ".measure", absl::StrCat(NumberIn(metric.measure), " is none"));
  }
  if (_MetricUse_VALUES_TO_NAMES.count(NumberIn(metric.role)) == 0) {
    return Wrong(where + ".role", absl::StrCat(NumberIn(metric.role), " is none"));
  }
  RETURN_IF_ERROR(CheckText(where + ".category", metric.category));
  for (const auto& [attribute, value] : metric.attributes) {
    RETURN_IF_ERROR(Annotate(ValidId(attribute), where + ".attributes"));
    RETURN_IF_ERROR(CheckText(absl::StrCat(where, ".attributes[", attribute, "]"), value));
  }
  return CheckRange(where + ".margin", metric.margin, 0, 0.5);
}

absl::Status CheckBandit(const Experiment& experiment) {
  if (experiment.kind != ExperimentKind::BANDIT) {
    if (!experiment.__isset.bandit) return absl::OkStatus();
    return Wrong("bandit", "is of experiments of this kind alone");
  }
  const BanditPlan& plan = experiment.bandit;
  RETURN_IF_ERROR(CheckRange("bandit.floor", plan.floor, 0.001,
                             1.0 / static_cast<double>(experiment.arms.size())));
  RETURN_IF_ERROR(CheckRange("bandit.units_per_arm_min",
                             static_cast<double>(plan.units_per_arm_min), 1,
                             limits::kPlannedUnitsMax));
  RETURN_IF_ERROR(
      CheckRange("bandit.batch_minutes", plan.batch_minutes, 1, limits::kBatchMinutesMax));
  std::set<SegmentBy> met;
  for (const SegmentBy& by : plan.segments) {
    if (_SegmentBy_VALUES_TO_NAMES.count(NumberIn(by)) == 0 || !met.insert(by).second) {
      return Wrong("bandit.segments", "are to be known, and each is named once");
    }
  }
  if (experiment.primary == ExperimentMetric::CONVERSION ||
      experiment.primary == ExperimentMetric::REVENUE) {
    return absl::OkStatus();
  }
  return Wrong("primary", "a bandit goes by conversion or revenue, of which each unit has one");
}

// One list of two rankings: nothing else of an arm can be told apart in it.
absl::Status CheckInterleaving(const Experiment& experiment) {
  if (experiment.kind != ExperimentKind::INTERLEAVING) return absl::OkStatus();
  if (experiment.arms.size() != 2) return Wrong("arms", "two are interleaved");
  for (const ExperimentArm& arm : experiment.arms) {
    const bool more = arm.__isset.rules || arm.__isset.k || arm.__isset.model_id ||
                      !arm.parameters.empty() || arm.weight != 1;
    if (more) {
      return Wrong(absl::StrCat("arms[", arm.id, "]"),
                   "arms that are interleaved differ in their recipe alone, and weigh 1");
    }
  }
  if (experiment.primary == ExperimentMetric::CLICK_RATE ||
      experiment.primary == ExperimentMetric::CART_RATE ||
      experiment.primary == ExperimentMetric::CONVERSION) {
    return absl::OkStatus();
  }
  return Wrong("primary",
               "arms that are interleaved are told apart by click_rate, cart_rate or conversion");
}

absl::Status CheckEventMetrics(const Experiment& experiment) {
  if (experiment.events.size() > limits::kExperimentEventMetricsMax) {
    return Wrong("events", absl::StrCat("more than ", limits::kExperimentEventMetricsMax));
  }
  int deciding = 0;
  for (const EventMetric& metric : experiment.events) {
    RETURN_IF_ERROR(CheckEventMetric(absl::StrCat("events[", metric.name, "]"), metric));
    deciding += metric.role == MetricUse::DECIDES ? 1 : 0;
  }
  return deciding <= 1 ? absl::OkStatus() : Wrong("events", "more than one decides");
}

absl::Status CheckMetrics(const Experiment& experiment) {
  RETURN_IF_ERROR(CheckEventMetrics(experiment));
  std::set<std::string> met;
  for (const MeasuredMetric& metric : MetricsOf(experiment)) {
    if (metric.name.empty()) {
      return Wrong("metrics", absl::StrCat(metric.built_in, " is no metric"));
    }
    if (!met.insert(metric.name).second) {
      return Wrong("metrics", absl::StrCat(metric.name,
                                           " is named twice: each is primary, secondary or a "
                                           "guardrail"));
    }
    if (metric.IsMoney() && experiment.currency.size() != 3) {
      return Wrong("currency",
                   absl::StrCat("is wanted for ", metric.name, ", of three letters as in GBP"));
    }
  }
  for (const Guardrail& guardrail : experiment.guardrails) {
    RETURN_IF_ERROR(CheckRange("guardrails.margin", guardrail.margin, 0, 0.5));
  }
  return CheckRange("cap_quantile", experiment.cap_quantile, 0.5, 1);
}

absl::Status CheckLayer(const Experiment& experiment) {
  if (!experiment.__isset.layer) return absl::OkStatus();
  const LayerSlice& layer = experiment.layer;
  RETURN_IF_ERROR(Annotate(ValidName(layer.layer), "layer.layer"));
  RETURN_IF_ERROR(CheckRange("layer.low", layer.low, 0, 1));
  RETURN_IF_ERROR(CheckRange("layer.high", layer.high, 0, 1));
  if (layer.low < layer.high) return absl::OkStatus();
  return Wrong("layer.high", "is not above low: nobody would be in it");
}

absl::Status CheckPlan(const Experiment& experiment) {
  if (!(experiment.alpha > 0 && experiment.alpha < 0.5)) {
    return Wrong("alpha", absl::StrCat(experiment.alpha, " is not between 0 and 0.5"));
  }
  if (experiment.planned_units < 0 || experiment.planned_units > limits::kPlannedUnitsMax) {
    return Wrong("planned_units", "is below 0, or absurd");
  }
  RETURN_IF_ERROR(CheckRange("days_before", experiment.days_before, 0, limits::kDaysBeforeMax));
  if (experiment.__isset.from_ms && experiment.__isset.to_ms &&
      experiment.from_ms >= experiment.to_ms) {
    return Wrong("to", "is not after from: it would never run");
  }
  return absl::OkStatus();
}

// What may not change while an experiment goes on, in the order in which it is named.
struct Frozen {
  const char* field;
  bool (*same)(const Experiment&, const Experiment&);
  const char* why;
};

#define VITRINE_FROZEN(field, why)                                                           \
  {                                                                                          \
#field, [](const Experiment& a, const Experiment& b) { return a.field == b.field; }, why \
  }

constexpr char kOther[] = "units that are in it already saw something else";
constexpr char kLooked[] = "what is looked for is fixed before the first look";

const Frozen kFrozen[] = {
    VITRINE_FROZEN(kind, kOther),
    VITRINE_FROZEN(bandit, kOther),
    VITRINE_FROZEN(hypothesis, kLooked),
    VITRINE_FROZEN(placement, kOther),
    VITRINE_FROZEN(unit, kOther),
    VITRINE_FROZEN(arms, kOther),
    VITRINE_FROZEN(seed, kOther),
    VITRINE_FROZEN(hash, kOther),
    {"layer",
     [](const Experiment& a, const Experiment& b) {
       return a.__isset.layer == b.__isset.layer && a.layer == b.layer;
     },
     kOther},
    VITRINE_FROZEN(audience, kOther),
    VITRINE_FROZEN(from_ms, kOther),
    VITRINE_FROZEN(primary, kLooked),
    VITRINE_FROZEN(secondary, kLooked),
    VITRINE_FROZEN(guardrails, kLooked),
    VITRINE_FROZEN(sequential, kLooked),
    VITRINE_FROZEN(alpha, kLooked),
    VITRINE_FROZEN(planned_units, kLooked),
    VITRINE_FROZEN(currency, kLooked),
    VITRINE_FROZEN(days_before, kLooked),
    VITRINE_FROZEN(events, kLooked),
    VITRINE_FROZEN(cap_quantile, kLooked),
};

#undef VITRINE_FROZEN

bool MayMove(ExperimentStatus from, ExperimentStatus to) {
  switch (from) {
    case ExperimentStatus::DRAFT:
      return to == ExperimentStatus::RUNNING || to == ExperimentStatus::ARCHIVED;
    case ExperimentStatus::RUNNING:
      return to == ExperimentStatus::PAUSED || to == ExperimentStatus::STOPPED;
    case ExperimentStatus::PAUSED:
      return to == ExperimentStatus::RUNNING || to == ExperimentStatus::STOPPED;
    case ExperimentStatus::STOPPED:
      return to == ExperimentStatus::ARCHIVED;
    case ExperimentStatus::ARCHIVED:
      return false;
  }
  return false;
}

absl::Status CheckBegin(const Experiment& experiment, std::span<const Experiment> others,
                        int64_t now_ms) {
  if (experiment.planned_units < 1) {
    return absl::InvalidArgumentError(
        "planned_units: is wanted before the start, and stays (vitrine experiment plan says how "
        "many)");
  }
  if (!experiment.sequential && !experiment.__isset.to_ms) {
    return absl::InvalidArgumentError(
        "to: a fixed test is looked at once, at an end that is known before");
  }
  if (experiment.__isset.to_ms && experiment.to_ms <= now_ms) {
    return absl::InvalidArgumentError("to: is past");
  }
  for (const Experiment& other : others) {
    if (other.id != experiment.id && GoesOn(other)) {
      RETURN_IF_ERROR(CheckTogether(experiment, other));
    }
  }
  return absl::OkStatus();
}

// Weights of sum 1.
std::vector<double> SharesOf(const Experiment& experiment) {
  std::vector<double> shares;
  double sum = 0;
  for (const ExperimentArm& arm : experiment.arms) sum += arm.weight;
  for (const ExperimentArm& arm : experiment.arms) shares.push_back(arm.weight / sum);
  return shares;
}

const std::string& SeedOf(const Experiment& experiment) {
  return experiment.seed.empty() ? experiment.id : experiment.seed;
}

BanditBatch FirstBatch(const Experiment& experiment, int64_t now_ms) {
  BanditBatch batch;
  batch.number = 1;
  batch.from_ms = now_ms;
  batch.weights[""] = SharesOf(experiment);
  return batch;
}

// "recipe", "rules", "k", "parameter colour": what any arm changes.
std::set<std::string> AspectsOf(const Experiment& experiment) {
  std::set<std::string> aspects;
  for (const ExperimentArm& arm : experiment.arms) {
    if (!arm.recipe.empty()) aspects.insert("recipe");
    if (arm.__isset.model_id) aspects.insert("model");
    if (arm.__isset.rules) aspects.insert("rules");
    if (arm.__isset.k) aspects.insert("k");
    for (const auto& [name, value] : arm.parameters) aspects.insert("parameter " + name);
  }
  return aspects;
}

}  // namespace

absl::Status ValidateExperiment(const Experiment& experiment) {
  RETURN_IF_ERROR(Annotate(ValidName(experiment.id), "id"));
  RETURN_IF_ERROR(CheckText("hypothesis", experiment.hypothesis));
  RETURN_IF_ERROR(Annotate(ValidName(experiment.placement), "placement"));
  if (_ExperimentUnit_VALUES_TO_NAMES.count(NumberIn(experiment.unit)) == 0) {
    return Wrong("unit", absl::StrCat(experiment.unit, " is no unit"));
  }
  if (_AssignmentHash_VALUES_TO_NAMES.count(NumberIn(experiment.hash)) == 0) {
    return Wrong("hash", absl::StrCat(experiment.hash, " is no hash"));
  }
  if (_ExperimentKind_VALUES_TO_NAMES.count(NumberIn(experiment.kind)) == 0) {
    return Wrong("kind", absl::StrCat(experiment.kind, " is no kind"));
  }
  RETURN_IF_ERROR(CheckArms(experiment));
  RETURN_IF_ERROR(CheckBandit(experiment));
  RETURN_IF_ERROR(CheckInterleaving(experiment));
  RETURN_IF_ERROR(CheckAudience(experiment.audience));
  RETURN_IF_ERROR(CheckRange("coverage", experiment.coverage, 0, 1));
  if (!experiment.seed.empty()) RETURN_IF_ERROR(Annotate(ValidId(experiment.seed), "seed"));
  RETURN_IF_ERROR(CheckLayer(experiment));
  RETURN_IF_ERROR(CheckMetrics(experiment));
  return CheckPlan(experiment);
}

absl::StatusOr<std::vector<std::string>> CheckChange(const Experiment& before,
                                                     const Experiment& after) {
  if (before.status == ExperimentStatus::DRAFT) return std::vector<std::string>();
  if (!GoesOn(before)) {
    return absl::InvalidArgumentError(absl::StrCat("status: it is ",
                                                   ExperimentStatusName(before.status),
                                                   ": copy it under another id to try again"));
  }
  for (const Frozen& frozen : kFrozen) {
    if (frozen.same(before, after)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        frozen.field, ": may not change once it has begun: ", frozen.why,
        "; stop it, and begin another one. coverage", before.sequential ? " and to may" : " may"));
  }
  const bool same_end = before.__isset.to_ms == after.__isset.to_ms && before.to_ms == after.to_ms;
  if (!same_end && !before.sequential) {
    return absl::InvalidArgumentError(
        "to: a fixed test is looked at once, at the end that was fixed before");
  }
  std::vector<std::string> warnings;
  if (after.coverage > before.coverage) {
    warnings.push_back(
        "coverage: who comes in now came later than the others: an effect that fades is mixed");
  } else if (after.coverage < before.coverage) {
    warnings.push_back(
        "coverage: who is outside now counts on in the arm they had, without what it shows: "
        "effects look smaller than they are");
  }
  return warnings;
}

absl::StatusOr<Experiment> Moved(const Experiment& experiment, ExperimentStatus to,
                                 std::span<const Experiment> others, int64_t now_ms) {
  if (_ExperimentStatus_VALUES_TO_NAMES.count(to) == 0) {
    return absl::InvalidArgumentError(absl::StrCat("status: ", to, " is none"));
  }
  if (!MayMove(experiment.status, to)) {
    return absl::InvalidArgumentError(
        absl::StrCat("status: it is ", ExperimentStatusName(experiment.status),
                     " and cannot become ", ExperimentStatusName(to)));
  }
  Experiment moved = experiment;
  if (to == ExperimentStatus::RUNNING) {
    RETURN_IF_ERROR(CheckBegin(experiment, others, now_ms));
    if (!moved.__isset.started_ms) moved.__set_started_ms(now_ms);
    if (moved.kind == ExperimentKind::BANDIT && !moved.__isset.batch) {
      moved.__set_batch(FirstBatch(moved, now_ms));
    }
  }
  if (to == ExperimentStatus::STOPPED) moved.__set_stopped_ms(now_ms);
  moved.status = to;
  return moved;
}

absl::Status CheckTogether(const Experiment& experiment, const Experiment& other) {
  const auto clash = [&](absl::string_view field, absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": the experiment ", other.id, ", which goes on, ", what));
  };
  if (SeedOf(experiment) == SeedOf(other)) {
    return clash("seed", "has the same: it would put the same units into the same arms");
  }
  const bool in_layer = experiment.__isset.layer && other.__isset.layer &&
                        experiment.layer.layer == other.layer.layer;
  if (in_layer) {
    if (experiment.unit != other.unit) {
      return clash("layer", "is in it with another unit: the layer does not keep them apart");
    }
    if (experiment.layer.low < other.layer.high && other.layer.low < experiment.layer.high) {
      return clash("layer", absl::StrCat("holds ", other.layer.low, " to ", other.layer.high));
    }
    return absl::OkStatus();
  }
  const bool apart = experiment.placement != other.placement;
  const std::set<std::string> theirs = AspectsOf(other);
  for (const std::string& aspect : AspectsOf(experiment)) {
    // One model answers for a whole page.
    if (theirs.contains(aspect) && (!apart || aspect == "model")) {
      return clash("placement", absl::StrCat("changes its ", aspect,
                                             " too: put both into one layer, in disjoint parts"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Assigner> AssignerOf(const Experiment& experiment) {
  AssignerOptions options;
  options.seed = SeedOf(experiment);
  options.hash = experiment.hash == AssignmentHash::GROWTHBOOK ? HashVersion::kGrowthBook2
                                                               : HashVersion::kNative;
  options.weights = SharesOf(experiment);
  options.coverage = experiment.coverage;
  if (experiment.__isset.layer) {
    options.layers.emplace_back(
        experiment.layer.layer,
        std::vector<BucketRange>{{experiment.layer.low, experiment.layer.high}});
  }
  return Assigner::Create(std::move(options));
}

absl::StatusOr<BanditPolicy> PolicyOf(const Experiment& experiment) {
  const BanditBatch& batch = experiment.batch;
  return BanditPolicy::Create(absl::StrCat("bandit/", SeedOf(experiment)), batch.number,
                              absl::flat_hash_map<std::string, std::vector<double>>(
                                  batch.weights.begin(), batch.weights.end()));
}

std::string SegmentOf(const Experiment& experiment, const RequestFacts& facts) {
  std::vector<absl::string_view> parts;
  for (const SegmentBy& by : experiment.bandit.segments) {
    switch (by) {
      case SegmentBy::BY_CHANNEL:
        parts.push_back(_Channel_VALUES_TO_NAMES.count(facts.channel) > 0
                            ? ChannelName(facts.channel)
                            : ChannelName(Channel::OTHER_CHANNEL));
        break;
      case SegmentBy::BY_DEVICE:
        parts.push_back(_Device_VALUES_TO_NAMES.count(facts.device) > 0
                            ? DeviceName(facts.device)
                            : DeviceName(Device::UNKNOWN_DEVICE));
        break;
      case SegmentBy::BY_RETURNING:
        parts.push_back(facts.returning ? "returning" : "new");
        break;
    }
  }
  return absl::StrJoin(parts, "/");
}

bool Changes(const ExperimentArm& arm) {
  return !arm.recipe.empty() || arm.__isset.rules || arm.__isset.k;
}

bool TriesModels(const Experiment& experiment) {
  return absl::c_any_of(experiment.arms,
                        [](const ExperimentArm& arm) { return arm.__isset.model_id; });
}

void Apply(const ExperimentArm& arm, Placement* placement) {
  if (!arm.recipe.empty()) placement->recipe = arm.recipe;
  if (arm.__isset.rules) placement->rules = arm.rules;
  if (arm.__isset.k) placement->k = arm.k;
}

}  // namespace vitrine::experiments
