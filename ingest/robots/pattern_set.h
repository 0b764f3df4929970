// Many regular expressions, asked at once whether any of them is found in a text.

#ifndef VITRINE_INGEST_ROBOTS_PATTERN_SET_H_
#define VITRINE_INGEST_ROBOTS_PATTERN_SET_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

#include "ingest/robots/word_finder.h"

namespace re2 {
class FilteredRE2;
}

namespace vitrine {

// Build it, then ask it from any number of threads. One pass finds the words that patterns cannot
// do without; only the patterns whose words are there are tried. (One automaton of all patterns
// would be built anew, for hundreds of microseconds, with every text that has something new.)
// Texts and patterns are taken byte by byte.
class PatternSet {
 public:
  PatternSet();
  ~PatternSet();

  // False if RE2 cannot take the pattern (it looks ahead, say): the set is as it was.
  bool Add(absl::string_view pattern);
  // Call once, after the last Add and before the first Matches.
  void Compile();

  bool Matches(absl::string_view text) const;

 private:
  std::unique_ptr<re2::FilteredRE2> patterns_;
  WordFinder words_;
};

// The pattern as an automaton likes it, and means it: ".{0,200}" bounds the work of engines that
// try one way after the other, and costs an automaton 200 states; "008/" means no "39008/".
std::string ForAutomaton(absl::string_view pattern);

}  // namespace vitrine

#endif  // VITRINE_INGEST_ROBOTS_PATTERN_SET_H_
