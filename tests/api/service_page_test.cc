// What a page shows: placements, rules and reasons, from a request to its reply.

#include <set>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "recommender/placements/defaults.h"
#include "tests/api/service_testing.h"

namespace vitrine::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class PageTest : public ServiceTest {
 protected:
  PageTest() {
    Train();
    EXPECT_OK(Shop()->LookAtCatalogue());
  }

  static ShelfWanted Wanted(const char* placement, int k = 6) {
    ShelfWanted wanted;
    wanted.placement = placement;
    wanted.k = k;
    return wanted;
  }

  PageReply Page(const PageRequest& request) {
    PageReply reply;
    storefront_->page(reply, request);
    return reply;
  }
  PageReply Page(const Context& context, std::vector<ShelfWanted> shelves) {
    PageRequest request;
    request.context = context;
    request.shelves = std::move(shelves);
    return Page(request);
  }
  Shelf ShelfOf(const Context& context, const char* placement, int k = 6) {
    return Page(context, {Wanted(placement, k)}).shelves.at(0);
  }
  Shelf ShelfAbout(const Context& context, const char* placement, const PageFacts& page) {
    PageRequest request;
    request.context = context;
    request.shelves = {Wanted(placement)};
    request.__set_page(page);
    return Page(request).shelves.at(0);
  }
  static std::vector<std::string> Ids(const Shelf& shelf) {
    std::vector<std::string> ids;
    for (const Suggestion& suggestion : shelf.suggestions) ids.push_back(suggestion.product_id);
    return ids;
  }

  void Update(const Product& product) {
    UpdateReply reply;
    backoffice_->update_products(reply, "shop", {product});
  }
  PlacementVersion Placements() {
    PlacementVersion version;
    backoffice_->placements(version, "shop");
    return version;
  }
  PlacementVersion SetPlacements(const PlacementSet& content) {
    PlacementVersion version;
    backoffice_->set_placements(version, "shop", content, Placements().version, "op", "a test");
    return version;
  }
  static Rule Exclude(const char* id, const char* attribute, std::vector<std::string> values) {
    Rule rule;
    rule.id = id;
    rule.kind = EXCLUDE;
    ProductCondition& condition = rule.products.emplace_back();
    condition.attribute = attribute;
    condition.relation = ONE_OF;
    condition.values = std::move(values);
    return rule;
  }
};

TEST_F(PageTest, EveryPlacementOfANewSiteAnswersAnybody) {
  std::vector<ShelfWanted> all;
  for (const Placement& placement : DefaultPlacements().placements) {
    ShelfWanted& wanted = all.emplace_back();
    wanted.placement = placement.id;
    wanted.k = 2;
  }
  std::vector<ShelfWanted> rest(all.begin() + limits::kShelvesMax, all.end());
  all.resize(limits::kShelvesMax);
  for (const Context& context : {ContextOf("c1"), ContextOf("", "stranger"), ContextOf("")}) {
    for (const auto& shelves : {all, rest}) {
      for (const Shelf& shelf : Page(context, shelves).shelves) {
        EXPECT_FALSE(shelf.title.empty());
        EXPECT_FALSE(shelf.recommendation_id.empty());
        for (const Suggestion& suggestion : shelf.suggestions) {
          EXPECT_FALSE(suggestion.reason.empty()) << shelf.placement;
        }
      }
    }
  }
}

TEST_F(PageTest, NoProductIsTwiceOnAPage) {
  const PageReply page = Page(ContextOf("c1"), {Wanted("home", 10), Wanted("popular", 10),
                                                Wanted("new", 10), Wanted("home", 10)});
  std::set<std::string> met;
  size_t shown = 0;
  for (const Shelf& shelf : page.shelves) {
    for (const std::string& id : Ids(shelf)) met.insert(id);
    shown += shelf.suggestions.size();
  }
  EXPECT_EQ(met.size(), shown);
  EXPECT_GE(shown, 30u);
}

TEST_F(PageTest, SaysWhyWithTheEvidence) {
  const Shelf shelf = ShelfOf(ContextOf("c1"), "home", 3);
  for (const Suggestion& suggestion : shelf.suggestions) {
    EXPECT_THAT(suggestion.reason, HasSubstr("Because you bought \u2068Name of g1-"));
  }
  Context persian = ContextOf("c1");
  persian.language = "fa";
  const Shelf in_persian = ShelfOf(persian, "home", 3);
  EXPECT_EQ(in_persian.title, "برای شما");
  EXPECT_THAT(in_persian.suggestions[0].reason, HasSubstr("را خریدید"));
}

TEST_F(PageTest, WhoeverDoesNotWantToBeKnownIsNobody) {
  Context context = ContextOf("c1");
  context.personalize = false;
  const PageReply refused = Page(context, {Wanted("home", 10)});
  EXPECT_EQ(refused.history_events, 0);
  EXPECT_EQ(Ids(refused.shelves[0]), Ids(ShelfOf(ContextOf(""), "home", 10)));
  EXPECT_TRUE(ShelfOf(context, "buy-again").suggestions.empty());
}

TEST_F(PageTest, SoldOutIsGoneFromTheNextReply) {
  const std::vector<std::string> before = Ids(ShelfOf(ContextOf("c1"), "home"));
  Product product;
  product.id = before[0];
  product.__set_stock(0);
  Update(product);
  const std::vector<std::string> after = Ids(ShelfOf(ContextOf("c1"), "home"));
  EXPECT_THAT(after, Each(Not(before[0])));
  EXPECT_EQ(after.size(), before.size());
}

TEST_F(PageTest, ANewProductCanBeShownAtOnce) {
  Product product;
  product.id = "fresh";
  product.__set_name("Fresh");
  Update(product);
  EXPECT_THAT(Ids(ShelfOf(ContextOf(""), "new")), ElementsAre("fresh"));
  EXPECT_OK(Shop()->LookAtCatalogue());
  EXPECT_THAT(Ids(ShelfOf(ContextOf(""), "new")), ElementsAre("fresh"));
}

// All home shelves, and not one in twenty.
class ExplorationTest : public PageTest {
 protected:
  ExplorationTest() {
    PlacementSet content = Placements().content;
    for (RecipeSource& source : content.placements[0].recipe) source.weight = 1;
    SetPlacements(content);
  }

  void AddFresh(const std::string& id) {
    Product product;
    product.id = id;
    product.__set_name("Fresh");
    Update(product);
  }

  // The suggestion that is tried on this shelf; none: an empty one.
  static Suggestion TriedOn(const Shelf& shelf) {
    Suggestion tried;
    for (const Suggestion& suggestion : shelf.suggestions) {
      if (suggestion.source == EXPLORE) tried = suggestion;
    }
    return tried;
  }

  void Click(const Shelf& shelf, const std::string& product, EventKind kind) {
    TrackRequest request;
    request.context = ContextOf("c1");
    Event event = MakeEvent(absl::StrCat("click-", ++clicks_), "c1", clock_.NowMs(), kind, product);
    event.__set_recommendation_id(shelf.recommendation_id);
    request.events = {event};
    TrackReply reply;
    storefront_->track(reply, request);
    EXPECT_EQ(reply.accepted, 1);
  }

  int clicks_ = 0;
};

TEST_F(ExplorationTest, AProductAddedAMinuteAgoHasAPlace) {
  EXPECT_EQ(TriedOn(ShelfOf(ContextOf("c1"), "home")).product_id, "");
  AddFresh("fresh");
  for (const Context& context : {ContextOf("c1"), ContextOf("", "stranger")}) {
    const Shelf shelf = ShelfOf(context, "home");
    ASSERT_EQ(shelf.suggestions.size(), 6u);
    EXPECT_EQ(TriedOn(shelf).product_id, "fresh");
    EXPECT_EQ(TriedOn(shelf).reason, "New in the shop");
    EXPECT_NE(shelf.suggestions[0].product_id, "fresh");
    const Exposure kept = Value(Shop()->house().GetExposure(shelf.recommendation_id));
    EXPECT_TRUE(absl::c_any_of(kept.products, [](const ExposedProduct& product) {
      return product.product_id == "fresh" && product.source == EXPLORE;
    }));
  }
  EXPECT_EQ(Shop()->trials().Of("fresh").shown, 2u);
}

TEST_F(ExplorationTest, WhatIsTakenFromATryCounts) {
  AddFresh("fresh");
  const Shelf shelf = ShelfOf(ContextOf("c1"), "home");
  Click(shelf, "fresh", SELECT_ITEM);
  Click(shelf, "fresh", VIEW_ITEM);
  EXPECT_EQ(Shop()->trials().Of("fresh").taken, 1u);
  // From a shelf that showed it for another reason: no try.
  const Shelf newest = ShelfOf(ContextOf("c2"), "new");
  EXPECT_THAT(Ids(newest), ElementsAre("fresh"));
  Click(newest, "fresh", SELECT_ITEM);
  EXPECT_EQ(Shop()->trials().Of("fresh").taken, 1u);
}

TEST_F(ExplorationTest, RulesHoldForWhatIsTried) {
  AddFresh("fresh");
  PlacementSet content = Placements().content;
  content.rules = {Exclude("ban", "id", {"fresh"})};
  SetPlacements(content);
  EXPECT_EQ(TriedOn(ShelfOf(ContextOf("c1"), "home")).product_id, "");
}

TEST_F(PageTest, ACategoryShowsItsOwnProductsOrderedForThePerson) {
  for (int group = 0; group < 2; ++group) {
    for (int i = 0; i < kProductsPerGroup; ++i) {
      Product product;
      product.id = ProductId(group, i);
      product.__set_category(i < 6 ? "All > Left" : "All > Right");
      Update(product);
    }
  }
  EXPECT_OK(Shop()->LookAtCatalogue());
  PageFacts page;
  page.__set_category("All > Left");
  const std::vector<std::string> ids = Ids(ShelfAbout(ContextOf("c1"), "category", page));
  ASSERT_EQ(ids.size(), 6u);
  for (const std::string& id : ids) EXPECT_LT(std::stoi(id.substr(3)), 6) << id;
  EXPECT_TRUE(absl::StartsWith(ids[0], "g1-")) << ids[0];  // c1 is of group 1
  page.__set_category("All");
  EXPECT_EQ(ShelfAbout(ContextOf("c1"), "category", page).suggestions.size(), 6u);
}

TEST_F(PageTest, WordsFindProducts) {
  PageFacts page;
  page.__set_search_terms("g2-7");
  const Shelf shelf = ShelfAbout(ContextOf(""), "search-none", page);
  ASSERT_FALSE(shelf.suggestions.empty());
  EXPECT_EQ(shelf.suggestions[0].source, SEARCH_TERMS);
  EXPECT_THAT(shelf.suggestions[0].product_id, HasSubstr("7"));
}

TEST_F(PageTest, ThePagesProductAndTheCartAreNotSuggested) {
  PageFacts page;
  page.__set_product_id(ProductId(1, 0));
  page.__set_cart({ProductId(1, 1), ProductId(1, 2)});
  for (const char* placement : {"similar", "also-viewed", "cart", "home"}) {
    const std::vector<std::string> ids = Ids(ShelfAbout(ContextOf(""), placement, page));
    EXPECT_EQ(ids.size(), 6u) << placement;
    for (const char* id : {"g1-0", "g1-1", "g1-2"}) EXPECT_THAT(ids, Each(Not(id))) << placement;
  }
}

TEST_F(PageTest, AChangeHoldsForTheNextReplyAndCanBeTakenBack) {
  const std::vector<std::string> before = Ids(ShelfOf(ContextOf("c1"), "home"));
  PlacementVersion placements = Placements();
  EXPECT_EQ(placements.version, 0);
  placements.content.rules = {Exclude("ban", "id", {before[0]})};
  EXPECT_EQ(SetPlacements(placements.content).version, 1);
  EXPECT_THAT(Ids(ShelfOf(ContextOf("c1"), "home")), Each(Not(before[0])));

  Open();  // another process
  EXPECT_OK(Shop()->LookAtCatalogue());
  EXPECT_THAT(Ids(ShelfOf(ContextOf("c1"), "home")), Each(Not(before[0])));

  placements.content.rules.clear();
  EXPECT_EQ(SetPlacements(placements.content).version, 2);
  EXPECT_EQ(Ids(ShelfOf(ContextOf("c1"), "home")), before);
  PlacementVersion back;
  backoffice_->roll_back_placements(back, "shop", 1, "op");
  EXPECT_EQ(back.version, 3);
  EXPECT_THAT(Ids(ShelfOf(ContextOf("c1"), "home")), Each(Not(before[0])));
  std::vector<PlacementVersion> history;
  backoffice_->placement_history(history, "shop", 10);
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[0].comment, "back to version 1");
}

TEST_F(PageTest, AChangeOfAnOldVersionIsRefused) {
  const PlacementVersion placements = Placements();
  SetPlacements(placements.content);
  PlacementVersion version;
  EXPECT_THROW(backoffice_->set_placements(version, "shop", placements.content, 0, "op", ""),
               InvalidRequest);
  PlacementSet wrong = placements.content;
  wrong.placements[0].recipe.clear();
  EXPECT_THROW(backoffice_->set_placements(version, "shop", wrong, 1, "op", ""), InvalidRequest);
  EXPECT_EQ(Placements().version, 1);
}

TEST_F(PageTest, ATraceSaysWhichRuleRemovedWhat) {
  const std::vector<std::string> before = Ids(ShelfOf(ContextOf("c1"), "home"));
  PlacementSet content = Placements().content;
  content.rules = {Exclude("ban", "id", {before[0]})};
  SetPlacements(content);
  PageRequest request;
  request.context = ContextOf("c1");
  request.shelves = {Wanted("home")};
  request.trace = true;
  const std::vector<TraceStep> trace = Page(request).shelves[0].trace;
  ASSERT_FALSE(trace.empty());
  EXPECT_EQ(trace[0].product_id, before[0]);
  EXPECT_EQ(trace[0].what, "removed");
  EXPECT_EQ(trace[0].by, "ban");
}

TEST_F(PageTest, WhatIsShownIsKeptUnlessThePersonMinds) {
  const Shelf shelf = ShelfOf(ContextOf("c1"), "home", 3);
  const Exposure kept = Value(Shop()->house().GetExposure(shelf.recommendation_id));
  EXPECT_EQ(kept.placement, "home");
  EXPECT_EQ(kept.customer_id, "c1");
  EXPECT_EQ(kept.time_ms, kNow);
  ASSERT_EQ(kept.products.size(), 3u);
  EXPECT_EQ(kept.products[0].product_id, shelf.suggestions[0].product_id);
  EXPECT_EQ(kept.products[0].source, TASTE);
  Context minds = ContextOf("c1");
  minds.personalize = false;
  const Shelf unknown = ShelfOf(minds, "home", 3);
  EXPECT_TRUE(absl::IsNotFound(Shop()->house().GetExposure(unknown.recommendation_id).status()));
}

TEST_F(PageTest, WhatIsShownOftenAndNotClickedMakesRoom) {
  PlacementSet content = Placements().content;
  Rule& often = content.rules.emplace_back();
  often.id = "often";
  often.kind = HIDE_SHOWN_OFTEN;
  often.__set_most(2);
  often.__set_days(7);
  SetPlacements(content);
  const std::vector<std::string> first = Ids(ShelfOf(ContextOf("c1"), "popular", 3));
  EXPECT_EQ(Ids(ShelfOf(ContextOf("c1"), "popular", 3)), first);
  for (const std::string& id : Ids(ShelfOf(ContextOf("c1"), "popular", 3))) {
    EXPECT_THAT(first, Each(Not(id)));
  }
  EXPECT_EQ(Ids(ShelfOf(ContextOf("c2"), "popular", 3)), first);  // of somebody else's
  clock_.Advance(8 * kDayMs);
  EXPECT_EQ(Ids(ShelfOf(ContextOf("c1"), "popular", 3)), first);
}

TEST_F(PageTest, WrongRequestsSayWhatIsWrong) {
  EXPECT_THROW(Page(ContextOf("c1"), {}), InvalidRequest);
  EXPECT_THROW(Page(ContextOf("c1"), {Wanted("home", 201)}), InvalidRequest);
  EXPECT_THROW(Page(ContextOf("c1"), {Wanted("no-such")}), NotFound);
  EXPECT_THROW(Page(ContextOf("c1"), std::vector<ShelfWanted>(17, Wanted("home"))), InvalidRequest);
}

}  // namespace
}  // namespace vitrine::testing
