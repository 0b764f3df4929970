#include "store/event_names.h"

#include <gtest/gtest.h>

namespace vitrine {
namespace {

TEST(EventNames, KindsAreNamedAsInGa4) {
  EXPECT_EQ(ParseEventKind("view_item"), EventKind::VIEW_ITEM);
  EXPECT_EQ(ParseEventKind("purchase"), EventKind::PURCHASE);
  EXPECT_EQ(ParseEventKind("rating"), EventKind::RATING);
  EXPECT_FALSE(ParseEventKind("VIEW_ITEM").has_value());
  EXPECT_FALSE(ParseEventKind("").has_value());
}

TEST(EventNames, ChannelsAreInSmallLetters) {
  EXPECT_EQ(ParseChannel("web"), Channel::WEB);
  EXPECT_EQ(ParseChannel("call_center"), Channel::CALL_CENTER);
  EXPECT_EQ(ParseChannel("other"), Channel::OTHER_CHANNEL);
  EXPECT_FALSE(ParseChannel("other_channel").has_value());
}

TEST(EventNames, EveryNameReadsBackAsWhatItNames) {
  for (const auto& [value, upper] : _EventKind_VALUES_TO_NAMES) {
    const auto kind = static_cast<EventKind>(value);
    EXPECT_EQ(ParseEventKind(EventKindName(kind)), kind) << upper;
  }
  for (const auto& [value, upper] : _Channel_VALUES_TO_NAMES) {
    const auto channel = static_cast<Channel>(value);
    EXPECT_EQ(ParseChannel(ChannelName(channel)), channel) << upper;
    EXPECT_TRUE(IsChannel(channel)) << upper;
  }
  for (const auto& [value, upper] : _ContactProgress_VALUES_TO_NAMES) {
    const auto progress = static_cast<ContactProgress>(value);
    EXPECT_EQ(ParseContactProgress(ContactProgressName(progress)), progress) << upper;
  }
}

TEST(EventNames, TheListsNameAllInTheirOrder) {
  EXPECT_EQ(ChannelNames(),
            "web, app, email, sms, call_center, store, other, chat, direct_mail, partner, atm");
  EXPECT_EQ(EventKindNames().substr(0, 25), "page_view, view_item_list");
}

}  // namespace
}  // namespace vitrine
