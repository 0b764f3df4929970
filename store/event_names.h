// The names of kinds and channels as people and files write them: lower case, GA4's own
// ("view_item", "call_center").

#ifndef VITRINE_STORE_EVENT_NAMES_H_
#define VITRINE_STORE_EVENT_NAMES_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

#include "store/records_types.h"

namespace vitrine {

std::optional<EventKind> ParseEventKind(absl::string_view name);
std::optional<Channel> ParseChannel(absl::string_view name);

// REQUIRES: a value that records.thrift names.
absl::string_view EventKindName(EventKind kind);
absl::string_view ChannelName(Channel channel);

// All names, for messages: "page_view, view_item_list, ...".
std::string EventKindNames();
std::string ChannelNames();

}  // namespace vitrine

#endif  // VITRINE_STORE_EVENT_NAMES_H_
