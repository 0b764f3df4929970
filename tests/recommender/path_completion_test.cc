#include "recommender/mining/path_completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

// A session of page views, one a second, from "page<referrer": "A B<A F<B".
std::vector<Event> SessionOf(absl::string_view text, absl::string_view origin = "") {
  std::vector<Event> session;
  for (const absl::string_view view : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    const std::vector<absl::string_view> halves = absl::StrSplit(view, '<');
    Event event =
        testing::MakeEvent(absl::StrCat("e", session.size()), "v:x",
                           static_cast<int64_t>(session.size()) * 1000, EventKind::PAGE_VIEW);
    event.__set_url(absl::StrCat(origin, "/", halves[0]));
    if (halves.size() > 1) event.__set_referrer(absl::StrCat("https://shop.example/", halves[1]));
    session.push_back(std::move(event));
  }
  return session;
}

// The pages of the completed path; inferred ones in brackets.
std::string Completed(const std::vector<Event>& session) {
  std::string path;
  for (const Event& event : CompletePath(session)) {
    const std::string page = event.url.substr(event.url.rfind('/') + 1);
    absl::StrAppend(&path, path.empty() ? "" : " ", event.inferred ? "[" : "", page,
                    event.inferred ? "]" : "");
  }
  return path;
}

// The sessions of the paper's example.
TEST(PathCompletion, GoesBackAsThePaperDoes) {
  EXPECT_EQ(Completed(SessionOf("A B<A F<B O<F G<B")), "A B F O [F] [B] G");
  EXPECT_EQ(Completed(SessionOf("A D<A")), "A D");
  EXPECT_EQ(Completed(SessionOf("A B<A C<A J<C")), "A B [A] C J");
  EXPECT_EQ(Completed(SessionOf("L R<L")), "L R");
}

TEST(PathCompletion, AddressesMayHaveAnOriginAndFragments) {
  EXPECT_EQ(Completed(SessionOf("A B<A C<A#top", "https://shop.example")), "A B [A] C");
  EXPECT_EQ(Completed(SessionOf("A B<A C<A", "https://other.example")), "A B C");
}

TEST(PathCompletion, WhatWasNeverSeenInTheSessionInfersNothing) {
  EXPECT_EQ(Completed(SessionOf("A B<A C<X D")), "A B C D");
  EXPECT_EQ(Completed(SessionOf("B<A C<B")), "B C");
  EXPECT_EQ(Completed(SessionOf("")), "");
}

TEST(PathCompletion, AReloadIsNoWayBack) {
  EXPECT_EQ(Completed(SessionOf("A B<A B<A C<B")), "A B B C");
  EXPECT_EQ(Completed(SessionOf("A B<A B<A C<A")), "A B B [A] C");
  EXPECT_EQ(Completed(SessionOf("A B<A A<B C<A")), "A B A C");
}

TEST(PathCompletion, InferredViewsLieInTimeBetweenTheirNeighbours) {
  std::vector<Event> session = SessionOf("A B<A F<B O<F G<B");
  session[0].kind = EventKind::VIEW_ITEM;
  const std::vector<Event> completed = CompletePath(session);
  ASSERT_EQ(completed.size(), 7u);
  EXPECT_EQ(completed[4].time_ms, 3333);
  EXPECT_EQ(completed[5].time_ms, 3666);
  EXPECT_EQ(completed[4].id, "");
  EXPECT_FALSE(completed[6].__isset.inferred);
}

TEST(PathCompletion, WhatIsDoneOnAPageIsNoPage) {
  std::vector<Event> session = SessionOf("A B<A cart<B C<B");
  session[2].kind = EventKind::ADD_TO_CART;
  EXPECT_EQ(Completed(session), "A B cart C");
}

}  // namespace
}  // namespace vitrine
