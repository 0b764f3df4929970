#include "recommender/learn/words.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>
#include <utility>

namespace vitrine {
namespace {

constexpr UChar32 kSeparator = -1;
constexpr UChar32 kNothing = -2;  // within a word, and of no account

constexpr UChar32 kTatweel = 0x640;
constexpr UChar32 kFirstHaraka = 0x64B, kLastHaraka = 0x652, kSuperscriptAlef = 0x670;

// The letter that Persian keyboards write where Arabic ones write another for the same sound.
UChar32 AsPersian(UChar32 c) {
  switch (c) {
    case 0x643:  // kaf
      return 0x6A9;
    case 0x649:  // alef maksura
    case 0x64A:  // yeh
      return 0x6CC;
    case 0x6C0:  // heh with yeh above
      return 0x647;
    default:
      return c;
  }
}

bool IsMark(UChar32 c) { return (U_GET_GC_MASK(c) & (U_GC_MN_MASK | U_GC_MC_MASK)) != 0; }

UChar32 Fold(UChar32 c) {
  if (c < 0) return kSeparator;
  if (c == kTatweel || c == kSuperscriptAlef || (c >= kFirstHaraka && c <= kLastHaraka)) {
    return kNothing;
  }
  if (const int32_t digit = u_charDigitValue(c); digit >= 0) return '0' + digit;
  if (!u_isalnum(c) && !IsMark(c)) return kSeparator;
  return AsPersian(u_foldCase(c, U_FOLD_CASE_DEFAULT));
}

void Append(UChar32 c, std::string* word) {
  uint8_t bytes[U8_MAX_LENGTH];
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, c);
  word->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
}

}  // namespace

std::vector<std::string> Words(absl::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const char* const bytes = text.data();
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < size;) {
    UChar32 c;
    U8_NEXT(bytes, i, size, c);
    c = Fold(c);
    if (c >= 0) {
      Append(c, &word);
    } else if (c == kSeparator && !word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

}  // namespace vitrine
