// vitrine keys: who may call a site.

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/client/client.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

constexpr int64_t kDayMs = 86'400'000;
constexpr int kDaysMax = 3650;

struct NamedRole {
  const char* name;
  Role role;
};
constexpr NamedRole kRoles[] = {{"storefront", Role::STOREFRONT},
                                {"back-office", Role::BACKOFFICE},
                                {"read-only", Role::READ_ONLY}};

struct Options {
  std::string role = "storefront";
  std::string comment;
  std::string id;
  int32_t per_second = 0;
  int days = 0;
  bool keep_old = false;
};

absl::StatusOr<std::unique_ptr<Access>> Open(const Common& common) {
  return Access::Open(common.data, common.site, /*create=*/false);
}

std::string NameOf(Role role) {
  for (const NamedRole& named : kRoles) {
    if (named.role == role) return named.name;
  }
  return "";
}

Role RoleOf(const std::string& name) {
  const auto* const found =
      std::find_if(std::begin(kRoles), std::end(kRoles),
                   [&](const NamedRole& named) { return named.name == name; });
  return found->role;  // the option takes no others
}

std::string Minute(int64_t ms) {
  return absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixMillis(ms), absl::UTCTimeZone());
}

Report::Table TableOf(const std::vector<ApiKey>& keys) {
  Report::Table table;
  table.name = "keys";
  table.columns = {{"id"}, {"role"}, {"calls/s"}, {"made (UTC)"}, {"ends (UTC)"}, {"comment"}};
  for (const ApiKey& key : keys) {
    table.rows.push_back({key.id, NameOf(key.role),
                          key.per_second == 0 ? "any" : absl::StrCat(key.per_second),
                          Minute(key.created_ms),
                          key.__isset.expires_ms ? Minute(key.expires_ms) : "", key.comment});
  }
  return table;
}

void PrintMade(const NewKey& made, const Common& common) {
  Report report;
  report.tables.push_back(TableOf({made.key}));
  Report::Table& secret = report.tables.emplace_back();
  secret.name = "secret";
  secret.columns = {{"key"}};
  secret.rows.push_back({made.secret});
  report.notes.push_back("This is the only time that the key is shown: only its digest is kept.");
  Print(report, common);
}

absl::Status CreateKey(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, Open(common));
  const int64_t expires_ms =
      options.days == 0 ? 0 : Clock::System().NowMs() + options.days * kDayMs;
  NewKey made;
  RETURN_IF_ERROR(CatchThrift([&] {
    access->backoffice().create_key(made, common.site, RoleOf(options.role), options.comment,
                                    options.per_second, expires_ms);
  }));
  PrintMade(made, common);
  return absl::OkStatus();
}

absl::Status ListKeys(const Common& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, Open(common));
  std::vector<ApiKey> keys;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().keys(keys, common.site); }));
  Report report;
  report.tables.push_back(TableOf(keys));
  if (keys.empty()) {
    report.notes.push_back("No keys: a server on loopback takes every call for this site.");
  }
  Print(report, common);
  return absl::OkStatus();
}

absl::Status RevokeKey(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, Open(common));
  return CatchThrift([&] { access->backoffice().revoke_key(common.site, options.id); });
}

// A key that opens as much, and as long, as the one that it replaces.
absl::Status RotateKey(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, Open(common));
  std::vector<ApiKey> keys;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().keys(keys, common.site); }));
  const auto old = std::find_if(keys.begin(), keys.end(),
                                [&](const ApiKey& key) { return key.id == options.id; });
  if (old == keys.end()) {
    return absl::NotFoundError(absl::StrCat("there is no API key ", options.id));
  }
  NewKey made;
  RETURN_IF_ERROR(CatchThrift([&] {
    access->backoffice().create_key(made, common.site, old->role, old->comment, old->per_second,
                                    old->__isset.expires_ms ? old->expires_ms : 0);
  }));
  // Shown before anything else can fail.
  PrintMade(made, common);
  if (options.keep_old) return absl::OkStatus();
  return CatchThrift([&] { access->backoffice().revoke_key(common.site, options.id); });
}

void AddId(CLI::App* command, Options* options) {
  command->add_option("id", options->id, "The key's id, as vitrine keys list shows it")->required();
}

void AddCreate(CLI::App* create, const std::shared_ptr<Options>& options) {
  create
      ->add_option(
          "--role", options->role,
          "storefront: asks and tracks, and may stand in a page; back-office: everything;\n"
          "read-only: what changes nothing in the back office")
      ->check(CLI::IsMember({"storefront", "back-office", "read-only"}))
      ->capture_default_str();
  create->add_option("--comment", options->comment, "Whose it is, for the list");
  create->add_option("--per-second", options->per_second, "Calls a second at most; 0: any number")
      ->check(CLI::Range(0, limits::kApiKeyPerSecondMax))
      ->capture_default_str();
  create->add_option("--days", options->days, "Days until it ends; 0: never")
      ->check(CLI::Range(0, kDaysMax))
      ->capture_default_str();
}

}  // namespace

void AddKeys(CLI::App* app, Common* common, Action* action) {
  CLI::App* keys = app->add_subcommand(
      "keys",
      "API keys of a site: with the first one, calls without a key are refused. A storefront\n"
      "shows its key in Context.api_key, a back office with authenticate. What is done here holds\n"
      "from the next call on, of a running server too. The commands on this machine need no key.");
  keys->require_subcommand(1);
  auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* help) {
    CLI::App* command = keys->add_subcommand(name, help);
    AddDataOption(command, common);
    AddSiteOption(command, common);
    AddJsonOption(command, common);
    return command;
  };
  CLI::App* create = add("create", "Make a key and print it, this once");
  AddCreate(create, options);
  create->callback([=] { *action = [=] { return CreateKey(*common, *options); }; });
  CLI::App* list = add("list", "The keys, without their secrets");
  list->callback([=] { *action = [=] { return ListKeys(*common); }; });
  CLI::App* revoke = add("revoke", "From now on this key opens nothing");
  AddId(revoke, options.get());
  revoke->callback([=] { *action = [=] { return RevokeKey(*common, *options); }; });
  CLI::App* rotate = add("rotate", "Make a key like this one, print it, and revoke this one");
  AddId(rotate, options.get());
  rotate->add_flag("--keep-old", options->keep_old,
                   "Leave this one valid; revoke it when the new one is in its place");
  rotate->callback([=] { *action = [=] { return RotateKey(*common, *options); }; });
}

}  // namespace vitrine::cli
