#include "ingest/visit/origin.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::MakeEvent;

TEST(HostOf, IsThatOfAbsoluteUrlsOnly) {
  EXPECT_EQ(HostOf("https://Shop.example/a?b#c"), "Shop.example");
  EXPECT_EQ(HostOf("http://user:word@shop.example:8080"), "shop.example");
  EXPECT_EQ(HostOf("//shop.example/a"), "shop.example");
  EXPECT_EQ(HostOf("https://[2001:db8::1]:80/a"), "[2001:db8::1]");
  EXPECT_EQ(HostOf("android-app://com.google.android.gm/"), "com.google.android.gm");
  EXPECT_EQ(HostOf("https://shop.example?next=/a@b"), "shop.example");
  EXPECT_EQ(HostOf("/p?next=https://other.example/"), "");
  EXPECT_EQ(HostOf("/p/1"), "");
  EXPECT_EQ(HostOf("://x"), "");
  EXPECT_EQ(HostOf(""), "");
}

TEST(CampaignOf, NamesTheCampaignThenTheSourceThenTheAdvertiser) {
  EXPECT_EQ(CampaignOf("/?utm_source=news&utm_campaign=May%20sale"), "May sale");
  EXPECT_EQ(CampaignOf("/?a=1&utm_source=news+letter&gclid=x#top"), "news letter");
  EXPECT_EQ(CampaignOf("https://s.example/p?gclid=Cj0K"), "gclid");
  EXPECT_EQ(CampaignOf("/?fbclid=IwAR"), "fbclid");
  EXPECT_EQ(CampaignOf("/?utm_campaign=%D9%86%D9%88"), "\xD9\x86\xD9\x88");
  EXPECT_EQ(CampaignOf("/?utm_campaign="), "");
  EXPECT_EQ(CampaignOf("/?q=utm_campaign"), "");
  EXPECT_EQ(CampaignOf("/p#?utm_campaign=a"), "a");  // a page that routes behind '#'
  EXPECT_EQ(CampaignOf("/?x=1#utm_campaign=a"), "");
  EXPECT_EQ(CampaignOf("/"), "");
}

TEST(CampaignOf, WhatIsNoTextIsNoCampaign) {
  EXPECT_EQ(CampaignOf("/?utm_campaign=%ff%fe"), "");
  EXPECT_EQ(CampaignOf("/?utm_campaign=a%00b"), "");
  EXPECT_EQ(CampaignOf("/?utm_campaign=a%0Ab&utm_source=s"), "s");
  EXPECT_EQ(CampaignOf("/?utm_campaign=100%"), "100%");
  EXPECT_EQ(CampaignOf("/?utm_campaign=" + std::string(5'000, 'a')).size(), 256u);
}

Origin From(const std::string& referrer, const std::string& url = "/",
            const std::vector<std::string>& hosts = {"shop.example"}) {
  Event event = MakeEvent("1", "v:x", 1, EventKind::PAGE_VIEW);
  event.__set_url(url);
  event.__set_referrer(referrer);
  return OriginOf(event, hosts);
}

TEST(Origin, KnowsTheEnginesTheNetworksAndTheMailOfTheWeb) {
  const std::pair<const char*, ReferrerClass> cases[] = {
      {"", ReferrerClass::DIRECT},
      {"-", ReferrerClass::DIRECT},
      {"https://www.google.com/", ReferrerClass::SEARCH_ENGINE},
      {"http://www.google.co.uk/url?q=a", ReferrerClass::SEARCH_ENGINE},
      {"https://www.google.de", ReferrerClass::SEARCH_ENGINE},
      {"https://WWW.GOOGLE.COM.BR/", ReferrerClass::SEARCH_ENGINE},
      {"https://www.bing.com/search?q=a", ReferrerClass::SEARCH_ENGINE},
      {"https://yandex.ru/", ReferrerClass::SEARCH_ENGINE},
      {"https://r.search.yahoo.com/x", ReferrerClass::SEARCH_ENGINE},
      {"https://duckduckgo.com/", ReferrerClass::SEARCH_ENGINE},
      {"android-app://com.google.android.googlequicksearchbox/", ReferrerClass::SEARCH_ENGINE},
      {"https://mail.google.com/mail/u/0/", ReferrerClass::MAIL},
      {"https://mail.yahoo.com/", ReferrerClass::MAIL},
      {"https://l.facebook.com/l.php", ReferrerClass::SOCIAL},
      {"https://t.co/abc", ReferrerClass::SOCIAL},
      {"https://www.pinterest.co.uk/pin/1", ReferrerClass::SOCIAL},
      {"https://docs.google.com/document", ReferrerClass::REFERRAL},
      {"https://blog.example/", ReferrerClass::REFERRAL},
      {"https://notgoogle.com/", ReferrerClass::REFERRAL},
      {"https://google.evil-host.example.com/", ReferrerClass::REFERRAL},
      {"https://not.co/", ReferrerClass::REFERRAL},
  };
  for (const auto& [referrer, kind] : cases) {
    EXPECT_EQ(From(referrer).referrer_class, kind) << referrer;
  }
  EXPECT_EQ(From("https://blog.example/").referrer, "https://blog.example/");
}

TEST(Origin, TheShopsOwnPagesAreNoWayIn) {
  for (const char* const own : {"https://shop.example/a", "https://www.SHOP.example/a"}) {
    EXPECT_EQ(From(own).referrer, "");
    EXPECT_EQ(From(own).referrer_class, ReferrerClass::DIRECT);
  }
  EXPECT_EQ(From("https://myshop.example/").referrer_class, ReferrerClass::REFERRAL);
  EXPECT_EQ(From("https://other.example/a", "https://Other.example/b", {}).referrer, "");
  EXPECT_EQ(From("https://other.example/a", "/b", {}).referrer_class, ReferrerClass::REFERRAL);
}

TEST(Origin, ACampaignCountsBeforeTheReferrer) {
  const Origin origin = From("https://www.google.com/", "/?gclid=1");
  EXPECT_EQ(origin.referrer_class, ReferrerClass::CAMPAIGN);
  EXPECT_EQ(origin.campaign, "gclid");
  EXPECT_EQ(origin.referrer, "https://www.google.com/");
}

}  // namespace
}  // namespace vitrine
