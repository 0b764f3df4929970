#include "ingest/explain.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "ingest/log_mapper.h"
#include "ingest/reasons.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"
#include "store/web_house.h"

namespace vitrine {
namespace {

struct Request {
  absl::string_view method = "GET";
  absl::string_view url;
  int status = 200;
};

absl::StatusOr<Request> ParseRequest(absl::string_view text) {
  std::vector<absl::string_view> words =
      absl::StrSplit(text, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  Request request;
  int status;
  if (words.size() > 1 && absl::SimpleAtoi(words.back(), &status)) {
    request.status = status;
    words.pop_back();
  }
  if (words.size() == 2) {
    request.method = words[0];
    words.erase(words.begin());
  }
  if (words.size() != 1 || request.status < 0 || request.status > 999) {
    return absl::InvalidArgumentError(
        absl::StrCat(Shown(text), " is not \"URL\", \"METHOD URL\" or \"METHOD URL STATUS\""));
  }
  request.url = words[0];
  return request;
}

// The record that a log would give of the request.
LogRecord RecordOf(const Request& request) {
  LogRecord record;
  record.time_ms = 0;
  record.status = request.status;
  absl::string_view target = request.url;
  if (const size_t origin = target.find("://"); origin != absl::string_view::npos) {
    record[LogField::kScheme] = target.substr(0, origin);
    const absl::string_view rest = target.substr(origin + 3);
    const size_t path = std::min(rest.find('/'), rest.size());
    record[LogField::kHost] = rest.substr(0, path);
    target = path == rest.size() ? absl::string_view("/") : rest.substr(path);
  }
  target = target.substr(0, target.find('#'));
  const size_t mark = std::min(target.find('?'), target.size());
  record[LogField::kMethod] = request.method;
  record[LogField::kTarget] = target.substr(0, mark);
  record[LogField::kQuery] = target.substr(std::min(mark + 1, target.size()));
  record[LogField::kAddress] = "192.0.2.1";
  return record;
}

std::string RuleText(const AccessLogMapping& mapping, int number) {
  if (number == UrlRules::kNone) return "none";
  const UrlRule& rule = mapping.urls[static_cast<size_t>(number)];
  return absl::StrCat("[[url]] number ", number + 1, ": ", absl::StrJoin(rule.methods, "|"), " ",
                      rule.regex.empty() ? absl::StrJoin(rule.match, " or ") : rule.regex);
}

void AddEventRows(const Event& event, Report::Table* table) {
  const auto add = [&](bool set, absl::string_view name, const std::string& value) {
    if (set) table->rows.push_back({std::string(name), value});
  };
  add(true, "channel", std::string(ChannelName(event.channel)));
  for (const Item& item : event.items) {
    add(true, "product", item.product_id);
    add(item.quantity != 1, "quantity", std::to_string(item.quantity));
    add(item.__isset.name, "name", item.name);
    add(item.__isset.category, "category", item.category);
  }
  add(event.__isset.search_terms, "search terms", event.search_terms);
  add(event.__isset.order_id, "order", event.order_id);
  add(event.__isset.customer_id, "customer", event.customer_id);
  add(event.__isset.url, "url", event.url);
}

}  // namespace

absl::StatusOr<Report> ExplainRequest(const Mapping& mapping, absl::string_view text) {
  if (mapping.format != Mapping::Format::kAccessLog) {
    return absl::InvalidArgumentError("the mapping is not for format = \"access_log\"");
  }
  ASSIGN_OR_RETURN(const Request request, ParseRequest(text));
  ASSIGN_OR_RETURN(LogMapper mapper, LogMapper::Create(mapping.access_log));
  Event event;
  absl::string_view ignored;
  ASSIGN_OR_RETURN(const bool is_event, mapper.Map(RecordOf(request), &event, &ignored));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "explanation";
  table.title = absl::StrCat(request.method, " ", request.url, ", answered with ", request.status);
  table.columns = {{"what"}, {"value"}};
  table.rows.push_back({std::string("rule"), RuleText(mapping.access_log, mapper.rule())});
  if (!is_event) {
    table.rows.push_back({std::string("outcome"), absl::StrCat("ignored:", ignored)});
    return report;
  }
  event.id = "explained";
  event.time_ms = limits::kTimeMsMin;
  RETURN_IF_ERROR(ValidateEvent(event));
  table.rows.push_back({std::string("outcome"), std::string(EventKindName(event.kind))});
  AddEventRows(event, &table);
  return report;
}

}  // namespace vitrine
