#include "api/cli/experiments_json.h"

#include "api/cli/json_object.h"
#include "api/cli/placements_json.h"
#include "store/event_names.h"

namespace vitrine::cli {
namespace {

bool Always(bool) { return true; }

void DescribeArm(JsonObject* object, ExperimentArm* arm) {
  object->Field("id", &arm->id);
  object->Field("weight", &arm->weight);
  object->List("recipe", &arm->recipe, DescribeSource);
  if (object->Goes("rules", VITRINE_SET(arm, rules))) {
    object->List("rules", &arm->rules, DescribeRule, /*even_empty=*/true);
  }
  object->Maybe("k", &arm->k, VITRINE_SET(arm, k));
  object->Field("parameters", &arm->parameters);
  object->Maybe("model_id", &arm->model_id, VITRINE_SET(arm, model_id));
}

void DescribeLayer(JsonObject* object, LayerSlice* layer) {
  object->Field("layer", &layer->layer);
  object->Field("low", &layer->low);
  object->Field("high", &layer->high);
}

void DescribeCondition(JsonObject* object, AudienceCondition* condition) {
  object->Field("attribute", &condition->attribute);
  object->Named("relation", &condition->relation, ParseRelation, RelationName, RelationNames());
  object->Field("values", &condition->values);
  object->Maybe("number", &condition->number, VITRINE_SET(condition, number));
}

void DescribeAudience(JsonObject* object, Audience* audience) {
  object->Named("channels", &audience->channels, ParseChannel, ChannelName, ChannelNames());
  object->Named("devices", &audience->devices, ParseDevice, DeviceName, DeviceNames());
  object->Field("countries", &audience->countries);
  object->Field("languages", &audience->languages);
  object->List("conditions", &audience->conditions, DescribeCondition);
  object->Field("segments", &audience->segments);
  object->Field("not_segments", &audience->not_segments);
}

void DescribeBandit(JsonObject* object, BanditPlan* plan) {
  object->Field("floor", &plan->floor);
  object->Field("units_per_arm_min", &plan->units_per_arm_min);
  object->Field("batch_minutes", &plan->batch_minutes);
  object->Named("segments", &plan->segments, ParseSegmentBy, SegmentByName, SegmentByNames());
}

void DescribeBatch(JsonObject* object, BanditBatch* batch) {
  object->Field("number", &batch->number);
  object->Time("from", &batch->from_ms);
  object->Field("weights", &batch->weights);
}

void DescribeGuardrail(JsonObject* object, Guardrail* guardrail) {
  object->Named("metric", &guardrail->metric, ParseExperimentMetric, ExperimentMetricName,
                ExperimentMetricNames());
  object->Field("margin", &guardrail->margin);
}

void DescribeEventMetric(JsonObject* object, EventMetric* metric) {
  object->Field("name", &metric->name);
  object->Named("kind", &metric->kind, ParseEventKind, EventKindName, EventKindNames());
  if (object->Goes("measure", Always)) {
    object->Named("measure", &metric->measure, ParseEventMeasure, EventMeasureName,
                  EventMeasureNames());
  }
  if (object->Goes("role", Always)) {
    object->Named("role", &metric->role, ParseMetricUse, MetricUseName, MetricUseNames());
  }
  object->Named("channels", &metric->channels, ParseChannel, ChannelName, ChannelNames());
  object->Field("category", &metric->category);
  object->Field("attributes", &metric->attributes);
  object->Field("smaller_is_better", &metric->smaller_is_better);
  object->Field("margin", &metric->margin);
}

void DescribeWho(JsonObject* object, Experiment* experiment) {
  if (object->Goes("kind", Always)) {
    object->Named("kind", &experiment->kind, ParseExperimentKind, ExperimentKindName,
                  ExperimentKindNames());
  }
  if (object->Goes("bandit", VITRINE_SET(experiment, bandit))) {
    object->One("bandit", &experiment->bandit, DescribeBandit);
  }
  if (object->Goes("unit", Always)) {
    object->Named("unit", &experiment->unit, ParseExperimentUnit, ExperimentUnitName,
                  ExperimentUnitNames());
  }
  object->List("arms", &experiment->arms, DescribeArm);
  object->Field("coverage", &experiment->coverage);
  object->Field("seed", &experiment->seed);
  if (object->Goes("hash", Always)) {
    object->Named("hash", &experiment->hash, ParseAssignmentHash, AssignmentHashName,
                  AssignmentHashNames());
  }
  if (object->Goes("layer", VITRINE_SET(experiment, layer))) {
    object->One("layer", &experiment->layer, DescribeLayer);
  }
  object->One("audience", &experiment->audience, DescribeAudience);
}

void DescribePlan(JsonObject* object, Experiment* experiment) {
  if (object->Goes("primary", Always)) {
    object->Named("primary", &experiment->primary, ParseExperimentMetric, ExperimentMetricName,
                  ExperimentMetricNames());
  }
  object->Named("secondary", &experiment->secondary, ParseExperimentMetric, ExperimentMetricName,
                ExperimentMetricNames());
  object->List("guardrails", &experiment->guardrails, DescribeGuardrail);
  object->List("events", &experiment->events, DescribeEventMetric);
  object->Maybe("currency", &experiment->currency, VITRINE_SET(experiment, currency));
  object->Field("sequential", &experiment->sequential);
  object->Field("alpha", &experiment->alpha);
  object->Field("planned_units", &experiment->planned_units);
  object->Field("days_before", &experiment->days_before);
  object->Field("cap_quantile", &experiment->cap_quantile);
}

void DescribeExperiment(JsonObject* object, Experiment* experiment) {
  object->Field("id", &experiment->id);
  object->Field("hypothesis", &experiment->hypothesis);
  object->Field("placement", &experiment->placement);
  DescribeWho(object, experiment);
  if (object->Goes("from", VITRINE_SET(experiment, from_ms))) {
    object->Time("from", &experiment->from_ms);
  }
  if (object->Goes("to", VITRINE_SET(experiment, to_ms))) object->Time("to", &experiment->to_ms);
  DescribePlan(object, experiment);
  if (object->Goes("status", Always)) {
    object->Named("status", &experiment->status, ParseExperimentStatus, ExperimentStatusName,
                  ExperimentStatusNames());
  }
  if (object->Goes("started", VITRINE_SET(experiment, started_ms))) {
    object->Time("started", &experiment->started_ms);
  }
  if (object->Goes("stopped", VITRINE_SET(experiment, stopped_ms))) {
    object->Time("stopped", &experiment->stopped_ms);
  }
  if (object->Goes("batch", VITRINE_SET(experiment, batch))) {
    object->One("batch", &experiment->batch, DescribeBatch);
  }
}

}  // namespace

std::string ExperimentToJson(const ExperimentVersion& version) {
  return VersionToJson(version, DescribeExperiment);
}

absl::StatusOr<ExperimentDocument> ExperimentFromJson(absl::string_view text) {
  return DocumentFromJson<Experiment>(text, DescribeExperiment);
}

}  // namespace vitrine::cli
