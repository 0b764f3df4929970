#include "experiments/simulation/names.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "store/base/check.h"

namespace vitrine::simulation {
namespace {

constexpr std::array<absl::string_view, 24> kThings = {
    "lamp",    "mug",     "scarf",    "cushion", "kettle", "notebook", "candle",  "basket",
    "blanket", "clock",   "backpack", "vase",    "teapot", "mirror",   "lantern", "apron",
    "puzzle",  "tumbler", "rug",      "planter", "towel",  "bowl",     "wallet",  "umbrella"};

// The first adds no word: small shops have plain names.
constexpr std::array<absl::string_view, 10> kRooms = {"",        "garden",  "kitchen",  "travel",
                                                      "office",  "nursery", "bathroom", "hallway",
                                                      "balcony", "attic"};

static_assert(kThings.size() * kRooms.size() == kCategoryNames);

constexpr std::array<absl::string_view, 48> kAdjectives = {
    "amber",  "ancient", "azure",  "bold",   "bright",  "bronze",  "calm",    "carved",
    "cedar",  "checked", "cobalt", "copper", "coral",   "cosy",    "crimson", "curved",
    "dotted", "dusky",   "ebony",  "folded", "frosted", "gentle",  "glazed",  "golden",
    "hazel",  "humble",  "indigo", "ivory",  "jade",    "light",   "linen",   "little",
    "lunar",  "marble",  "mellow", "misty",  "oak",     "olive",   "pearl",   "plain",
    "quiet",  "round",   "rustic", "silver", "slim",    "striped", "velvet",  "woven"};

constexpr absl::string_view kConsonants = "bdlmnrstvz";
constexpr absl::string_view kVowels = "aeiou";
constexpr absl::string_view kEndings = "lnrs";
constexpr int kSyllables = 3;

}  // namespace

std::string CategoryName(uint32_t index) {
  CHECK(index < kCategoryNames);
  const absl::string_view thing = kThings[index % kThings.size()];
  const absl::string_view room = kRooms[index / kThings.size()];
  return room.empty() ? std::string(thing) : absl::StrCat(room, " ", thing);
}

absl::string_view RandomAdjective(Random& random) {
  return kAdjectives[random.Below(kAdjectives.size())];
}

std::string RandomNoun(Random& random) {
  std::string noun;
  for (int i = 0; i < kSyllables; ++i) {
    noun += kConsonants[random.Below(kConsonants.size())];
    noun += kVowels[random.Below(kVowels.size())];
  }
  if (random.Chance(0.5)) noun += kEndings[random.Below(kEndings.size())];
  return TitleCase(noun);
}

std::string TitleCase(absl::string_view words) {
  std::string title(words);
  for (size_t i = 0; i < title.size(); ++i) {
    if (i == 0 || title[i - 1] == ' ') title[i] = absl::ascii_toupper(title[i]);
  }
  return title;
}

}  // namespace vitrine::simulation
