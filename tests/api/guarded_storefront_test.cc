// A storefront in a hurry: what it leaves out, and what it says.

#include "api/admission/guarded_storefront.h"

#include <string>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>

#include "api/admission/storefront_admission.h"
#include "api/server/admission.h"
#include "tests/api/service_testing.h"

namespace vitrine {
namespace {

class GuardedStorefrontTest : public testing::ServiceTest {
 protected:
  GuardedStorefrontTest()
      : gatekeeper_(sites_.get(), {}), guarded_(storefront_.get(), &gatekeeper_, &clock_) {
    Train();
    clock_.Advance(60'000);
  }

  // The answer to somebody who had waited for so long.
  RecommendReply After(int64_t waited_ms, const std::string& customer = "c1") {
    const RequestArrival arrival(clock_.SteadyNs() - waited_ms * 1'000'000);
    RecommendRequest request;
    request.context = ContextOf(customer);
    request.context.deadline_ms = 1000;
    request.k = 5;
    RecommendReply reply;
    guarded_.recommend(reply, request);
    return reply;
  }

  Gatekeeper gatekeeper_;
  GuardedStorefront guarded_;
};

TEST_F(GuardedStorefrontTest, InAHurryTheListIsAStrangersAndSaysSoAndAMomentLaterItIsOnesOwn) {
  EXPECT_FALSE(After(200).degraded);
  EXPECT_GT(After(200).history_events, 0);
  const RecommendReply hurried = After(300);
  EXPECT_TRUE(hurried.degraded);
  EXPECT_EQ(hurried.history_events, 0);
  EXPECT_EQ(hurried.suggestions.size(), 5u);
  // So is whoever comes right behind, and comes from where nobody measures waiting.
  EXPECT_TRUE(After(0).degraded);
  clock_.Advance(21);
  EXPECT_FALSE(After(0).degraded);
}

TEST_F(GuardedStorefrontTest, WhatWasShownInAHurryIsKeptAsSuch) {
  const auto shown = [&](const RecommendReply& reply) {
    return testing::Value(Shop()->house().GetExposure(reply.recommendation_id));
  };
  EXPECT_FALSE(shown(After(0)).degraded);
  const Exposure hurried = shown(After(300));
  EXPECT_TRUE(hurried.degraded);
  EXPECT_FALSE(hurried.__isset.customer_id) << "it was not made for them";
  EXPECT_EQ(guarded_.degraded(), 1);
  clock_.Advance(21);
  EXPECT_FALSE(shown(After(0)).degraded);
}

TEST_F(GuardedStorefrontTest, WhoseTimeIsGoneIsNotAnswered) {
  EXPECT_THROW(After(1000), Overloaded);
  EXPECT_FALSE(After(0).degraded) << "one that came too late says nothing about the next one";
}

TEST_F(GuardedStorefrontTest, PagesDegradeAsAWhole) {
  const RequestArrival arrival(clock_.SteadyNs() - 600'000'000);
  PageRequest request;
  request.context = ContextOf("c1");
  request.context.deadline_ms = 1000;
  request.shelves.emplace_back().placement = "home";
  PageReply reply;
  guarded_.page(reply, request);
  EXPECT_TRUE(reply.degraded);
  EXPECT_EQ(reply.history_events, 0);
}

std::optional<Admission::Request> RequestOf(const std::string& method, int32_t deadline_ms) {
  Storefront_page_args arguments;  // as all of them begin
  arguments.request.context.site = "shop";
  arguments.request.context.__set_request_id("r");
  arguments.request.context.deadline_ms = deadline_ms;
  apache::thrift::protocol::TBinaryProtocol wire(
      std::make_shared<apache::thrift::transport::TMemoryBuffer>());
  arguments.write(&wire);
  return StorefrontAdmission().RequestOf(method, wire);
}

TEST(StorefrontAdmission, KnowsTheDeadlineOfWhatWaitsAndLetsTheRestThrough) {
  EXPECT_EQ(RequestOf("recommend", 70)->deadline_ms, 70);
  EXPECT_EQ(RequestOf("similar", 70)->deadline_ms, 70);
  EXPECT_NE(RequestOf("page", 70)->kind, RequestOf("recommend", 70)->kind);
  EXPECT_FALSE(RequestOf("ping", 70).has_value());
  EXPECT_FALSE(RequestOf("track", 70).has_value());
  EXPECT_FALSE(RequestOf("recommend", 0).has_value());
  EXPECT_FALSE(RequestOf("recommend", 10'001).has_value());
}

TEST(StorefrontAdmission, ARefusalIsOneOfEveryMethod) {
  apache::thrift::protocol::TBinaryProtocol wire(
      std::make_shared<apache::thrift::transport::TMemoryBuffer>());
  const auto read = [&](auto result) {
    StorefrontAdmission().WriteRefusal(wire, 30);
    result.read(&wire);
    return result.__isset.overloaded ? result.overloaded.retry_after_ms : 0;
  };
  EXPECT_EQ(read(Storefront_recommend_result()), 30);
  EXPECT_EQ(read(Storefront_page_result()), 30);
  EXPECT_EQ(read(Storefront_similar_result()), 30);
}

}  // namespace
}  // namespace vitrine
