// vitrine verify: has anybody changed what the site knows behind its back?

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/client/client.h"
#include "store/base/atomic_file.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

struct Options {
  std::string anchor_file;
  std::string export_file;
  bool accept_loss = false;
};

std::string Utc(int64_t time_ms) {
  if (time_ms == 0) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMillis(time_ms), absl::UTCTimeZone());
}

Report ReportOf(const VerifyReply& reply, const std::string& site) {
  Report report;
  report.tables.push_back({"verify",
                           "Verified",
                           {{"site"}, {"rows"}, {"links"}, {"removed_lawfully"}, {"problems"}},
                           {{site, reply.rows, reply.links, reply.removed, reply.problems_found}}});
  if (!reply.problems.empty()) {
    Report::Table& table = report.tables.emplace_back();
    table = {"problems",
             "Changed behind the store's back",
             {{"problem"}, {"row"}, {"link"}, {"version"}, {"written"}},
             {}};
    for (const VerifyProblem& p : reply.problems) {
      table.rows.push_back({p.kind, p.row, p.link, p.version, Utc(p.time_ms)});
    }
  }
  if (!reply.notes.empty()) {
    Report::Table& table = report.tables.emplace_back();
    table = {"notes", "Noted in the chain", {{"time"}, {"kind"}, {"note"}}, {}};
    for (const VerifyNote& n : reply.notes) table.rows.push_back({Utc(n.time_ms), n.kind, n.text});
  }
  return report;
}

// The file's lines that are not blank.
absl::StatusOr<std::vector<std::string>> ReadAnchors(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, limits::kConfigBytesMax));
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipWhitespace());
  if (lines.empty()) return absl::InvalidArgumentError(absl::StrCat(path, " holds no anchor"));
  return lines;
}

absl::Status AppendAnchor(const std::string& path, const std::string& anchor) {
  absl::StatusOr<std::string> text = ReadFile(path, limits::kConfigBytesMax);
  if (absl::IsNotFound(text.status())) text = "";
  RETURN_IF_ERROR(text.status());
  if (!text->empty() && !absl::EndsWith(*text, "\n")) text->push_back('\n');
  return WriteFileAtomically(path, absl::StrCat(*text, anchor, "\n"));
}

absl::Status Run(const Common& common, const Options& options) {
  VerifyRequest request;
  request.site = common.site;
  if (!options.anchor_file.empty()) {
    ASSIGN_OR_RETURN(request.anchors, ReadAnchors(options.anchor_file));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false, /*on_train=*/nullptr,
                                options.accept_loss));
  VerifyReply reply;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().verify(reply, request); }));
  Print(ReportOf(reply, common.site), common);
  if (reply.problems_found != 0) {
    return absl::DataLossError(absl::StrCat(reply.problems_found,
                                            reply.problems_found == 1 ? " problem" : " problems",
                                            " in site ", common.site));
  }
  if (options.export_file.empty()) return absl::OkStatus();
  if (reply.anchor.empty()) return absl::FailedPreconditionError("the chain has no link yet");
  return AppendAnchor(options.export_file, reply.anchor);
}

}  // namespace

void AddVerify(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "verify",
      "Look for rows that were changed, dropped, added or swapped behind the store's back, and "
      "for\n"
      "damaged files, while the server goes on serving. Every write seals what it changes under a\n"
      "key beside the store; an anchor that is kept elsewhere also shows a store whose newest "
      "part\n"
      "was cut off, or that was put back to an older state. Exit code 1 if anything was found.");
  auto options = std::make_shared<Options>();
  AddDataOption(command, common);
  AddSiteOption(command, common);
  AddJsonOption(command, common);
  command->add_option("--anchor", options->anchor_file, "Compare with the anchors in this file")
      ->check(CLI::ExistingFile);
  command->add_option("--export-anchor", options->export_file,
                      "Add where the chain stands now to this file, if nothing was found; keep it\n"
                      "where the store's keeper cannot write");
  command->add_flag("--accept-loss", options->accept_loss,
                    "Open a store that has lost what it acknowledged; the chain will say so");
  command->callback([=] { *action = [=] { return Run(*common, *options); }; });
}

}  // namespace vitrine::cli
