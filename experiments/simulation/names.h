// Names that can be read aloud and belong to nobody: of categories, products and brands.

#ifndef VITRINE_EXPERIMENTS_SIMULATION_NAMES_H_
#define VITRINE_EXPERIMENTS_SIMULATION_NAMES_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

#include "experiments/simulation/random.h"

namespace vitrine::simulation {

// There are this many different category names.
constexpr uint32_t kCategoryNames = 240;

// "lamp", "garden lamp": one of its products. REQUIRES: index < kCategoryNames.
std::string CategoryName(uint32_t index);

// "velvet", "hazel": what tells the products of a category apart.
absl::string_view RandomAdjective(Random& random);

// Three syllables, capitalised: "Mivorel".
std::string RandomNoun(Random& random);

// "Velvet Lamp" for "velvet lamp".
std::string TitleCase(absl::string_view words);

}  // namespace vitrine::simulation

#endif  // VITRINE_EXPERIMENTS_SIMULATION_NAMES_H_
