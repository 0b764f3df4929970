// Rules for URLs: the first line is a template, the second a regular expression, the third a path,
// the fourth a query. Compiling says what is wrong; what a rule captures is told once more the
// same, and a rule that does not match captures nothing.

#include "ingest/url_rules.h"
#include "tests/fuzz/fuzzing.h"

namespace vitrine {
namespace {

void RunRule(const UrlRule& rule, absl::string_view path, absl::string_view query) {
  absl::StatusOr<UrlRules> rules = UrlRules::Compile({rule});
  if (!rules.ok()) {
    CHECK(absl::IsInvalidArgument(rules.status())) << rules.status();
    return;
  }
  UrlParts first, second;
  const int found = rules->Find("GET", path, query, &first);
  CHECK(found == 0 || found == UrlRules::kNone);
  CHECK(rules->Find("POST", path, query, &second) == UrlRules::kNone);
  CHECK(rules->Find("GET", path, query, &second) == found);
  if (found == 0) CHECK(first == second);
}

}  // namespace
}  // namespace vitrine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  absl::string_view rest = fuzz::Text(data, size);
  UrlRule by_template, by_regex;
  by_template.match = {std::string(fuzz::TakeLine(&rest))};
  by_regex.regex = std::string(fuzz::TakeLine(&rest));
  const absl::string_view path = fuzz::TakeLine(&rest);
  RunRule(by_template, path, rest);
  RunRule(by_regex, path, rest);
  return 0;
}
