// What is clicked in visits counts in the answers.

#include <string>
#include <vector>

#include "tests/api/service_testing.h"

namespace vitrine {
namespace {

using testing::kDayMs;
using testing::kNow;
using testing::MakeEvent;
using testing::ProductId;
using testing::ServiceTest;

// Some visitors before went from one product to another that is newer than the model.
TEST_F(ServiceTest, WhatIsClickedInVisitsLikeThisOneIsSuggestedEvenIfTheModelDoesNotKnowIt) {
  Train();
  std::vector<Event> events;
  for (int v = 0; v < 5; ++v) {
    const std::string visitor = absl::StrCat("v:before", v);
    events.push_back(MakeEvent(absl::StrCat("from", v), visitor, kNow - kDayMs,
                               EventKind::VIEW_ITEM, ProductId(1, 3)));
    events.push_back(MakeEvent(absl::StrCat("to", v), visitor, kNow - kDayMs + 1000,
                               EventKind::VIEW_ITEM, "brand-new"));
  }
  events.push_back(MakeEvent("now", "v:now", kNow, EventKind::VIEW_ITEM, ProductId(1, 3)));
  ASSERT_OK(Shop()->house().Track(events, {}, Ack::kApplied).status());
  RecommendRequest request;
  request.context = ContextOf("", "now");
  request.k = 5;
  RecommendReply before, after;
  storefront_->recommend(before, request);
  for (const Suggestion& s : before.suggestions) EXPECT_NE(s.product_id, "brand-new");

  ASSERT_OK(Shop()->LearnSessions());
  storefront_->recommend(after, request);
  ASSERT_EQ(after.suggestions.size(), 5u);
  EXPECT_EQ(after.suggestions[0].product_id, "brand-new");
  EXPECT_EQ(after.suggestions[0].source, Source::THIS_VISIT);

  // A new model knows it, and the first answer of it what people click.
  const std::string newer = Train().model_id;
  RecommendReply later;
  storefront_->recommend(later, request);
  EXPECT_EQ(later.model_id, newer);
  EXPECT_EQ(later.suggestions[0].product_id, "brand-new");
  EXPECT_EQ(later.suggestions[0].source, Source::THIS_VISIT);
}

TEST_F(ServiceTest, AVisitEntersTheIndexWhenItHasEnded) {
  Train();
  ASSERT_OK(Shop()->LearnSessions());
  const auto sessions = [&] {
    return SessionIndex::Reader(*Shop()->serving()->sessions()).sessions();
  };
  const size_t before = sessions();
  std::vector<Event> events = {
      MakeEvent("1", "v:a", kNow, EventKind::VIEW_ITEM, ProductId(0, 1)),
      MakeEvent("2", "v:a", kNow + 1000, EventKind::VIEW_ITEM, ProductId(0, 2))};
  TrackRequest request;
  request.context = ContextOf("", "a");
  request.events = events;
  TrackReply reply;
  storefront_->track(reply, request);
  EXPECT_EQ(reply.accepted, 2);
  // Both happened longer ago than any gap, by the clock of those who look for ended visits.
  Shop()->EnterEndedVisits();
  EXPECT_EQ(sessions(), before + 1);
}

}  // namespace
}  // namespace vitrine
