#include "ingest/url_rules.h"

#include <algorithm>
#include <re2/re2.h>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "ingest/percent.h"
#include "ingest/reasons.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr absl::string_view kPartNames[kUrlParts] = {"id",    "name",  "category", "quantity",
                                                     "order", "query", "customer"};
constexpr int kForNothing = -1;
constexpr size_t kCapturesMax = 16;

absl::string_view View(const re2::StringPiece& text) { return {text.data(), text.size()}; }
re2::StringPiece Piece(absl::string_view text) { return {text.data(), text.size()}; }

// The part that a capture's name stands for, or kForNothing.
absl::StatusOr<int> PartNamed(absl::string_view name) {
  if (absl::StartsWith(name, "_")) return kForNothing;
  const auto found = std::find(std::begin(kPartNames), std::end(kPartNames), name);
  if (found == std::end(kPartNames)) {
    return absl::InvalidArgumentError(absl::StrCat("no capture is called ", Shown(name),
                                                   "; there are ", absl::StrJoin(kPartNames, ", "),
                                                   ", and names that begin with _"));
  }
  return static_cast<int>(found - std::begin(kPartNames));
}

// A path with %41 as A, so that there is one way to write it; what would then read as something
// else (a slash inside of a part, a question mark, a percent sign) stays encoded.
void AppendNormalPath(absl::string_view path, std::string* out) {
  while (!path.empty()) {
    size_t bytes;
    const char c = PercentDecodedByte(path, &bytes);
    if (bytes == 3 && (c == '/' || c == '?' || c == '%')) {
      out->append(path.data(), bytes);
    } else {
      out->push_back(c);
    }
    path.remove_prefix(bytes);
  }
}

struct Parameter {
  std::string name;
  std::string value;  // what it must be, if it captures nothing
  bool captures = false;
  int part = kForNothing;
};

// A template or an expression, ready to match.
struct Pattern {
  std::string start;          // what the path must begin with
  bool whole = false;         // nothing but `start`
  std::unique_ptr<RE2> path;  // else the path
  bool with_query = false;    // `path` is for path and query
  std::vector<int> parts;     // of the groups of `path`
  std::vector<Parameter> parameters;
};

absl::StatusOr<std::unique_ptr<RE2>> CompileExpression(const std::string& expression) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(RE2::Options::EncodingLatin1);  // URLs are bytes
  auto compiled = std::make_unique<RE2>(expression, options);
  if (!compiled->ok()) {
    return absl::InvalidArgumentError(absl::StrCat("the expression: ", compiled->error()));
  }
  if (compiled->NumberOfCapturingGroups() > static_cast<int>(kCapturesMax)) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", kCapturesMax, " captures"));
  }
  return compiled;
}

// "{id}" or "{rest...}" at the front of `*text`, taken off it.
absl::StatusOr<absl::string_view> TakeCapture(absl::string_view* text) {
  const size_t end = text->find('}');
  if (end == absl::string_view::npos) return absl::InvalidArgumentError("a { without its }");
  const absl::string_view name = text->substr(1, end - 1);
  text->remove_prefix(end + 1);
  return name;
}

absl::Status CompilePath(absl::string_view path, Pattern* pattern) {
  if (!absl::StartsWith(path, "/")) return absl::InvalidArgumentError("a path begins with /");
  if (path.size() > 1) absl::ConsumeSuffix(&path, "/");
  std::string expression = "^";
  bool plain = true;
  while (!path.empty()) {
    if (path.front() != '{') {
      const absl::string_view literal = path.substr(0, path.find('{'));
      path.remove_prefix(literal.size());
      std::string normal;
      AppendNormalPath(literal, &normal);
      if (plain) pattern->start += normal;
      expression += RE2::QuoteMeta(normal);
      continue;
    }
    plain = false;
    ASSIGN_OR_RETURN(absl::string_view name, TakeCapture(&path));
    const bool rest = absl::ConsumeSuffix(&name, "...");
    ASSIGN_OR_RETURN(const int part, PartNamed(name));
    pattern->parts.push_back(part);
    expression += rest ? "(.*)" : "([^/]+)";
  }
  pattern->whole = plain;
  if (plain) return absl::OkStatus();
  ASSIGN_OR_RETURN(pattern->path, CompileExpression(expression + "$"));
  return absl::OkStatus();
}

absl::StatusOr<Parameter> CompileParameter(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> halves =
      absl::StrSplit(text, absl::MaxSplits('=', 1));
  Parameter parameter;
  parameter.name = std::string(halves.first);
  absl::string_view value = halves.second;
  if (parameter.name.empty()) return absl::InvalidArgumentError("a parameter without a name");
  if (!absl::StartsWith(value, "{")) {
    AppendPercentDecoded(value, /*plus_is_blank=*/true, &parameter.value);
    return parameter;
  }
  ASSIGN_OR_RETURN(const absl::string_view name, TakeCapture(&value));
  if (!value.empty()) {
    return absl::InvalidArgumentError("a parameter's capture is all of its value");
  }
  parameter.captures = true;
  ASSIGN_OR_RETURN(parameter.part, PartNamed(name));
  return parameter;
}

absl::StatusOr<Pattern> CompileTemplate(absl::string_view text) {
  Pattern pattern;
  const size_t mark = text.find('?');
  RETURN_IF_ERROR(CompilePath(text.substr(0, mark), &pattern));
  if (mark == absl::string_view::npos) return pattern;
  for (const absl::string_view parameter : absl::StrSplit(text.substr(mark + 1), '&')) {
    ASSIGN_OR_RETURN(Parameter compiled, CompileParameter(parameter));
    pattern.parameters.push_back(std::move(compiled));
  }
  return pattern;
}

absl::StatusOr<Pattern> CompileRegex(const std::string& regex) {
  Pattern pattern;
  pattern.with_query = true;
  ASSIGN_OR_RETURN(pattern.path, CompileExpression(regex));
  pattern.parts.assign(static_cast<size_t>(pattern.path->NumberOfCapturingGroups()), kForNothing);
  for (const auto& [name, group] : pattern.path->NamedCapturingGroups()) {
    ASSIGN_OR_RETURN(pattern.parts[static_cast<size_t>(group) - 1], PartNamed(name));
  }
  return pattern;
}

void SetPart(int part, absl::string_view raw, bool plus_is_blank, UrlParts* parts) {
  if (part == kForNothing) return;
  std::string& text = (*parts)[static_cast<size_t>(part)];
  text.clear();
  AppendPercentDecoded(raw, plus_is_blank, &text);
}

// The value of a parameter in a query, as it stands there; nullopt: it is not there.
std::optional<absl::string_view> ValueOf(absl::string_view name, absl::string_view query) {
  while (!query.empty()) {
    const size_t end = std::min(query.find_first_of("&;"), query.size());
    const absl::string_view parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = std::min(parameter.find('='), parameter.size());
    if (parameter.substr(0, equals) != name) continue;
    return parameter.substr(std::min(equals + 1, parameter.size()));
  }
  return std::nullopt;
}

bool MatchParameters(const Pattern& pattern, absl::string_view query, UrlParts* parts) {
  for (const Parameter& parameter : pattern.parameters) {
    const std::optional<absl::string_view> raw = ValueOf(parameter.name, query);
    if (!raw.has_value()) return false;
    if (parameter.captures) {
      if (raw->empty()) return false;
      SetPart(parameter.part, *raw, /*plus_is_blank=*/true, parts);
      continue;
    }
    std::string value;
    AppendPercentDecoded(*raw, /*plus_is_blank=*/true, &value);
    if (value != parameter.value) return false;
  }
  return true;
}

// `path` is normal and without a slash at its end.
bool MatchPattern(const Pattern& pattern, absl::string_view path, absl::string_view query,
                  UrlParts* parts) {
  if (pattern.whole) return path == pattern.start && MatchParameters(pattern, query, parts);
  if (!absl::StartsWith(path, pattern.start)) return false;
  std::string path_and_query;
  if (pattern.with_query) {
    path_and_query = query.empty() ? std::string(path) : absl::StrCat(path, "?", query);
    path = path_and_query;
  }
  std::array<re2::StringPiece, kCapturesMax + 1> groups;
  const int wanted = static_cast<int>(pattern.parts.size()) + 1;
  if (!pattern.path->Match(Piece(path), 0, path.size(), RE2::UNANCHORED, groups.data(), wanted)) {
    return false;
  }
  const char* const query_start = path.data() + std::min(path.find('?'), path.size());
  for (size_t i = 0; i < pattern.parts.size(); ++i) {
    const absl::string_view group = View(groups[i + 1]);
    if (group.data() == nullptr) continue;  // an alternative that was not taken
    SetPart(pattern.parts[i], group, /*plus_is_blank=*/group.data() > query_start, parts);
  }
  return MatchParameters(pattern, query, parts);
}

}  // namespace

struct UrlRules::Impl {
  struct Rule {
    std::vector<std::string> methods;
    std::vector<Pattern> patterns;
  };
  std::vector<Rule> rules;
  std::string path;  // the normal form of the one asked for
};

UrlRules::UrlRules() : impl_(std::make_unique<Impl>()) {}
UrlRules::UrlRules(UrlRules&&) noexcept = default;
UrlRules& UrlRules::operator=(UrlRules&&) noexcept = default;
UrlRules::~UrlRules() = default;

absl::StatusOr<UrlRules> UrlRules::Compile(const std::vector<UrlRule>& rules) {
  UrlRules compiled;
  for (const UrlRule& rule : rules) {
    Impl::Rule& r = compiled.impl_->rules.emplace_back();
    r.methods = rule.methods;
    const auto add = [&](absl::string_view text, absl::StatusOr<Pattern> pattern) -> absl::Status {
      if (!pattern.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat(Shown(text), ": ", pattern.status().message()));
      }
      r.patterns.push_back(*std::move(pattern));
      return absl::OkStatus();
    };
    for (const std::string& text : rule.match) RETURN_IF_ERROR(add(text, CompileTemplate(text)));
    if (!rule.regex.empty()) RETURN_IF_ERROR(add(rule.regex, CompileRegex(rule.regex)));
  }
  return compiled;
}

int UrlRules::Find(absl::string_view method, absl::string_view path, absl::string_view query,
                   UrlParts* parts) {
  std::string& normal = impl_->path;
  normal.clear();
  AppendNormalPath(path, &normal);
  if (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  for (size_t i = 0; i < impl_->rules.size(); ++i) {
    const Impl::Rule& rule = impl_->rules[i];
    if (std::find(rule.methods.begin(), rule.methods.end(), method) == rule.methods.end()) continue;
    for (const Pattern& pattern : rule.patterns) {
      for (std::string& part : *parts) part.clear();
      if (MatchPattern(pattern, normal, query, parts)) return static_cast<int>(i);
    }
  }
  for (std::string& part : *parts) part.clear();
  return kNone;
}

bool IsAction(EventKind kind) {
  switch (kind) {
    case EventKind::PAGE_VIEW:
    case EventKind::VIEW_ITEM:
    case EventKind::VIEW_ITEM_LIST:
    case EventKind::VIEW_CART:
    case EventKind::VIEW_PROMOTION:
    case EventKind::SEARCH:
      return false;
    default:
      return true;
  }
}

}  // namespace vitrine
