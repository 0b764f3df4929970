// How visits run through the pages of a site: where they enter and leave, the paths that many take,
// and the graph of what comes after what (a first-order Markov chain with an exit).

#ifndef VITRINE_RECOMMENDER_PATTERNS_PAGE_FLOW_H_
#define VITRINE_RECOMMENDER_PATTERNS_PAGE_FLOW_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "recommender/patterns/heavy_hitters.h"

namespace vitrine {

struct PathCount {
  std::vector<std::string> pages;  // a page that follows itself stands once
  bool goes_on = false;            // the path is longer than what is shown
  int64_t count = 0;
  double share = 0;  // of all visits

  bool operator==(const PathCount&) const = default;
};

struct Transition {
  std::string from;
  std::string to;  // empty: the visit ends
  int64_t count = 0;
  double probability = 0;  // of `to` being next, given `from`

  bool operator==(const Transition&) const = default;
};

// Takes visits one by one; memory is bounded by `capacity` (HeavyHitters: exact up to twice as many
// different paths and transitions). Not thread-safe.
class PageFlow {
 public:
  // Paths are cut behind `path_pages` pages. REQUIRES: both above 0.
  PageFlow(size_t capacity, size_t path_pages);

  // The pages of one visit in order, none left out. Names are not empty and hold no control
  // characters. A visit without pages counts nowhere.
  void Add(std::span<const std::string> pages);

  std::vector<PathCount> TopPaths(size_t k) const;
  std::vector<Transition> TopTransitions(size_t k) const;
  int64_t visits() const { return paths_.total(); }
  int64_t error() const;  // a count may be too low by this much

 private:
  const size_t path_pages_;
  HeavyHitters<std::string> paths_;
  HeavyHitters<std::string> transitions_;
  HeavyHitters<std::string> departures_;  // from a page, wherever to
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PATTERNS_PAGE_FLOW_H_
