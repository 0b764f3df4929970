// vitrine keys, beside a server: what it lets in, and what it refuses to begin.

#include <string>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

#include "api/client/client.h"
#include "store/web_house.h"
#include "tests/testing/process.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using testing::MakeEvent;
using testing::Outcome;
using testing::Process;
using testing::RunProgram;
using testing::TempDir;
using testing::Value;
using testing::Vitrine;

constexpr int64_t kDay = 1'780'000'000'000;

class KeysCommandTest : public ::testing::Test {
 protected:
  KeysCommandTest() { Value(WebHouse::Open({.directory = dir_.File("shop/db")})); }

  std::vector<std::string> On(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", dir_.path(), "--site", "shop"});
    return Vitrine(arguments);
  }
  // The key that a command shows.
  std::string Made(std::vector<std::string> arguments) const {
    arguments.push_back("--json");
    const Outcome outcome = RunProgram(On(arguments));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    const size_t begin = outcome.out.find("vk_");
    return begin == std::string::npos
               ? ""
               : outcome.out.substr(begin, outcome.out.find('"', begin) - begin);
  }
  static std::string IdOf(const std::string& key) { return key.substr(3, 16); }

  std::vector<std::string> Serve(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"serve", "--data",       dir_.path(), "--port",
                                          "0",     "--admin-port", "0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Vitrine(arguments);
  }
  // Where it listens, once it does.
  static int PortOf(const Process& server) {
    std::string out;
    while ((out = server.OutSoFar()).find('\n') == std::string::npos) std::this_thread::yield();
    const std::vector<std::string> words = absl::StrSplit(out, absl::ByAnyChar(": \n"));
    int port = 0;
    EXPECT_TRUE(words.size() > 2 && absl::SimpleAtoi(words[2], &port)) << out;
    return port;
  }
  static absl::Status Track(int port, const std::string& key) {
    const auto client = Value(Connection<StorefrontClient>::Open("127.0.0.1", port, 10'000));
    TrackRequest request;
    request.context.site = "shop";
    request.context.deadline_ms = 10'000;
    if (!key.empty()) request.context.__set_api_key(key);
    request.events.push_back(MakeEvent("e", "ann", kDay, EventKind::VIEW_ITEM, "p1"));
    TrackReply reply;
    return CatchThrift([&] { client->call().track(reply, request); });
  }

  const TempDir dir_;
};

TEST_F(KeysCommandTest, WhatIsMadeRotatedAndRevokedHoldsAtOnceInARunningServer) {
  const Process server(Serve());
  const int port = PortOf(server);
  EXPECT_OK(Track(port, ""));
  const std::string first = Made({"keys", "create", "--comment", "web shop"});
  EXPECT_OK(Track(port, first));
  EXPECT_TRUE(absl::IsPermissionDenied(Track(port, "")));
  const std::string second = Made({"keys", "rotate", IdOf(first)});
  EXPECT_OK(Track(port, second));
  EXPECT_TRUE(absl::IsPermissionDenied(Track(port, first)));
  const std::string third = Made({"keys", "rotate", IdOf(second), "--keep-old"});
  EXPECT_OK(Track(port, second));
  EXPECT_OK(Track(port, third));
  EXPECT_EQ(RunProgram(On({"keys", "revoke", IdOf(third)})).exit_code, 0);
  EXPECT_TRUE(absl::IsPermissionDenied(Track(port, third)));
  const Outcome list = RunProgram(On({"keys", "list"}));
  EXPECT_THAT(list.out, HasSubstr(IdOf(second)));
  EXPECT_THAT(list.out, HasSubstr("web shop"));
  EXPECT_EQ(list.out.find(second), std::string::npos);
}

TEST_F(KeysCommandTest, TheCommandLineNeedsNoKeyWhereOnlyItsUserCanReadTheServers) {
  Made({"keys", "create", "--role", "back-office"});
  const Process server(Serve({"--require-keys"}));
  PortOf(server);
  EXPECT_EQ(RunProgram(On({"keys", "list"})).exit_code, 0);
  EXPECT_EQ(RunProgram(On({"track", "--customer", "ann", "p1"})).exit_code, 0);
  struct stat file = {};
  ASSERT_EQ(::stat((dir_.path() + "/shop/OWNER.key").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
  // As for somebody else: they would have to authenticate.
  ASSERT_EQ(::unlink((dir_.path() + "/shop/OWNER.key").c_str()), 0);
  const Outcome stranger = RunProgram(On({"keys", "list"}));
  EXPECT_EQ(stranger.exit_code, 1);
  EXPECT_THAT(stranger.err, HasSubstr("authenticate first"));
}

TEST_F(KeysCommandTest, AServerThatOthersReachDoesNotBeginWhileASiteHasNoKey) {
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--host", "0.0.0.0"}, {"--require-keys"}}) {
    const Outcome refused = RunProgram(Serve(more));
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err, HasSubstr("vitrine keys create --site shop"));
  }
  const std::string key = Made({"keys", "create"});
  const Process server(Serve({"--host", "0.0.0.0"}));
  const int port = PortOf(server);
  EXPECT_OK(Track(port, key));
  // That the last key is gone opens nothing.
  EXPECT_EQ(RunProgram(On({"keys", "revoke", IdOf(key)})).exit_code, 0);
  EXPECT_TRUE(absl::IsPermissionDenied(Track(port, "")));
}

TEST_F(KeysCommandTest, WrongUseIsToldSo) {
  EXPECT_EQ(RunProgram(On({"keys", "create", "--role", "king"})).exit_code, 2);
  EXPECT_EQ(RunProgram(On({"keys", "revoke"})).exit_code, 2);
  const Outcome unknown = RunProgram(On({"keys", "revoke", "0123456789abcdef"}));
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("there is no API key"));
}

}  // namespace
}  // namespace vitrine
