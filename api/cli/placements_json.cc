#include "api/cli/placements_json.h"

#include "store/event_names.h"

namespace vitrine::cli {
namespace {

void DescribeCondition(JsonObject* object, ProductCondition* condition) {
  object->Field("attribute", &condition->attribute);
  object->Named("relation", &condition->relation, ParseRelation, RelationName, RelationNames());
  object->Field("values", &condition->values);
  object->Maybe("number", &condition->number, VITRINE_SET(condition, number));
}

void DescribeWindow(JsonObject* object, PriceWindow* window) {
  object->Named("base", &window->base, ParsePriceBase, PriceBaseName, PriceBaseNames());
  object->Maybe("at_least", &window->at_least, VITRINE_SET(window, at_least));
  object->Maybe("at_most", &window->at_most, VITRINE_SET(window, at_most));
}

void DescribePlacement(JsonObject* object, Placement* placement) {
  object->Field("id", &placement->id);
  object->Field("titles", &placement->titles);
  object->Field("k", &placement->k);
  object->Field("may_be_short", &placement->may_be_short);
  object->List("recipe", &placement->recipe, DescribeSource);
  object->List("rules", &placement->rules, DescribeRule);
}

void DescribeSet(JsonObject* object, PlacementSet* content) {
  object->Maybe("free_shipping_minor", &content->free_shipping_minor,
                VITRINE_SET(content, free_shipping_minor));
  object->Maybe("currency", &content->currency, VITRINE_SET(content, currency));
  object->Field("reasons", &content->reasons);
  object->List("rules", &content->rules, DescribeRule);
  object->List("placements", &content->placements, DescribePlacement);
}

}  // namespace

void DescribeRule(JsonObject* object, Rule* rule) {
  object->Field("id", &rule->id);
  object->Named("kind", &rule->kind, ParseRuleKind, RuleKindName, RuleKindNames());
  object->List("products", &rule->products, DescribeCondition);
  object->Maybe("factor", &rule->factor, VITRINE_SET(rule, factor));
  object->Maybe("position", &rule->position, VITRINE_SET(rule, position));
  object->Maybe("product_id", &rule->product_id, VITRINE_SET(rule, product_id));
  object->Maybe("attribute", &rule->attribute, VITRINE_SET(rule, attribute));
  object->Maybe("most", &rule->most, VITRINE_SET(rule, most));
  object->Maybe("days", &rule->days, VITRINE_SET(rule, days));
  if (object->Goes("price", VITRINE_SET(rule, price))) {
    object->One("price", &rule->price, DescribeWindow);
  }
  if (object->Goes("from", VITRINE_SET(rule, from_ms))) object->Time("from", &rule->from_ms);
  if (object->Goes("to", VITRINE_SET(rule, to_ms))) object->Time("to", &rule->to_ms);
  object->Named("channels", &rule->channels, ParseChannel, ChannelName, ChannelNames());
  object->Field("countries", &rule->countries);
  object->Named("devices", &rule->devices, ParseDevice, DeviceName, DeviceNames());
  object->Field("except_categories", &rule->except_categories);
}

void DescribeSource(JsonObject* object, RecipeSource* source) {
  object->Named("source", &source->source, ParseSource, SourceName, SourceNames());
  object->Field("weight", &source->weight);
  object->Maybe("days", &source->days, VITRINE_SET(source, days));
}

std::string PlacementsToJson(const PlacementVersion& version) {
  return VersionToJson(version, DescribeSet);
}

absl::StatusOr<PlacementDocument> PlacementsFromJson(absl::string_view text) {
  return DocumentFromJson<PlacementSet>(text, DescribeSet);
}

}  // namespace vitrine::cli
