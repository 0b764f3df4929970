// What a request means: an event of a visitor, or nothing, for a named reason.

#ifndef VITRINE_INGEST_LOG_MAPPER_H_
#define VITRINE_INGEST_LOG_MAPPER_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "ingest/access_log_mapping.h"
#include "ingest/client_address.h"
#include "ingest/formats/access_log.h"
#include "ingest/url_rules.h"
#include "store/records_types.h"

namespace vitrine {

// Asked in this order; the first answer stands:
//   no request of HTTP at all             ignored:client_error, server_error or not_http
//   another virtual host                  ignored:other_host
//   a health check (path or user agent)   ignored:health_check
//   GET /robots.txt                       page_view, whatever the answer was: robots betray
//                                         themselves by it
//   status 4xx, 5xx, 1xx, none            ignored:client_error, server_error, informational,
//                                         no_response
//   a file that pages consist of          ignored:asset
//   the rules of the mapping              the rule's event, or its reason to ignore
//   a method other than GET               ignored:method
//   status 3xx but 304                    ignored:redirect
//   a Content-Type that is not HTML       ignored:not_a_page
//   the rest                              page_view
// 304 is a page that the visitor has seen. A rule for something seen wants the page; one for
// something done (IsAction) takes a redirect as well.
//
// Not thread-safe. `mapping` must outlive the mapper.
class LogMapper {
 public:
  static absl::StatusOr<LogMapper> Create(const AccessLogMapping& mapping);

  // Replaces `*event`. True: it is an event, still to be validated; its id is empty but for a
  // purchase whose order is known (an order's page that is looked at again is no second order).
  // False: `*ignored` is why it is none. A fault if a capture is not what it must be.
  absl::StatusOr<bool> Map(const LogRecord& record, Event* event, absl::string_view* ignored);

  // The rule (from 0) that the last Map went by; UrlRules::kNone: none.
  int rule() const { return rule_; }

 private:
  LogMapper(const AccessLogMapping& mapping, UrlRules rules, TrustedProxies proxies);

  // Why `record` is no event; empty: it is one, by `rule_` and `parts_`.
  absl::string_view Judge(const LogRecord& record);
  absl::string_view JudgeRule(const LogRecord& record) const;
  bool IsHealthCheck(const LogRecord& record) const;
  bool IsAsset(absl::string_view path) const;
  bool IsOtherHost(absl::string_view host) const;

  void MapPerson(const LogRecord& record, Event* event) const;
  void MapPage(const LogRecord& record, Event* event) const;
  absl::Status MapParts(Event* event) const;
  absl::string_view VisitorCookie(const LogRecord& record) const;
  std::string Part(UrlPart part) const;

  const AccessLogMapping* mapping_;
  UrlRules rules_;
  TrustedProxies proxies_;
  absl::flat_hash_set<std::string> assets_, health_checks_;
  int rule_ = UrlRules::kNone;
  UrlParts parts_;
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_LOG_MAPPER_H_
