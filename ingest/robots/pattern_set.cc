#include "ingest/robots/pattern_set.h"

#include <re2/filtered_re2.h>
#include <re2/re2.h>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace vitrine {
namespace {

// Shorter words stand in every text.
constexpr int kWordBytesMin = 3;

}  // namespace

PatternSet::PatternSet() : patterns_(std::make_unique<re2::FilteredRE2>(kWordBytesMin)) {}
PatternSet::~PatternSet() = default;

bool PatternSet::Add(absl::string_view pattern) {
  RE2::Options options(RE2::Latin1);  // bytes: user agents are of any encoding
  options.set_log_errors(false);
  int ignored_id = 0;
  return patterns_->Add(ForAutomaton(pattern), options, &ignored_id) == RE2::NoError;
}

void PatternSet::Compile() {
  if (patterns_->NumRegexps() == 0) return;
  std::vector<std::string> words;  // in lower case
  patterns_->Compile(&words);
  words_ = WordFinder(words);
}

bool PatternSet::Matches(absl::string_view text) const {
  if (patterns_->NumRegexps() == 0) return false;
  const std::vector<int> words = words_.Find(absl::AsciiStrToLower(text));
  return patterns_->FirstMatch(re2::StringPiece(text.data(), text.size()), words) >= 0;
}

std::string ForAutomaton(absl::string_view pattern) {
  static const RE2* const bounded = new RE2(R"(\.\{[01],\d{2,}\})");
  std::string loose(pattern);
  RE2::GlobalReplace(&loose, *bounded, ".*");
  if (!loose.empty() && absl::ascii_isdigit(loose[0])) return absl::StrCat("\\b", loose);
  return loose;
}

}  // namespace vitrine
