#include "api/cli/customer_json.h"

#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/time/time.h"

#include "store/base/utf8.h"
#include "store/event_names.h"

namespace vitrine::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string Text(absl::string_view text) { return std::string(text); }

void PutTime(const char* name, int64_t time_ms, Json* json) {
  (*json)[std::string(name) + "_ms"] = time_ms;
  (*json)[name] = TimeText(time_ms);
}

Json ItemJson(const Item& item) {
  Json json = {{"product_id", item.product_id}, {"quantity", item.quantity}};
  if (item.__isset.price_minor) json["price_minor"] = item.price_minor;
  return json;
}

Json ContactJson(const ContactNote& contact) {
  Json json = {{"contact_id", contact.contact_id},
               {"purpose", contact.purpose},
               {"inbound", contact.inbound},
               {"progress", Text(ContactProgressName(contact.progress))}};
  if (contact.__isset.campaign) json["campaign"] = contact.campaign;
  if (contact.__isset.case_id) json["case_id"] = contact.case_id;
  if (contact.__isset.topic) json["topic"] = contact.topic;
  if (contact.__isset.outcome) json["outcome"] = contact.outcome;
  if (contact.__isset.cost_minor) json["cost_minor"] = contact.cost_minor;
  return json;
}

Json EventJson(const Event& event) {
  Json json = {{"id", event.id}};
  PutTime("time", event.time_ms, &json);
  json["kind"] = Text(EventKindName(event.kind));
  json["channel"] = Text(ChannelName(event.channel));
  if (event.__isset.customer_id) json["customer_id"] = event.customer_id;
  if (event.__isset.visitor_id) json["visitor_id"] = event.visitor_id;
  if (event.__isset.order_id) json["order_id"] = event.order_id;
  if (event.__isset.currency) json["currency"] = event.currency;
  for (const Item& item : event.items) json["items"].push_back(ItemJson(item));
  if (event.__isset.search_terms) json["search_terms"] = event.search_terms;
  if (event.__isset.url) json["url"] = event.url;
  if (event.__isset.referrer) json["referrer"] = event.referrer;
  if (event.__isset.country) json["country"] = event.country;
  if (event.__isset.user_agent) json["user_agent"] = event.user_agent;
  if (event.__isset.ip) json["ip"] = event.ip;
  if (event.__isset.consent) {
    Json consent = {{"channel", Text(ChannelName(event.consent.channel))},
                    {"purpose", event.consent.purpose},
                    {"granted", event.consent.granted}};
    if (event.consent.__isset.source) consent["source"] = event.consent.source;
    json["consent"] = std::move(consent);
  }
  if (event.__isset.inferred) json["inferred"] = event.inferred;
  if (event.__isset.recommendation_id) json["recommendation_id"] = event.recommendation_id;
  if (event.__isset.contact) json["contact"] = ContactJson(event.contact);
  if (event.__isset.rating) {
    json["rating"] = {
        {"value", event.rating.value}, {"best", event.rating.best}, {"about", event.rating.about}};
  }
  if (event.__isset.grants) json["grants"] = event.grants;
  if (event.__isset.channel_name) json["channel_name"] = event.channel_name;
  return json;
}

Json FactsJson(const CustomerFacts& facts) {
  Json json;
  if (facts.__isset.name) json["name"] = facts.name;
  if (facts.__isset.email) json["email"] = facts.email;
  if (facts.__isset.phone) json["phone"] = facts.phone;
  if (facts.__isset.country) json["country"] = facts.country;
  if (facts.__isset.language) json["language"] = facts.language;
  if (facts.__isset.time_zone) json["time_zone"] = facts.time_zone;
  if (facts.__isset.attributes) json["attributes"] = facts.attributes;
  PutTime("facts_time", facts.facts_time_ms, &json);
  return json;
}

Json SummaryJson(const Customer& customer) {
  Json json;
  PutTime("first_seen", customer.first_seen_ms, &json);
  PutTime("last_seen", customer.last_seen_ms, &json);
  json["events"] = customer.events;
  json["sessions"] = customer.sessions;
  json["orders"] = customer.orders;
  json["bought_minor"] = customer.bought_minor;
  json["refunded_minor"] = customer.refunded_minor;
  if (customer.__isset.country) json["country"] = customer.country;
  return json;
}

std::string ReferrerClassText(ReferrerClass referrer) {
  const auto found = _ReferrerClass_VALUES_TO_NAMES.find(static_cast<int>(referrer));
  return found == _ReferrerClass_VALUES_TO_NAMES.end() ? "" : absl::AsciiStrToLower(found->second);
}

Json SessionJson(const Session& session) {
  Json json;
  PutTime("start", session.start_ms, &json);
  PutTime("end", session.end_ms, &json);
  json["events"] = session.events;
  json["product_views"] = session.product_views;
  json["cart_adds"] = session.cart_adds;
  json["orders"] = session.orders;
  json["value_minor"] = session.value_minor;
  json["channel"] = Text(ChannelName(session.channel));
  if (session.__isset.landing_url) json["landing_url"] = session.landing_url;
  if (session.__isset.exit_url) json["exit_url"] = session.exit_url;
  if (session.__isset.referrer) json["referrer"] = session.referrer;
  if (session.__isset.campaign) json["campaign"] = session.campaign;
  json["referrer_class"] = ReferrerClassText(session.referrer_class);
  json["device"] = Text(DeviceName(session.device));
  json["searches"] = session.searches;
  if (!session.robot.empty()) json["robot"] = session.robot;
  return json;
}

Json ExposureJson(const Exposure& shelf) {
  Json json = {{"recommendation_id", shelf.id}};
  PutTime("time", shelf.time_ms, &json);
  json["placement"] = shelf.placement;
  json["channel"] = Text(ChannelName(shelf.channel));
  if (shelf.__isset.visitor_id) json["visitor_id"] = shelf.visitor_id;
  json["model_id"] = shelf.model_id;
  for (const ExposedArm& arm : shelf.arms) {
    json["arms"].push_back({{"experiment", arm.experiment},
                            {"arm", arm.arm},
                            {"unit", Text(ExperimentUnitName(arm.unit))},
                            {"point", arm.point},
                            {"propensity", arm.propensity},
                            {"forced", arm.forced}});
  }
  json["degraded"] = shelf.degraded;
  json["products"] = Json::array();
  for (const ExposedProduct& product : shelf.products) {
    Json shown = {{"product_id", product.product_id}, {"source", Text(SourceName(product.source))}};
    if (!product.rule.empty()) shown["rule"] = product.rule;
    json["products"].push_back(std::move(shown));
  }
  if (shelf.__isset.device) json["device"] = Text(DeviceName(shelf.device));
  if (shelf.__isset.country) json["country"] = shelf.country;
  for (const ExposedOffer& offer : shelf.offers) {
    json["offers"].push_back({{"offer_id", offer.offer_id}, {"grant_id", offer.grant_id}});
  }
  return json;
}

Json LotJson(const PointsLot& lot) {
  Json json = {{"account", lot.account}, {"id", lot.id}, {"amount", lot.amount}};
  PutTime("earned", lot.earned_ms, &json);
  if (lot.__isset.expires_ms) PutTime("expires", lot.expires_ms, &json);
  return json;
}

Json ReservationJson(const Reservation& reservation) {
  const auto state = _ReservationState_VALUES_TO_NAMES.find(static_cast<int>(reservation.state));
  Json json = {{"id", reservation.id}};
  if (state != _ReservationState_VALUES_TO_NAMES.end()) {
    json["state"] = absl::AsciiStrToLower(state->second);
  }
  PutTime("created", reservation.created_ms, &json);
  PutTime("expires", reservation.expires_ms, &json);
  if (reservation.__isset.closed_ms) PutTime("closed", reservation.closed_ms, &json);
  for (const LedgerEntry& entry : reservation.entries) {
    json["entries"].push_back({{"account", entry.account}, {"amount", entry.amount}});
  }
  for (const PointsLot& lot : reservation.lots) json["lots"].push_back(LotJson(lot));
  return json;
}

Json LedgerJson(const CustomerLedger& ledger) {
  Json json;
  for (const LedgerBalance& balance : ledger.balances) {
    json["balances"].push_back({{"account", balance.account},
                                {"available", balance.available},
                                {"reserved", balance.reserved},
                                {"used", balance.used},
                                {"earned", balance.earned},
                                {"expired", balance.expired}});
  }
  for (const PointsLot& lot : ledger.lots) json["points"].push_back(LotJson(lot));
  for (const PointsLot& lot : ledger.earnings) json["earnings"].push_back(LotJson(lot));
  for (const Reservation& reservation : ledger.reservations) {
    json["reservations"].push_back(ReservationJson(reservation));
  }
  return json;
}

Json WorthJson(const CustomerWorth& worth) {
  return {{"stage", worth.stage},
          {"alive", worth.alive},
          {"horizon_days", worth.horizon_days},
          {"expected_purchases", worth.expected_purchases},
          {"lifetime_value_minor", worth.lifetime_value_minor},
          {"earned_minor", worth.earned_minor},
          {"currency", worth.currency}};
}

Json RejectJson(const Reject& reject) {
  return {{"line", reject.line},
          {"reason", reject.reason},
          {"detail", reject.detail},
          {"raw", IsUtf8(reject.raw) ? reject.raw : absl::CHexEscape(reject.raw)}};
}

template <typename Record, typename ToJson>
Json ListJson(const std::vector<Record>& records, ToJson to_json) {
  Json list = Json::array();
  for (const Record& record : records) list.push_back(to_json(record));
  return list;
}

}  // namespace

std::string TimeText(int64_t time_ms) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", absl::FromUnixMillis(time_ms),
                          absl::UTCTimeZone());
}

std::string CustomerJson(const CustomerRecord& record) {
  Json json = {{"customer_id", record.customer_id}};
  if (record.__isset.facts) json["facts"] = FactsJson(record.facts);
  if (record.__isset.customer) json["summary"] = SummaryJson(record.customer);
  json["current_consents"] = ListJson(record.consents, EventJson);
  json["visitors"] = ListJson(record.visitors, [](const LinkedVisitor& visitor) -> Json {
    return {{"visitor_id", visitor.visitor_id},
            {"unlinked", visitor.unlinked},
            {"shared", visitor.shared}};
  });
  json["events"] = ListJson(record.events, EventJson);
  json["sessions"] = ListJson(record.sessions, SessionJson);
  if (record.__isset.segments) json["segments"] = record.segments;
  if (record.__isset.worth) json["worth"] = WorthJson(record.worth);
  if (record.__isset.ledger) json["ledger"] = LedgerJson(record.ledger);
  json["shown"] = ListJson(record.exposures, ExposureJson);
  json["conflicting_contents"] = ListJson(record.conflicts, EventJson);
  json["rejects"] = ListJson(record.rejects, RejectJson);
  // What stands in a file need not be text everywhere.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vitrine::cli
