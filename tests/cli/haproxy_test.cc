// TLS in front of a server, by the configuration that api/auth/README.md gives.

#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <thrift/TOutput.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TSSLSocket.h>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

#include "api/Backoffice.h"
#include "api/Storefront.h"
#include "store/base/clock.h"
#include "store/web_house.h"
#include "tests/testing/free_port.h"
#include "tests/testing/process.h"

namespace vitrine {
namespace {

using apache::thrift::protocol::TBinaryProtocol;
using apache::thrift::transport::TFramedTransport;
using apache::thrift::transport::TSSLSocketFactory;
using testing::FileText;
using testing::FreePort;
using testing::Process;
using testing::RunProgram;
using testing::TempDir;
using testing::Value;
using testing::Vitrine;

// The indented lines of README.md from "global" on.
std::string ConfigurationOf(const std::string& readme) {
  std::string configuration;
  bool begun = false;
  for (const absl::string_view line : absl::StrSplit(readme, '\n')) {
    const bool indented = line.empty() || line.substr(0, 4) == "    ";
    if (line == "    global") begun = true;
    if (begun && !indented) break;
    if (begun) absl::StrAppend(&configuration, line.empty() ? "" : line.substr(4), "\n");
  }
  return configuration;
}

class HaproxyTest : public ::testing::Test {
 protected:
  // A certificate that signs itself, and its key behind it.
  std::string MakeCertificate(const std::string& name) const {
    const std::string key = dir_.File(name + ".key"), certificate = dir_.File(name + ".crt");
    EXPECT_EQ(RunProgram({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                          "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                          "-keyout", key, "-out", certificate})
                  .exit_code,
              0);
    std::ofstream(dir_.File(name + ".pem")) << FileText(certificate) << FileText(key);
    return dir_.File(name);
  }

  // Calls through TLS until somebody listens.
  template <typename Client>
  static void Call(TSSLSocketFactory& factory, int port, const std::function<void(Client&)>& call) {
    auto socket = factory.createSocket("localhost", port);
    socket->setConnTimeout(5000);
    socket->setRecvTimeout(5000);
    auto framed = std::make_shared<TFramedTransport>(socket);
    framed->open();
    Client client(std::make_shared<TBinaryProtocol>(framed));
    call(client);
  }

  const TempDir dir_;
};

TEST_F(HaproxyTest, TheConfigurationOfTheManualEndsTlsForThrift) {
  if (RunProgram({"haproxy", "-v"}).exit_code != 0 ||
      RunProgram({"openssl", "version"}).exit_code != 0) {
    GTEST_SKIP() << "haproxy or openssl is not installed";
  }
  Value(WebHouse::Open({.directory = dir_.File("data/shop/db")}));
  const auto make_key = [&](const std::string& role) {
    const std::string out = RunProgram(Vitrine({"keys", "create", "--data", dir_.File("data"),
                                                "--site", "shop", "--role", role, "--json"}))
                                .out;
    const size_t begin = out.find("vk_");
    return out.substr(begin, out.find('"', begin) - begin);
  };
  const std::string front_key = make_key("storefront");
  const std::string back_key = make_key("back-office");
  const int front = FreePort(), back = FreePort();
  const Process server(Vitrine({"serve", "--data", dir_.File("data"), "--require-keys", "--port",
                                absl::StrCat(front), "--admin-port", absl::StrCat(back)}));
  while (server.OutSoFar().find('\n') == std::string::npos) std::this_thread::yield();

  const std::string shop = MakeCertificate("shop"), client = MakeCertificate("clients");
  const int front_tls = FreePort(), back_tls = FreePort(), http_tls = FreePort();
  const std::string readme = FileText("api/auth/README.md");
  const std::string configuration = absl::StrReplaceAll(
      ConfigurationOf(readme), {{"bind :9443", absl::StrCat("bind 127.0.0.1:", front_tls)},
                                {"bind :9444", absl::StrCat("bind 127.0.0.1:", back_tls)},
                                {"bind :443", absl::StrCat("bind 127.0.0.1:", http_tls)},
                                {"127.0.0.1:9090", absl::StrCat("127.0.0.1:", front)},
                                {"127.0.0.1:9091", absl::StrCat("127.0.0.1:", back)},
                                {"/etc/haproxy/shop.pem", shop + ".pem"},
                                {"/etc/haproxy/clients.pem", client + ".crt"}});
  ASSERT_NE(configuration.find("frontend storefront_tls"), std::string::npos);
  std::ofstream(dir_.File("haproxy.cfg")) << configuration;
  const auto checked = RunProgram({"haproxy", "-c", "-f", dir_.File("haproxy.cfg")});
  ASSERT_EQ(checked.exit_code, 0) << checked.err;
  const Process proxy({"haproxy", "-db", "-f", dir_.File("haproxy.cfg")});

  apache::thrift::GlobalOutput.setOutputFunction([](const char*) {});  // of tries before it is up
  TSSLSocketFactory anonymous;
  anonymous.loadTrustedCertificates((shop + ".crt").c_str());
  anonymous.authenticate(true);
  Pong pong;
  const int64_t end_ns = Clock::System().SteadyNs() + 10'000'000'000;
  while (pong.version.empty() && Clock::System().SteadyNs() < end_ns) {
    try {
      Call<StorefrontClient>(anonymous, front_tls, [&](StorefrontClient& c) { c.ping(pong); });
    } catch (const apache::thrift::transport::TTransportException&) {
      std::this_thread::yield();  // not up yet
    }
  }
  ASSERT_FALSE(pong.version.empty());
  const auto track = [&](const std::string& key) {
    TrackReply reply;
    TrackRequest request;
    request.context.site = "shop";
    request.context.deadline_ms = 10'000;
    if (!key.empty()) request.context.__set_api_key(key);
    request.events.push_back(
        testing::MakeEvent("e", "ann", 1'780'000'000'000, EventKind::VIEW_ITEM, "p1"));
    Call<StorefrontClient>(anonymous, front_tls,
                           [&](StorefrontClient& c) { c.track(reply, request); });
    return reply.accepted + reply.duplicate;
  };
  EXPECT_EQ(track(front_key), 1);
  EXPECT_THROW(track(""), Unauthorized) << "that the proxy is on loopback opens nothing";

  const auto sites_of = [&](TSSLSocketFactory& factory) {
    std::vector<std::string> sites;
    Call<BackofficeClient>(factory, back_tls, [&](BackofficeClient& c) {
      c.authenticate(back_key);
      c.sites(sites);
    });
    return sites;
  };
  EXPECT_ANY_THROW(sites_of(anonymous)) << "without a certificate of its own";
  TSSLSocketFactory known;
  known.loadTrustedCertificates((shop + ".crt").c_str());
  known.loadCertificate((client + ".crt").c_str());
  known.loadPrivateKey((client + ".key").c_str());
  known.authenticate(true);
  EXPECT_EQ(sites_of(known), std::vector<std::string>{"shop"});
}

}  // namespace
}  // namespace vitrine
