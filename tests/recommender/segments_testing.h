// Segments and tests of them in one line.

#ifndef VITRINE_TESTS_RECOMMENDER_SEGMENTS_TESTING_H_
#define VITRINE_TESTS_RECOMMENDER_SEGMENTS_TESTING_H_

#include <string>
#include <utility>
#include <vector>

#include "store/segments_types.h"

namespace vitrine::testing {

inline SegmentTest Words(SegmentMeasure measure, Relation relation,
                         std::vector<std::string> values) {
  SegmentTest test;
  test.measure = measure;
  test.relation = relation;
  test.values = std::move(values);
  return test;
}

inline SegmentTest Number(SegmentMeasure measure, Relation relation, double number,
                          int32_t days = 0) {
  SegmentTest test;
  test.measure = measure;
  test.relation = relation;
  test.__set_number(number);
  test.days = days;
  return test;
}

// All of these must hold.
inline Segment SegmentOf(const std::string& id, const std::vector<SegmentTest>& tests) {
  Segment segment;
  segment.id = id;
  for (const SegmentTest& test : tests) segment.conditions.emplace_back().any = {test};
  return segment;
}

}  // namespace vitrine::testing

#endif  // VITRINE_TESTS_RECOMMENDER_SEGMENTS_TESTING_H_
