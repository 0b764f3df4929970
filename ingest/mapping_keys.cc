#include "ingest/mapping_keys.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "store/event_names.h"

namespace vitrine {

EventKind ReadKind(TomlTable* table, EventKind otherwise) {
  const std::string name = table->String("kind");
  if (name.empty()) return otherwise;
  const std::optional<EventKind> kind = ParseEventKind(name);
  if (!kind) table->FailAt("kind", absl::StrCat("must be one of ", EventKindNames()));
  return kind.value_or(otherwise);
}

Channel ReadChannel(TomlTable* table, Channel otherwise) {
  const std::string name = table->String("channel");
  if (name.empty()) return otherwise;
  const std::optional<Channel> channel = ParseChannel(name);
  if (!channel) table->FailAt("channel", absl::StrCat("must be one of ", ChannelNames()));
  return channel.value_or(otherwise);
}

bool IsIgnoreReason(absl::string_view text) {
  const auto fits = [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

}  // namespace vitrine
