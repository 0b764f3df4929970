// Everything that Vitrine says to a person in a report, in each of its languages.

#ifndef VITRINE_API_RENDER_MESSAGES_H_
#define VITRINE_API_RENDER_MESSAGES_H_

#include <optional>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"

namespace vitrine {

enum class Language { kEnglish, kPersian };

// The text of a key ("stage.cart"), with {0}, {1}, ... where arguments go; nullopt if there is no
// such message. O(log n), thread-safe.
std::optional<absl::string_view> FindMessage(Language language, absl::string_view key);

struct MessageEntry {
  absl::string_view key, english, persian;
};

// All of it, by key.
std::span<const MessageEntry> AllMessages();

}  // namespace vitrine

#endif  // VITRINE_API_RENDER_MESSAGES_H_
