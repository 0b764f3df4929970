#include "ingest/percent.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "store/base/utf8.h"

namespace vitrine {
namespace {

int HexDigit(char c) {
  if (absl::ascii_isdigit(c)) return c - '0';
  const char lower = absl::ascii_tolower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool IsControl(char c) { return absl::ascii_iscntrl(c); }

// How long the character is that begins with this byte, if it is one.
size_t Utf8Bytes(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

}  // namespace

char PercentDecodedByte(absl::string_view text, size_t* bytes) {
  *bytes = 1;
  if (text[0] != '%' || text.size() < 3) return text[0];
  const int high = HexDigit(text[1]);
  const int low = HexDigit(text[2]);
  if (high < 0 || low < 0) return text[0];
  *bytes = 3;
  return static_cast<char>(high * 16 + low);
}

void AppendPercentDecoded(absl::string_view text, bool plus_is_blank, std::string* out) {
  while (!text.empty()) {
    size_t bytes;
    const char c = PercentDecodedByte(text, &bytes);
    out->push_back(plus_is_blank && c == '+' && bytes == 1 ? ' ' : c);
    text.remove_prefix(bytes);
  }
}

void AppendAsUtf8(absl::string_view text, std::string* out) {
  if (IsUtf8(text) && std::none_of(text.begin(), text.end(), IsControl)) {
    out->append(text.data(), text.size());
    return;
  }
  while (!text.empty()) {
    const absl::string_view character = text.substr(0, Utf8Bytes(text[0]));
    if (IsUtf8(character) && !IsControl(text[0])) {
      out->append(character.data(), character.size());
      text.remove_prefix(character.size());
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[0]);
    absl::StrAppend(out, "%", absl::Hex(byte >> 4), absl::Hex(byte & 15));
    text.remove_prefix(1);
  }
}

}  // namespace vitrine
