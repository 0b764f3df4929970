// How a command reaches a site: through the server that owns it, or, where none runs, by opening it
// itself. The commands see the same two interfaces either way.

#ifndef VITRINE_API_CLI_ACCESS_H_
#define VITRINE_API_CLI_ACCESS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "api/Backoffice.h"
#include "api/Storefront.h"
#include "recommender/learn/train_progress.h"
#include "store/web_house.h"

namespace vitrine {
class Backoffice;
}

namespace vitrine::cli {

class Access {
 public:
  using OnTrain = std::function<void(const TrainProgress&)>;

  // `create` makes a site that does not exist yet. `on_train` is told about trainings that run in
  // this process. `accept_loss`: see WebHouse::Options; ignored where a server has the site.
  static absl::StatusOr<std::unique_ptr<Access>> Open(const std::string& data,
                                                      const std::string& site, bool create,
                                                      OnTrain on_train = nullptr,
                                                      bool accept_loss = false);
  ~Access();

  StorefrontIf& storefront() { return *storefront_; }
  BackofficeIf& backoffice() { return *backoffice_; }
  // The same where this process opened the site, else null.
  Backoffice* local_backoffice();

  // What a request's context shows to the server; empty where this process opened the site.
  const std::string& api_key() const { return api_key_; }
  // The server's address, or empty where this process opened the site.
  const std::string& server() const { return server_; }

 private:
  struct Local;
  struct Remote;

  Access();
  absl::Status Connect(const std::string& address);

  std::string server_;
  std::string api_key_;
  std::unique_ptr<Local> local_;  // one of the two
  std::unique_ptr<Remote> remote_;
  StorefrontIf* storefront_ = nullptr;
  BackofficeIf* backoffice_ = nullptr;
};

// A consistent copy of a site, made by its owner, so that a server goes on writing while a command
// reads for long. Removed with this.
class SiteCopy {
 public:
  static absl::StatusOr<std::unique_ptr<SiteCopy>> Make(Access* access, const std::string& site);
  ~SiteCopy();
  SiteCopy(const SiteCopy&) = delete;
  SiteCopy& operator=(const SiteCopy&) = delete;

  const WebHouse& house() const { return *house_; }

 private:
  SiteCopy() = default;

  std::string directory_;
  std::unique_ptr<WebHouse> house_;
};

// What a server announces in OWNER, and back: "127.0.0.1:9090,127.0.0.1:9091".
struct Address {
  std::string host;
  int storefront_port = 0;
  int backoffice_port = 0;
};
std::string FormatAddress(const Address& address);
absl::StatusOr<Address> ParseAddress(absl::string_view text);

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_ACCESS_H_
