#include "recommender/offers/validate.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::StartsWith;

std::string Error(const absl::Status& status) {
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status));
  return std::string(status.message());
}

TEST(ValidateContactPolicy, NamesTheFirstMistake) {
  ContactPolicy policy;
  EXPECT_EQ(Error(ValidateContactPolicy(policy)), "");
  policy.caps.emplace_back().period = CAP_DAY;
  // A default of 0 that holds everything back is another's bug (#10416 of Mautic).
  EXPECT_EQ(Error(ValidateContactPolicy(policy)), "caps[0].most: 0 is not between 1 and 10000");
  policy.caps[0].most = 1;
  EXPECT_EQ(Error(ValidateContactPolicy(policy)), "");
  policy.caps[0].period = CAP_ROLLING;
  EXPECT_THAT(Error(ValidateContactPolicy(policy)), StartsWith("caps[0].hours: "));
  policy.caps[0].hours = 24;
  policy.caps[0].__set_channel(static_cast<Channel>(99));
  EXPECT_THAT(Error(ValidateContactPolicy(policy)), StartsWith("caps[0].channel: "));
  policy.caps.clear();
  policy.time_zone = "Mars/Phobos";
  EXPECT_THAT(Error(ValidateContactPolicy(policy)), StartsWith("time_zone: "));
  policy.time_zone = "Asia/Tehran";
  policy.first_weekday = 0;
  EXPECT_THAT(Error(ValidateContactPolicy(policy)), StartsWith("first_weekday: "));
  policy.first_weekday = 6;
  HoursWindow& window = policy.quiet_hours.emplace_back();
  window.from_minute = window.to_minute = 60;
  EXPECT_THAT(Error(ValidateContactPolicy(policy)), StartsWith("quiet_hours[0].to_minute: "));
  window.to_minute = 30;
  window.days = {1, 1};
  EXPECT_THAT(Error(ValidateContactPolicy(policy)), StartsWith("quiet_hours[0].days: "));
  window.days = {7, 1};
  EXPECT_EQ(Error(ValidateContactPolicy(policy)), "");
  policy.purposes.emplace_back();
  EXPECT_THAT(Error(ValidateContactPolicy(policy)), StartsWith("purposes[0].purpose: "));
}

TEST(ValidateContactPreference, NamesTheFirstMistake) {
  ContactPreference wish;
  EXPECT_THAT(Error(ValidateContactPreference(wish)), StartsWith("customer_id: "));
  wish.customer_id = "ann";
  wish.__set_time_zone("Atlantis/Poseidonis");  // counts as absent
  EXPECT_EQ(Error(ValidateContactPreference(wish)), "");
  ContactPause& pause = wish.pauses.emplace_back();
  pause.__set_from_ms(5);
  pause.__set_to_ms(5);
  EXPECT_THAT(Error(ValidateContactPreference(wish)), StartsWith("pauses[0].to_ms: "));
  pause.__set_to_ms(6);
  wish.do_not_contact.emplace_back().reason = static_cast<DoNotContactReason>(0);
  EXPECT_THAT(Error(ValidateContactPreference(wish)), StartsWith("do_not_contact[0].reason: "));
  wish.do_not_contact.resize(33);
  EXPECT_THAT(Error(ValidateContactPreference(wish)), StartsWith("do_not_contact: has 33 entries"));
}

TEST(ValidateOffer, NamesTheFirstMistake) {
  ShopOffer offer;
  EXPECT_THAT(Error(ValidateOffer(offer)), StartsWith("id: "));
  offer.id = "spring";
  offer.kind = DISCOUNT;
  offer.currency = "EUR";
  EXPECT_THAT(Error(ValidateOffer(offer)), StartsWith("percent: or amount_minor"));
  offer.__set_percent(0);
  EXPECT_THAT(Error(ValidateOffer(offer)), StartsWith("percent: "));
  offer.__set_percent(100);
  EXPECT_EQ(Error(ValidateOffer(offer)), "");
  offer.__set_amount_minor(5);
  EXPECT_THAT(Error(ValidateOffer(offer)), StartsWith("percent: or amount_minor"));
  offer.__isset.amount_minor = false;
  offer.__set_margin_floor(1.5);
  EXPECT_THAT(Error(ValidateOffer(offer)), StartsWith("margin_floor: "));
  offer.__isset.margin_floor = false;
  offer.eligibility.__set_cart_min_minor(5);
  offer.eligibility.__set_cart_max_minor(4);
  EXPECT_THAT(Error(ValidateOffer(offer)), StartsWith("eligibility.cart_min_minor: "));
  offer.eligibility = OfferEligibility();
  offer.titles = {{"en", ""}};
  EXPECT_THAT(Error(ValidateOffer(offer)), StartsWith("titles[en]: "));
  offer.titles = {{"en", "Spring"}, {"fa", "بهار"}};
  offer.kind = BUNDLE;
  EXPECT_THAT(Error(ValidateOffer(offer)), StartsWith("amount_minor: "));
  offer.__set_amount_minor(5);
  EXPECT_THAT(Error(ValidateOffer(offer)), StartsWith("products: "));
}

}  // namespace
}  // namespace vitrine
