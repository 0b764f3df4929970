#include "experiments/simulation/event_json.h"

#include <vector>

#include "absl/strings/str_cat.h"

#include "store/event_names.h"

namespace vitrine::simulation {
namespace {

bool NeedsEscape(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

void AppendEscaped(absl::string_view text, std::string* out) {
  constexpr absl::string_view kHex = "0123456789abcdef";
  // Nearly always there is nothing to escape: look at all bytes at once, without leaving early.
  bool plain = true;
  for (const char c : text) plain &= !NeedsEscape(c);
  if (plain) {
    out->append(text.data(), text.size());
    return;
  }
  for (const char c : text) {
    if (NeedsEscape(c)) {
      absl::StrAppend(out, "\\u00", kHex.substr(c >> 4, 1), kHex.substr(c & 15, 1));
    } else {
      out->push_back(c);
    }
  }
}

// `before` is the text from the last value to this one: ,"name":"
void AppendText(absl::string_view before, absl::string_view text, std::string* out) {
  out->append(before.data(), before.size());
  AppendEscaped(text, out);
  out->push_back('"');
}

void AppendItems(const std::vector<Item>& items, std::string* out) {
  out->append(",\"items\":[");
  for (size_t i = 0; i < items.size(); ++i) {
    const Item& item = items[i];
    AppendText(i == 0 ? "{\"product_id\":\"" : ",{\"product_id\":\"", item.product_id, out);
    absl::StrAppend(out, ",\"quantity\":", item.quantity);
    if (item.__isset.price_minor) absl::StrAppend(out, ",\"price_minor\":", item.price_minor);
    if (item.__isset.name) AppendText(",\"name\":\"", item.name, out);
    if (item.__isset.category) AppendText(",\"category\":\"", item.category, out);
    out->push_back('}');
  }
  out->push_back(']');
}

}  // namespace

void AppendEventJson(const Event& event, std::string* out) {
  const auto& set = event.__isset;
  AppendText("{\"id\":\"", event.id, out);
  absl::StrAppend(out, ",\"time_ms\":", event.time_ms, ",\"kind\":\"", EventKindName(event.kind),
                  "\",\"channel\":\"", ChannelName(event.channel), "\"");
  if (set.customer_id) AppendText(",\"customer_id\":\"", event.customer_id, out);
  if (set.visitor_id) AppendText(",\"visitor_id\":\"", event.visitor_id, out);
  if (set.items) AppendItems(event.items, out);
  if (set.order_id) AppendText(",\"order_id\":\"", event.order_id, out);
  if (set.currency) AppendText(",\"currency\":\"", event.currency, out);
  if (set.search_terms) AppendText(",\"search_terms\":\"", event.search_terms, out);
  if (set.url) AppendText(",\"url\":\"", event.url, out);
  if (set.referrer) AppendText(",\"referrer\":\"", event.referrer, out);
  if (set.country) AppendText(",\"country\":\"", event.country, out);
  if (set.user_agent) AppendText(",\"user_agent\":\"", event.user_agent, out);
  out->append("}\n");
}

}  // namespace vitrine::simulation
