// Offers from the request to the order that uses them, without a socket.

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "api/service/offer_desk.h"
#include "tests/api/service_testing.h"

namespace vitrine::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// By the clock on the wall: reservations are.
class OffersTest : public ServiceTest {
 protected:
  OffersTest() {
    EXPECT_OK(Shop()->Derive());  // what an order is usually worth
    Reopen();
  }

  void Reopen() {
    Open();
    storefront_ = std::make_unique<Storefront>(sites_.get(), &Clock::System());
    backoffice_ = std::make_unique<Backoffice>(sites_.get(), &Clock::System());
  }

  static ShopOffer FreeShipping() {
    ShopOffer offer;
    offer.id = "free-shipping";
    offer.kind = FREE_SHIPPING;
    offer.titles = {{"en", "We send it free"}, {"fa", "ارسال رایگان"}};
    offer.currency = "GBP";
    offer.cost_minor = 100;
    return offer;
  }

  void Set(const ShopOffer& offer, double control = 0) {
    OfferSet set;
    set.offers = {offer};
    set.control = control;
    set.explore = 0;
    Set(set);
  }
  void Set(const OfferSet& set) {
    OfferSetVersion now, next;
    backoffice_->offers(now, "shop");
    backoffice_->set_offers(next, "shop", set, now.version, "op", "a test");
    ASSERT_EQ(next.version, now.version + 1);
  }

  OffersReply Ask(const Context& context, bool trace = false) {
    OffersRequest request;
    request.context = context;
    request.trace = trace;
    OffersReply reply;
    storefront_->offers(reply, request);
    return reply;
  }

  // An order of two pieces for 20 pounds, or a refund of it.
  TrackReply Order(const std::string& id, const std::string& customer,
                   const std::vector<std::string>& grants, EventKind kind = PURCHASE) {
    TrackRequest request;
    request.context = ContextOf(customer);
    Event event = MakeEvent(id, customer, Clock::System().NowMs(), kind, ProductId(0, 1));
    event.items[0].quantity = 2;
    event.items[0].__set_price_minor(1000);
    event.__set_currency("GBP");
    event.__set_grants(grants);
    request.events = {event};
    TrackReply reply;
    storefront_->track(reply, request);
    return reply;
  }

  OfferFigures Figures() {
    OfferReport report;
    backoffice_->offer_report(report, "shop");
    return report.offers.at(0);
  }

  int64_t Points(const std::string& customer) {
    return Value(Shop()->offers().ledger().Balance(kPointsAccount, customer)).available;
  }
};

TEST_F(OffersTest, IsHeldUsedAndGivenBack) {
  ShopOffer offer = FreeShipping();
  offer.__set_uses(5);
  offer.__set_budget_minor(1000);
  Set(offer);
  const OffersReply reply = Ask(ContextOf("c1"));
  ASSERT_THAT(reply.offers, SizeIs(1));
  EXPECT_EQ(reply.offers[0].title, "We send it free");
  EXPECT_EQ(reply.offers[0].kind, "free_shipping");
  EXPECT_GT(reply.offers[0].held_until_ms, Clock::System().NowMs());
  EXPECT_EQ(Figures().held, 1);
  EXPECT_EQ(Figures().left_minor, 900);

  const std::string grant = reply.offers[0].grant_id;
  EXPECT_EQ(Ask(ContextOf("c1")).offers.at(0).grant_id, grant) << "the same while it is held";
  EXPECT_EQ(Figures().held, 1);

  EXPECT_EQ(Order("o1", "c1", {grant}).accepted, 1);
  EXPECT_EQ(Figures().used, 1);
  EXPECT_EQ(Figures().spent_minor, 100);
  EXPECT_EQ(Order("o1", "c1", {grant}).accepted, 0);
  EXPECT_EQ(Figures().used, 1) << "sent again, it is the same use";

  Order("r1", "c1", {grant}, REFUND);
  EXPECT_EQ(Figures().used, 0);
  EXPECT_EQ(Figures().left_minor, 1000);
}

TEST_F(OffersTest, OnlyWhoWasMadeItCanUseIt) {
  ShopOffer offer = FreeShipping();
  offer.__set_uses(5);
  Set(offer);
  const std::string grant = Ask(ContextOf("c1")).offers.at(0).grant_id;
  EXPECT_EQ(Order("o1", "c2", {grant}).accepted, 1) << "the order stands";
  EXPECT_EQ(Order("o2", "c1", {"free-shipping.1.64.0123456789abcdef"}).accepted, 1);
  EXPECT_EQ(Figures().used, 0);
  Order("r1", "c2", {grant}, REFUND);
  Order("o3", "c1", {grant});
  Order("r2", "c2", {grant}, REFUND);
  EXPECT_EQ(Figures().used, 1) << "nor can anybody else give it back";
}

TEST_F(OffersTest, AVisitorWhoLogsInUsesWhatTheyWereMade) {
  Set(FreeShipping());
  const std::string grant = Ask(ContextOf("", "v1")).offers.at(0).grant_id;
  TrackRequest request;
  request.context = ContextOf("c1", "v1");
  Event event = MakeEvent("o1", "c1", Clock::System().NowMs(), PURCHASE, ProductId(0, 1));
  event.__set_visitor_id("v1");
  event.__set_grants({grant});
  request.events = {event};
  TrackReply reply;
  storefront_->track(reply, request);
  EXPECT_EQ(reply.accepted, 1);
  EXPECT_EQ(Figures().used, 1);
}

TEST_F(OffersTest, NoCapIsExceededHoweverManyAskAtOnce) {
  ShopOffer offer = FreeShipping();
  offer.__set_uses(10);
  offer.__set_uses_per_customer(1);
  Set(offer);
  std::atomic<int> made = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 64; ++t) {
    threads.emplace_back([&, t] {
      // Eight threads ask for each customer.
      const std::string customer = absl::StrCat("c", t / 8);
      for (int i = 0; i < 3; ++i) {
        const OffersReply reply = Ask(ContextOf(customer));
        if (reply.offers.empty()) continue;
        ++made;
        Order(absl::StrCat("o-", t, "-", i), customer, {reply.offers[0].grant_id});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(made, 8);
  EXPECT_EQ(Figures().used, 8) << "once a customer";
  EXPECT_EQ(Figures().held, 0);
  for (int c = 100; c < 110; ++c) Ask(ContextOf(absl::StrCat("c", c)));
  EXPECT_EQ(Figures().held, 2) << "what was left";
  const OffersReply late = Ask(ContextOf("c200"), /*trace=*/true);
  EXPECT_THAT(late.offers, IsEmpty());
  ASSERT_THAT(late.trace, SizeIs(1));
  EXPECT_EQ(late.trace[0].refusal, "used_up");
}

TEST_F(OffersTest, WhatEndsWithACustomerIsForCustomers) {
  ShopOffer offer = FreeShipping();
  offer.__set_uses_per_customer(1);
  Set(offer);
  const OffersReply visitor = Ask(ContextOf("", "v1"), /*trace=*/true);
  EXPECT_THAT(visitor.offers, IsEmpty());
  EXPECT_EQ(visitor.trace.at(0).refusal, "used_up_by_customer");
  const OffersReply first = Ask(ContextOf("c1"));
  ASSERT_THAT(first.offers, SizeIs(1));
  Order("o1", "c1", {first.offers[0].grant_id});
  EXPECT_THAT(Ask(ContextOf("c1")).offers, IsEmpty());
}

// Else a cart that grows would use up what the customer may have once.
TEST_F(OffersTest, IsPromisedAnewAtAnotherCost) {
  ShopOffer offer = FreeShipping();
  offer.kind = DISCOUNT;
  offer.cost_minor = 0;
  offer.__set_percent(10);
  offer.__set_budget_minor(1000);
  offer.__set_uses_per_customer(1);
  Set(offer);
  OffersRequest request;
  request.context = ContextOf("c1");
  std::string last;
  for (const size_t pieces : {1, 2, 1, 3}) {
    request.page.__set_cart(std::vector<std::string>(pieces, ProductId(0, 1)));
    request.__isset.page = true;
    OffersReply reply;
    storefront_->offers(reply, request);
    ASSERT_THAT(reply.offers, SizeIs(1)) << pieces;
    EXPECT_NE(reply.offers[0].grant_id, last);
    last = reply.offers[0].grant_id;
    EXPECT_EQ(Figures().held, 1);
    EXPECT_EQ(Figures().held_minor, static_cast<int64_t>(100 * pieces));
  }
  Order("o1", "c1", {last});
  EXPECT_EQ(Figures().spent_minor, 300);
}

TEST_F(OffersTest, StandsAfterARestart) {
  ShopOffer offer = FreeShipping();
  offer.__set_uses_per_customer(1);
  Set(offer);
  const std::string grant = Ask(ContextOf("c1")).offers.at(0).grant_id;
  Reopen();
  EXPECT_EQ(Ask(ContextOf("c1")).offers.at(0).grant_id, grant);
  Order("o1", "c1", {grant});
  Reopen();
  EXPECT_EQ(Figures().used, 1);
  EXPECT_THAT(Ask(ContextOf("c1")).offers, IsEmpty());
}

TEST_F(OffersTest, SomeAreMadeNoneAlwaysTheSame) {
  Set(FreeShipping(), /*control=*/0.5);
  int none = 0;
  for (int c = 0; c < 200; ++c) {
    const Context context = ContextOf(absl::StrCat("c", c));
    const bool is_made = !Ask(context).offers.empty();
    none += is_made ? 0 : 1;
    EXPECT_EQ(!Ask(context).offers.empty(), is_made) << c;
  }
  EXPECT_GT(none, 70);
  EXPECT_LT(none, 130);
  OfferReport report;
  backoffice_->offer_report(report, "shop");
  EXPECT_EQ(report.control, none);
  EXPECT_EQ(report.offers.at(0).made, 200 - none);
}

TEST_F(OffersTest, KeepsWhatWasMadeButNotOfWhoMinds) {
  Set(FreeShipping());
  const OffersReply reply = Ask(ContextOf("c1"));
  const Exposure kept = Value(Shop()->house().GetExposure(reply.recommendation_id));
  EXPECT_EQ(kept.placement, kOffersPlacement);
  EXPECT_EQ(kept.customer_id, "c1");
  ASSERT_THAT(kept.offers, SizeIs(1));
  EXPECT_EQ(kept.offers[0].grant_id, reply.offers.at(0).grant_id);

  Context minds = ContextOf("c1");
  minds.personalize = false;
  const OffersReply unknown = Ask(minds);
  ASSERT_THAT(unknown.offers, SizeIs(1));
  EXPECT_FALSE(Shop()->house().GetExposure(unknown.recommendation_id).ok());
}

TEST_F(OffersTest, AreMadeWithAPage) {
  Train();
  Set(FreeShipping());
  PageRequest request;
  request.context = ContextOf("c1");
  request.context.language = "fa";
  request.shelves.resize(1);
  request.shelves[0].placement = "home";
  request.offers = 2;
  PageReply reply;
  storefront_->page(reply, request);
  ASSERT_THAT(reply.offers, SizeIs(1));
  EXPECT_EQ(reply.offers[0].title, "ارسال رایگان");
  EXPECT_OK(Shop()->house().GetExposure(reply.offers_id).status());
  EXPECT_OK(Shop()->house().GetExposure(reply.shelves.at(0).recommendation_id).status());
  request.offers = 0;
  storefront_->page(reply, request);
  EXPECT_THAT(reply.offers, IsEmpty());
}

TEST_F(OffersTest, PointsAreEarnedSpentAndTakenBack) {
  OfferSet set;
  PointsPlan plan;
  plan.per_hundred = 2;
  plan.currency = "GBP";
  set.__set_points(plan);
  Set(set);
  Order("o1", "c1", {});
  EXPECT_EQ(Points("c1"), 40) << "2 points for each of 20 pounds";
  Order("o1", "c1", {});
  EXPECT_EQ(Points("c1"), 40) << "sent again, it is the same order";
  CustomerLedger ledger;
  backoffice_->spend_points(ledger, "shop", "c1", 15, "payment-1");
  backoffice_->spend_points(ledger, "shop", "c1", 15, "payment-1");
  EXPECT_EQ(Points("c1"), 25);
  EXPECT_THROW(backoffice_->spend_points(ledger, "shop", "c1", 26, "payment-2"), InvalidRequest);
  Order("r1", "c1", {}, REFUND);
  EXPECT_EQ(Points("c1"), 0) << "as many of the 40 as there were";
}

TEST_F(OffersTest, RefusesWhatMakesNoSense) {
  OfferSet set;
  set.offers = {FreeShipping(), FreeShipping()};
  OfferSetVersion version;
  try {
    backoffice_->set_offers(version, "shop", set, 0, "op", "");
    FAIL() << "two offers of one id";
  } catch (const InvalidRequest& e) {
    EXPECT_EQ(e.message, "offers[1].id: another offer has it");
  }
  Set(FreeShipping());
  set.offers.resize(1);
  EXPECT_THROW(backoffice_->set_offers(version, "shop", set, 0, "op", ""), InvalidRequest)
      << "of a version that is not the newest";
  OffersRequest request;
  request.context = ContextOf("c1");
  request.k = 0;
  OffersReply reply;
  EXPECT_THROW(storefront_->offers(reply, request), InvalidRequest);
}

}  // namespace
}  // namespace vitrine::testing
