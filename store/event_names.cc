#include "store/event_names.h"

#include <map>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"

#include "store/base/check.h"

namespace vitrine {
namespace {

// The names of one enum, both ways. The generated tables hold them as in records.thrift: upper
// case, and OTHER_CHANNEL, which is "other" outside.
template <typename Enum>
class Names {
 public:
  explicit Names(const std::map<int, const char*>& generated) {
    for (const auto& [value, upper] : generated) {
      const std::string lower = absl::AsciiStrToLower(upper);
      const std::string name = lower == "other_channel" ? "other" : lower;
      if (names_.size() <= static_cast<size_t>(value)) names_.resize(value + 1);
      names_[value] = name;
      values_[name] = static_cast<Enum>(value);
      in_order_.push_back(name);
    }
  }

  std::optional<Enum> Find(absl::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return std::nullopt;
    return found->second;
  }

  absl::string_view NameOf(Enum value) const {
    const auto index = static_cast<size_t>(value);
    CHECK(index < names_.size() && !names_[index].empty()) << "no name for " << index;
    return names_[index];
  }

  std::string Joined() const { return absl::StrJoin(in_order_, ", "); }

 private:
  std::vector<std::string> names_;  // by value
  absl::flat_hash_map<std::string, Enum> values_;
  std::vector<std::string> in_order_;
};

const Names<EventKind>& Kinds() {
  static const auto* const kinds = new Names<EventKind>(_EventKind_VALUES_TO_NAMES);
  return *kinds;
}

const Names<Channel>& Channels() {
  static const auto* const channels = new Names<Channel>(_Channel_VALUES_TO_NAMES);
  return *channels;
}

}  // namespace

std::optional<EventKind> ParseEventKind(absl::string_view name) { return Kinds().Find(name); }
std::optional<Channel> ParseChannel(absl::string_view name) { return Channels().Find(name); }

absl::string_view EventKindName(EventKind kind) { return Kinds().NameOf(kind); }
absl::string_view ChannelName(Channel channel) { return Channels().NameOf(channel); }

std::string EventKindNames() { return Kinds().Joined(); }
std::string ChannelNames() { return Channels().Joined(); }

}  // namespace vitrine
