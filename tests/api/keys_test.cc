// API keys: who gets in, how often, until when; and that nothing tells a stranger what there is.

#include <filesystem>
#include <memory>
#include <string>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <vector>

#include "api/admission/guarded_storefront.h"
#include "api/auth/gatekeeper.h"
#include "api/auth/guarded_backoffice.h"
#include "api/auth/key_ring.h"
#include "api/client/client.h"
#include "api/server/server.h"
#include "api/service/backoffice.h"
#include "api/service/site.h"
#include "api/service/storefront.h"
#include "api/service/track_method.h"
#include "store/base/clock.h"
#include "store/web_house.h"
#include "tests/testing/process.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeEvent;
using testing::TempDir;
using testing::Value;

constexpr int64_t kNow = 1'780'000'000'000;
constexpr char kLocal[] = "the local key";

class KeyRingTest : public ::testing::Test {
 protected:
  KeyRingTest() : clock_(kNow) { Reopen(); }

  void Reopen() {
    keys_.reset();
    house_.reset();
    house_ = Value(WebHouse::Open({.directory = dir_.File("db"), .clock = &clock_}));
    keys_ = Value(KeyRing::Open(house_.get(), &clock_));
  }
  absl::StatusCode CodeOf(const std::string& key, Opens wanted = Opens::kStorefront) {
    return keys_->Check(key, wanted).code();
  }

  const TempDir dir_;
  SimClock clock_;
  std::unique_ptr<WebHouse> house_;
  std::unique_ptr<KeyRing> keys_;
};

TEST_F(KeyRingTest, AKeyOpensFromItsMakingUntilItIsRevokedAndOverARestart) {
  const KeyRing::Made made = Value(keys_->Create({.comment = "web shop"}));
  EXPECT_OK(keys_->Check(made.secret, Opens::kStorefront));
  Reopen();
  EXPECT_OK(keys_->Check(made.secret, Opens::kStorefront));
  EXPECT_EQ(keys_->List().at(0).comment, "web shop");
  EXPECT_OK(keys_->Revoke(made.key.id));
  EXPECT_EQ(CodeOf(made.secret), absl::StatusCode::kUnauthenticated);
  Reopen();
  EXPECT_TRUE(keys_->empty());
  EXPECT_EQ(keys_->Revoke(made.key.id).code(), absl::StatusCode::kNotFound);
}

TEST_F(KeyRingTest, ARoleOpensWhatItSays) {
  const std::string front = Value(keys_->Create({.role = Role::STOREFRONT})).secret;
  const std::string back = Value(keys_->Create({.role = Role::BACKOFFICE})).secret;
  const std::string read = Value(keys_->Create({.role = Role::READ_ONLY})).secret;
  const auto opens = [&](const std::string& key) {
    std::vector<bool> all;
    for (const Opens wanted : {Opens::kStorefront, Opens::kBackofficeRead, Opens::kBackoffice}) {
      all.push_back(keys_->Check(key, wanted).ok());
    }
    return all;
  };
  EXPECT_THAT(opens(front), ElementsAre(true, false, false));
  EXPECT_THAT(opens(back), ElementsAre(true, true, true));
  EXPECT_THAT(opens(read), ElementsAre(false, true, false));
}

TEST_F(KeyRingTest, WhateverIsWrongWithAKeyTheAnswerIsTheSame) {
  const KeyRing::Made made = Value(keys_->Create({.role = Role::READ_ONLY}));
  const KeyRing::Made ended = Value(keys_->Create({.expires_ms = kNow + 1000}));
  clock_.Advance(1000);
  std::string last_letter = made.secret;
  last_letter.back() = last_letter.back() == 'A' ? 'B' : 'A';
  const std::string wrong[] = {made.secret,  // another role
                               ended.secret,
                               last_letter,
                               made.secret + "A",
                               made.secret.substr(0, made.secret.size() - 1),
                               "vk_",
                               "vk_" + made.key.id,
                               "x",
                               std::string(100'000, 'k'),
                               std::string("vk_\0\xff", 5),
                               made.key.digest};
  for (const std::string& key : wrong) {
    EXPECT_EQ(keys_->Check(key, Opens::kStorefront), absl::UnauthenticatedError(kKeyOpensNothing));
  }
}

TEST_F(KeyRingTest, AKeyEndsWhenItsTimeIsUp) {
  const std::string key = Value(keys_->Create({.expires_ms = kNow + 1000})).secret;
  clock_.Advance(999);
  EXPECT_EQ(CodeOf(key), absl::StatusCode::kOk);
  clock_.Advance(1);
  EXPECT_EQ(CodeOf(key), absl::StatusCode::kUnauthenticated);
  EXPECT_FALSE(keys_->empty()) << "the site shall not be open because its key has ended";
}

TEST_F(KeyRingTest, AQuotaIsOfASecondAndSaysWhenToTryAgain) {
  const std::string key = Value(keys_->Create({.per_second = 10})).secret;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(CodeOf(key), absl::StatusCode::kOk) << i;
  EXPECT_EQ(CodeOf(key), absl::StatusCode::kResourceExhausted);
  // That another key is made gives this one nothing back.
  const std::string other = Value(keys_->Create({})).secret;
  EXPECT_EQ(CodeOf(key), absl::StatusCode::kResourceExhausted);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(CodeOf(other), absl::StatusCode::kOk);
  clock_.Advance(100);
  EXPECT_EQ(CodeOf(key), absl::StatusCode::kOk);
  EXPECT_EQ(CodeOf(key), absl::StatusCode::kResourceExhausted);
  clock_.Advance(3'600'000);  // an hour of silence saves up no more than a second
  int taken = 0;
  while (CodeOf(key) == absl::StatusCode::kOk) ++taken;
  EXPECT_EQ(taken, 10);
}

TEST_F(KeyRingTest, AWishThatMakesNoSenseIsRefused) {
  const KeyRing::Wish wrong[] = {{.role = static_cast<Role>(9)},
                                 {.comment = std::string(257, 'c')},
                                 {.comment = "\xff"},
                                 {.per_second = -1},
                                 {.expires_ms = kNow}};
  for (const KeyRing::Wish& wish : wrong) {
    EXPECT_EQ(keys_->Create(wish).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(KeyRingTest, NoFileHoldsAKey) {
  const KeyRing::Made made = Value(keys_->Create({}));
  ASSERT_OK(house_->Sync());
  const std::string secret = made.secret.substr(made.secret.rfind('_') + 1);
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_.path())) {
    if (!entry.is_regular_file()) continue;
    ++files;
    EXPECT_EQ(testing::FileText(entry.path()).find(secret), std::string::npos) << entry.path();
  }
  EXPECT_GT(files, 0);
}

// Two sites behind the guards, without a socket.
class GuardTest : public ::testing::Test {
 protected:
  GuardTest() : clock_(kNow) {
    for (const std::string name : {"one", "two"}) {
      Value(WebHouse::Open({.directory = dir_.File(name + "/db")}));
    }
    sites_ = Value(Sites::OpenAll(dir_.path()));
    storefront_ = std::make_unique<Storefront>(sites_.get(), &clock_);
    backoffice_ = std::make_unique<Backoffice>(sites_.get(), &clock_);
    Guard(/*keys_required=*/false);
  }

  void Guard(bool keys_required) {
    gatekeeper_ = std::make_unique<Gatekeeper>(
        sites_.get(), Gatekeeper::Options{.keys_required = keys_required, .local_key = kLocal});
    guarded_ = std::make_unique<GuardedStorefront>(storefront_.get(), gatekeeper_.get());
  }

  KeyRing& KeysOf(const std::string& site) { return Value(sites_->Find(site))->keys(); }
  std::string KeyOf(const std::string& site, Role role = Role::STOREFRONT) {
    return Value(KeysOf(site).Create({.role = role})).secret;
  }

  static TrackRequest TrackOf(const std::string& site, const std::string& key) {
    TrackRequest request;
    request.context.site = site;
    request.context.deadline_ms = 10'000;
    if (!key.empty()) request.context.__set_api_key(key);
    request.events.push_back(MakeEvent("e", "ann", kNow, EventKind::VIEW_ITEM, "p1"));
    return request;
  }
  absl::Status Track(const std::string& site, const std::string& key) {
    TrackReply reply;
    return CatchThrift([&] { guarded_->track(reply, TrackOf(site, key)); });
  }
  // Through the queue of the Thrift server.
  absl::Status TrackQueued(const std::string& site, const std::string& key) {
    TrackMethod method(storefront_.get(), gatekeeper_.get());
    Storefront_track_args arguments;
    arguments.request = TrackOf(site, key);
    apache::thrift::protocol::TBinaryProtocol wire(
        std::make_shared<apache::thrift::transport::TMemoryBuffer>());
    arguments.write(&wire);
    const auto call = method.NewCall(clock_.SteadyNs());
    call->ReadArguments(wire);
    QueuedMethod::Call* const turn[] = {call.get()};
    method.Run(turn);
    call->WriteResult(wire);
    Storefront_track_result result;
    result.read(&wire);
    if (result.__isset.unauthorized) return absl::PermissionDeniedError("");
    return result.__isset.success ? absl::OkStatus() : absl::UnknownError("");
  }

  const TempDir dir_;
  SimClock clock_;
  std::unique_ptr<Sites> sites_;
  std::unique_ptr<Storefront> storefront_;
  std::unique_ptr<Backoffice> backoffice_;
  std::unique_ptr<Gatekeeper> gatekeeper_;
  std::unique_ptr<GuardedStorefront> guarded_;
};

TEST_F(GuardTest, ASiteIsOpenUntilItHasAKeyAndThenToItsBearersOnly) {
  EXPECT_OK(Track("one", ""));
  const std::string key = KeyOf("one");
  const std::string others = KeyOf("two");
  for (const bool queued : {false, true}) {
    const auto track = [&](const std::string& shown) {
      return queued ? TrackQueued("one", shown) : Track("one", shown);
    };
    EXPECT_OK(track(key));
    EXPECT_OK(track(kLocal));
    for (const std::string& wrong : {std::string(), others, std::string("the local ke")}) {
      EXPECT_TRUE(absl::IsPermissionDenied(track(wrong))) << queued << " " << wrong;
    }
  }
}

TEST_F(GuardTest, AKeyOfOneSiteOpensNoOtherOneEvenWhereThatHasNone) {
  const std::string key = KeyOf("one");
  EXPECT_OK(Track("two", ""));
  EXPECT_TRUE(absl::IsPermissionDenied(Track("two", key)));
}

TEST_F(GuardTest, WhereKeysAreWantedASiteWithoutOneIsClosedAndNobodyLearnsWhichThereAre) {
  Guard(/*keys_required=*/true);
  const absl::Status there = Track("one", "");
  EXPECT_TRUE(absl::IsPermissionDenied(there));
  EXPECT_EQ(there, Track("no such site", ""));
  EXPECT_EQ(Track("one", "vk_0"), Track("no such site", "vk_0"));
  Pong pong;
  guarded_->ping(pong);
  EXPECT_THAT(pong.sites, IsEmpty());
}

TEST_F(GuardTest, ABackofficeConnectionDoesWhatItsKeyOpens) {
  const std::string back = KeyOf("one", Role::BACKOFFICE);
  const std::string read = KeyOf("one", Role::READ_ONLY);
  KeyOf("two");
  GuardedBackoffice connection(backoffice_.get(), gatekeeper_.get());
  const auto counts = [&](const std::string& site) {
    SiteCounts reply;
    return CatchThrift([&] { connection.counts(reply, site); });
  };
  const auto change = [&] {
    return CatchThrift([&] { connection.restart_source("one", "history.csv"); });
  };
  EXPECT_THAT(std::string(counts("one").message()), HasSubstr("authenticate first"));
  EXPECT_THROW(connection.authenticate("vk_nonsense"), Unauthorized);
  EXPECT_TRUE(absl::IsPermissionDenied(counts("one")));

  connection.authenticate(read);
  EXPECT_OK(counts("one"));
  EXPECT_TRUE(absl::IsPermissionDenied(counts("two")));
  EXPECT_TRUE(absl::IsPermissionDenied(change()));

  connection.authenticate(back);
  EXPECT_OK(change());
  std::vector<std::string> sites;
  connection.sites(sites);
  EXPECT_THAT(sites, ElementsAre("one"));

  ASSERT_OK(KeysOf("one").Revoke(back.substr(3, 16)));
  EXPECT_TRUE(absl::IsPermissionDenied(change())) << "of a connection that is open, too";
}

TEST_F(GuardTest, OverTheNetworkEachBackofficeConnectionHasItsOwnKey) {
  KeyOf("one");
  const std::string back = KeyOf("one", Role::BACKOFFICE);
  ServerOptions options;
  options.handlers = ServerOptions::Handlers::kPool;
  const NewProcessor new_processor = [this] {
    return std::make_shared<BackofficeProcessor>(
        std::make_shared<GuardedBackoffice>(backoffice_.get(), gatekeeper_.get()));
  };
  const auto server = Value(StartServer(new_processor, options));
  const auto open = [&] {
    return Value(Connection<BackofficeClient>::Open("127.0.0.1", server->port(), 5000));
  };
  const auto mine = open();
  const auto strangers = open();
  mine->call().authenticate(back);
  NewKey made;
  mine->call().create_key(made, "one", Role::STOREFRONT, "made by wire", 0, 0);
  EXPECT_OK(KeysOf("one").Check(made.secret, Opens::kStorefront));
  EXPECT_TRUE(made.key.digest.empty());
  const absl::Status refused =
      CatchThrift([&] { strangers->call().create_key(made, "one", Role::BACKOFFICE, "", 0, 0); });
  EXPECT_TRUE(absl::IsPermissionDenied(refused)) << refused;
  // The connection lives: it may authenticate now.
  strangers->call().authenticate(back);
  EXPECT_OK(CatchThrift([&] { strangers->call().revoke_key("one", made.key.id); }));
}

}  // namespace
}  // namespace vitrine
