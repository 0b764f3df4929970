// Contact policies, preferences and triggers as people write them, and the sites of examples/ that
// are no shops.

#include <fstream>
#include <memory>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "api/cli/outreach_json.h"
#include "ingest/batch_sink.h"
#include "ingest/importer.h"
#include "ingest/mapping.h"
#include "ingest/sessionizer.h"
#include "recommender/offers/validate.h"
#include "recommender/outreach/judge.h"
#include "recommender/outreach/trigger_engine.h"
#include "recommender/outreach/triggers.h"
#include "store/offer_book.h"
#include "tests/testing/process.h"
#include "tests/testing/testing.h"

namespace vitrine::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vitrine::testing::FileText;
using vitrine::testing::TempDir;
using vitrine::testing::Value;

TEST(OutreachJson, WhatIsWrittenIsReadAgain) {
  ContactPolicyVersion version;
  version.version = 3;
  version.content = Value(PolicyFromJson(FileText("examples/bank/policy.json"))).content;
  version.content.caps[0].__set_channel(SMS);
  version.content.quiet_hours[1].below_priority = 5;
  const Document<ContactPolicy> read = Value(PolicyFromJson(PolicyToJson(version)));
  EXPECT_EQ(read.version, 3);
  EXPECT_EQ(read.content, version.content);
  EXPECT_EQ(read.content.quiet_hours[0].from_minute, 18 * 60);
  EXPECT_THAT(read.content.quiet_hours[1].days, ElementsAre(6, 7));

  TriggerSetVersion triggers;
  triggers.content = Value(TriggersFromJson(FileText("examples/bank/triggers.json"))).content;
  EXPECT_EQ(Value(TriggersFromJson(TriggersToJson(triggers))).content, triggers.content);

  ContactPreference preference;
  preference.customer_id = "ann";
  preference.channels = {SMS, EMAIL};
  preference.__set_time_zone("Asia/Kathmandu");
  preference.pauses.emplace_back().__set_to_ms(1'700'000'000'000);
  DoNotContact& stop = preference.do_not_contact.emplace_back();
  stop.reason = BY_STAFF;
  stop.time_ms = 1'700'000'000'000;
  stop.__set_note("complaint 4711");
  EXPECT_EQ(Value(PreferenceFromJson(PreferenceToJson(preference))).content, preference);
}

TEST(OutreachJson, AMistakeIsNamedWithItsPlace) {
  const auto fault = [](const std::string& json) {
    const auto read = PolicyFromJson(json);
    const absl::Status status = read.ok() ? ValidateContactPolicy(read->content) : read.status();
    return std::string(status.message());
  };
  EXPECT_THAT(fault(R"({"caps":[{"period":"fortnight","most":1}]})"),
              HasSubstr("caps[0].period: 'fortnight' is none of rolling, day, week, month"));
  EXPECT_THAT(fault(R"({"quiet":[]})"), HasSubstr("quiet: is not known"));
  EXPECT_THAT(fault(R"({"quiet_hours":[{"from":"9 o'clock","to":"10:00"}]})"),
              HasSubstr("quiet_hours[0].from_minute"));
  EXPECT_THAT(fault(R"({"quiet_hours":[{"from":"22:00","to":"24:30"}]})"),
              HasSubstr("quiet_hours[0].to_minute"));
}

TEST(OutreachJson, TimesAreShownByTheirClock) {
  EXPECT_EQ(LocalTimeText(1'700'000'000'000, "Asia/Kathmandu"),
            "2023-11-15T03:58:20+05:45 (Asia/Kathmandu)");
  EXPECT_EQ(LocalTimeText(1'700'000'000'000, "Nowhere/Never"), "2023-11-14T22:13:20+00:00 (UTC)");
}

// One of the sites, as its README sets it up.
class ExampleSite : public ::testing::TestWithParam<std::string> {
 protected:
  std::string Path(const std::string& file) const { return "examples/" + GetParam() + "/" + file; }
  void Import(const std::string& file, const std::string& mapping) {
    StoreSink sink(house_.get());
    const Mapping read = Value(ParseMapping(FileText(Path(mapping)), mapping));
    const ImportSummary done = Value(ImportFile(Path(file), read, &sink, {}));
    EXPECT_THAT(done.first_rejects, ::testing::IsEmpty()) << file;
    EXPECT_GT(done.after.lines, 1);
  }

  TempDir dir_;
  SimClock clock_{absl::ToUnixMillis(
      absl::FromCivil(absl::CivilHour(2026, 12, 1, 10), absl::UTCTimeZone()))};  // a Tuesday
  std::unique_ptr<WebHouse> house_ =
      Value(WebHouse::Open({.directory = dir_.File("db"), .clock = &clock_}));
};

TEST_P(ExampleSite, SaysWhatItsReadmeSays) {
  const std::string catalogue = GetParam() == "bank"      ? "products.csv"
                                : GetParam() == "insurer" ? "policies.csv"
                                                          : "topics.csv";
  Import(catalogue, "catalogue.toml");
  Import("events.jsonl", "events.toml");
  ASSERT_OK(DeriveAll(house_.get(), nullptr));
  OfferBook book(house_.get());
  const ContactPolicy policy = Value(PolicyFromJson(FileText(Path("policy.json")))).content;
  ASSERT_OK(ValidateContactPolicy(policy));
  ASSERT_OK(book.SetPolicy(policy, 0, "test", "").status());
  const TriggerSet triggers = Value(TriggersFromJson(FileText(Path("triggers.json")))).content;
  ASSERT_OK(ValidateTriggers(triggers));
  ASSERT_OK(book.SetTriggers(triggers, 0, "test", "").status());

  const auto engine = Value(TriggerEngine::Open(house_.get(), dir_.File("outreach"), &clock_));
  Value(engine->Run());
  std::set<std::string> said;  // "who channel trigger"
  std::ifstream outbox(dir_.File("outreach/outbox.jsonl"));
  for (std::string line; std::getline(outbox, line);) {
    const auto json = nlohmann::json::parse(line);
    said.insert(absl::StrCat(json["customer_id"].get<std::string>(), " ",
                             json["channel"].get<std::string>(), " ",
                             json["campaign"].get<std::string>()));
  }
  EXPECT_THAT(said, ElementsAre(GetParam() == "bank"      ? "b-1 email trigger:application"
                                : GetParam() == "insurer" ? "i-1 direct_mail trigger:renewal"
                                                          : "s-1 sms trigger:next-month"));
}

INSTANTIATE_TEST_SUITE_P(Sites, ExampleSite, ::testing::Values("bank", "insurer", "sms_service"));

}  // namespace
}  // namespace vitrine::cli
