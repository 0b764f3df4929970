// The words of a text, as two products with like names should share them.

#ifndef VITRINE_RECOMMENDER_LEARN_WORDS_H_
#define VITRINE_RECOMMENDER_LEARN_WORDS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vitrine {

// Runs of letters, marks and digits of any script, in their order, lower-cased (Unicode's simple
// case folding); digits of all scripts as 0 to 9. Arabic letters as Persian writes them, without
// short vowels and lengthening; what a half-space (ZWNJ) joins is two words, as it is to those who
// type a space. Bytes that are no UTF-8 separate. O(text).
std::vector<std::string> Words(absl::string_view text);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_WORDS_H_
