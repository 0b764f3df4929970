#include "api/cli/access.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "api/client/client.h"
#include "api/service/backoffice.h"
#include "api/service/site.h"
#include "api/service/storefront.h"
#include "store/base/clock.h"
#include "store/base/status_macros.h"
#include "store/owner_lock.h"

namespace vitrine::cli {
namespace {

constexpr int kStorefrontTimeoutMs = 15'000;
constexpr int kNoTimeout = 0;  // a training takes as long as it takes

}  // namespace

std::string FormatAddress(const Address& address) {
  return absl::StrCat(address.host, ":", address.storefront_port, ",", address.host, ":",
                      address.backoffice_port);
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(text, absl::ByAnyChar(":,"));
  Address address;
  if (parts.size() != 4 || !absl::SimpleAtoi(parts[1], &address.storefront_port) ||
      !absl::SimpleAtoi(parts[3], &address.backoffice_port)) {
    return absl::InternalError(absl::StrCat("not the address of a server: '", text, "'"));
  }
  address.host = parts[0];
  return address;
}

// The site opened here.
struct Access::Local {
  Local(std::unique_ptr<Sites> opened, OnTrain on_train)
      : sites(std::move(opened)),
        storefront(sites.get(), &Clock::System()),
        // Whoever runs this may write where they may write.
        backoffice(sites.get(), &Clock::System(), std::move(on_train), /*backup_root=*/"/") {}

  const std::unique_ptr<Sites> sites;
  Storefront storefront;
  Backoffice backoffice;
};

// The server that has it.
struct Access::Remote {
  std::unique_ptr<Connection<StorefrontClient>> storefront;
  std::unique_ptr<Connection<BackofficeClient>> backoffice;
};

Access::Access() = default;
Backoffice* Access::local_backoffice() { return local_ == nullptr ? nullptr : &local_->backoffice; }

Access::~Access() = default;

absl::StatusOr<std::unique_ptr<Access>> Access::Open(const std::string& data,
                                                     const std::string& site, bool create,
                                                     OnTrain on_train, bool accept_loss) {
  std::unique_ptr<Access> access(new Access());
  absl::StatusOr<std::unique_ptr<Sites>> opened = Sites::OpenOne(data, site, create, accept_loss);
  if (opened.ok()) {
    access->local_ = std::make_unique<Local>(*std::move(opened), std::move(on_train));
    access->storefront_ = &access->local_->storefront;
    access->backoffice_ = &access->local_->backoffice;
    return access;
  }
  const absl::StatusOr<Owner> owner = ReadOwner(absl::StrCat(data, "/", site));
  if (!absl::IsFailedPrecondition(opened.status()) || !owner.ok()) return opened.status();
  if (owner->address.empty()) {
    return absl::UnavailableError(absl::StrCat("site ", site,
                                               " is in use by another command (process ",
                                               owner->pid, "); run this again when it has ended"));
  }
  access->api_key_ = owner->key;
  RETURN_IF_ERROR(access->Connect(owner->address));
  return access;
}

absl::Status Access::Connect(const std::string& text) {
  ASSIGN_OR_RETURN(const Address address, ParseAddress(text));
  remote_ = std::make_unique<Remote>();
  ASSIGN_OR_RETURN(remote_->storefront,
                   Connection<StorefrontClient>::Open(address.host, address.storefront_port,
                                                      kStorefrontTimeoutMs));
  ASSIGN_OR_RETURN(remote_->backoffice, Connection<BackofficeClient>::Open(
                                            address.host, address.backoffice_port, kNoTimeout));
  storefront_ = &remote_->storefront->call();
  backoffice_ = &remote_->backoffice->call();
  if (!api_key_.empty()) {
    RETURN_IF_ERROR(CatchThrift([&] { backoffice_->authenticate(api_key_); }));
  }
  server_ = text;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<SiteCopy>> SiteCopy::Make(Access* access, const std::string& site) {
  std::unique_ptr<SiteCopy> copy(new SiteCopy());
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().checkpoint(copy->directory_, site); }));
  ASSIGN_OR_RETURN(copy->house_, WebHouse::OpenCheckpoint(copy->directory_));
  return copy;
}

SiteCopy::~SiteCopy() {
  house_ = nullptr;
  std::error_code ignored;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

}  // namespace vitrine::cli
