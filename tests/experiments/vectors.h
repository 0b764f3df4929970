// Expected values of ../shared/vectors (its SOURCE.txt says from where); a test that needs them is
// skipped, and says so, where they are absent.

#ifndef VITRINE_TESTS_EXPERIMENTS_VECTORS_H_
#define VITRINE_TESTS_EXPERIMENTS_VECTORS_H_

#include <filesystem>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "gtest/gtest.h"

namespace vitrine::experiments {

using Json = nlohmann::json;

inline std::string VectorsFile(const std::string& name) { return "../shared/vectors/" + name; }

inline Json ReadVectors(const std::string& name) {
  std::ifstream in(VectorsFile(name));
  return Json::parse(in);
}

// A copy, so that a loop may run over it.
inline Json ReadVectors(const std::string& name, const std::string& part) {
  return ReadVectors(name).at(part);
}

#define SKIP_WITHOUT_VECTORS(name)                                  \
  if (!std::filesystem::exists(VectorsFile(name))) {                \
    GTEST_SKIP() << "../shared/vectors/" << name << " is not here"; \
  }

}  // namespace vitrine::experiments

#endif  // VITRINE_TESTS_EXPERIMENTS_VECTORS_H_
