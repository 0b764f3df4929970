// vitrine segment: which customers are of one kind, looked at and changed.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/customer_json.h"
#include "api/cli/segment_cluster.h"
#include "api/cli/segments_json.h"
#include "api/client/client.h"
#include "api/service/backoffice.h"
#include "recommender/segments/validate.h"
#include "store/base/limits.h"
#include "store/base/segment_limits.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

struct Options {
  std::string file;
  std::string comment;
  std::string id;
  std::string after;
  int32_t most = 20;
  ClusterWishes cluster;
};

absl::StatusOr<std::unique_ptr<Access>> OpenSite(const Common& common) {
  return Access::Open(common.data, common.site, /*create=*/false);
}

// The same where memberships are asked for: where no server keeps them, they are counted first.
absl::StatusOr<std::unique_ptr<Access>> OpenCounted(const Common& common) {
  ASSIGN_OR_RETURN(std::unique_ptr<Access> access, OpenSite(common));
  Backoffice* const local = access->local_backoffice();
  if (local != nullptr) {
    RETURN_IF_ERROR(CatchThrift([&] { local->CountSegments(common.site); }));
  }
  return access;
}

std::string TitleOf(const Segment& segment) {
  const auto english = segment.titles.find("en");
  if (english != segment.titles.end()) return english->second;
  return segment.titles.empty() ? "" : segment.titles.begin()->second;
}

absl::Status ListSegments(const Common& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenCounted(common));
  Segments now;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().segments(now, common.site); }));
  std::map<std::string, int64_t> sizes;
  for (const SegmentSize& size : now.sizes) sizes[size.id] = size.customers;
  const double all = now.customers > 0 ? static_cast<double>(now.customers) : 1;
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "segments";
  table.columns = {{"segment"},
                   {"title"},
                   {"customers"},
                   {.name = "share", .decimals = 1, .unit = Report::Unit::kShare},
                   {"who"}};
  for (const Segment& segment : now.version.content.segments) {
    const int64_t size = sizes[segment.id];
    table.rows.push_back({segment.id, TitleOf(segment), size, static_cast<double>(size) / all,
                          SegmentText(segment)});
  }
  report.notes.push_back(
      absl::StrCat("version ", now.version.version, "; ", now.customers, " customers are known"));
  if (now.counted != now.version.version) {
    report.notes.push_back(now.counted < 0
                               ? "everybody is being looked at for the first time: ask again soon"
                               : absl::StrCat("sizes are of version ", now.counted,
                                              ": everybody is being looked at anew"));
  }
  Print(report, common);
  return absl::OkStatus();
}

absl::Status ShowSegments(const Common& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenSite(common));
  Segments now;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().segments(now, common.site); }));
  std::cout << SegmentsToJson(now.version);
  return absl::OkStatus();
}

absl::StatusOr<SegmentsDocument> Read(const std::string& file) {
  return ReadDocument<SegmentSet>(file, SegmentsFromJson, ValidateSegments);
}

absl::Status SetSegments(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const SegmentsDocument document, Read(options.file));
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenSite(common));
  SegmentSetVersion version;
  RETURN_IF_ERROR(CatchThrift([&] {
    Segments now;
    if (!document.version) access->backoffice().segments(now, common.site);
    access->backoffice().set_segments(version, common.site, document.content,
                                      document.version.value_or(now.version.version), Who(),
                                      options.comment);
  }));
  if (common.json) {
    std::cout << SegmentsToJson(version);
  } else {
    std::cout << "the segments are at version " << version.version << " now; who is in them is "
              << (access->server().empty() ? "counted when it is asked for\n" : "being counted\n");
  }
  return absl::OkStatus();
}

absl::Status ShowHistory(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenSite(common));
  std::vector<SegmentSetVersion> versions;
  RETURN_IF_ERROR(CatchThrift(
      [&] { access->backoffice().segment_history(versions, common.site, options.most); }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "versions";
  table.columns = {{"version"}, {"time"}, {"who"}, {"segments"}, {"comment"}};
  for (const SegmentSetVersion& version : versions) {
    table.rows.push_back({version.version, TimeText(version.time_ms), version.who,
                          static_cast<int64_t>(version.content.segments.size()), version.comment});
  }
  Print(report, common);
  return absl::OkStatus();
}

// Of a file: of one segment, or of all of them.
absl::Status PreviewSegments(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const SegmentsDocument document, Read(options.file));
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenSite(common));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "preview";
  table.columns = {{"segment"},
                   {"customers"},
                   {.name = "share", .decimals = 1, .unit = Report::Unit::kShare},
                   {"some of them"}};
  bool found = false;
  for (const Segment& segment : document.content.segments) {
    if (!options.id.empty() && segment.id != options.id) continue;
    found = true;
    SegmentPreview preview;
    RETURN_IF_ERROR(
        CatchThrift([&] { access->backoffice().segment_preview(preview, common.site, segment); }));
    const double all = preview.customers > 0 ? static_cast<double>(preview.customers) : 1;
    table.rows.push_back({segment.id, preview.members, static_cast<double>(preview.members) / all,
                          absl::StrJoin(preview.sample, " ")});
  }
  if (!found) {
    return absl::NotFoundError(absl::StrCat(options.file, " has no segment ", options.id));
  }
  report.notes.push_back("nothing was changed");
  Print(report, common);
  return absl::OkStatus();
}

absl::Status ShowMembers(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenCounted(common));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "members";
  table.columns = {{"customer"}};
  std::string after = options.after;
  while (options.most == 0 || static_cast<int32_t>(table.rows.size()) < options.most) {
    const int32_t left = options.most - static_cast<int32_t>(table.rows.size());
    const int32_t page =
        options.most == 0 ? limits::kWireContainerMax : std::min(left, limits::kWireContainerMax);
    std::vector<std::string> members;
    RETURN_IF_ERROR(CatchThrift([&] {
      access->backoffice().segment_members(members, common.site, options.id, after, page);
    }));
    for (const std::string& member : members) table.rows.push_back({member});
    if (static_cast<int32_t>(members.size()) < page) break;
    after = members.back();
  }
  Print(report, common);
  return absl::OkStatus();
}

absl::Status ShowOf(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenCounted(common));
  std::vector<std::string> ids;
  RETURN_IF_ERROR(
      CatchThrift([&] { access->backoffice().segments_of(ids, common.site, options.id); }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "segments";
  table.columns = {{"segment"}};
  for (const std::string& id : ids) table.rows.push_back({id});
  Print(report, common);
  return absl::OkStatus();
}

using Run = absl::Status (*)(const Common&, const Options&);

}  // namespace

void AddSegment(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "segment",
      "Segments: which customers are of one kind, by what is known of them and what they did. Edit\n"
      "them as a file, and see who would be in them first:\n"
      "  vitrine segment show --site S > segments.json\n"
      "  vitrine segment preview --site S segments.json\n"
      "  vitrine segment set --site S segments.json --comment \"who may come back\"\n"
      "Every version is kept. Membership follows what a customer does within a second.");
  command->require_subcommand(1);
  auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* what, Run run) {
    CLI::App* const sub = command->add_subcommand(name, what);
    AddDataOption(sub, common);
    AddSiteOption(sub, common);
    AddJsonOption(sub, common);
    sub->callback([=] { *action = [=] { return run(*common, *options); }; });
    return sub;
  };
  add("list", "The segments, how many are in each, and who those are",
      [](const Common& c, const Options&) { return ListSegments(c); });
  add("show", "The segments as a file to edit",
      [](const Common& c, const Options&) { return ShowSegments(c); });

  CLI::App* const set =
      add("set", "Takes a file; refused if somebody changed them since it was shown", SetSegments);
  set->add_option("file", options->file, "JSON, as show prints it")->required();
  set->add_option("--comment", options->comment, "Why, for the history");

  CLI::App* const history = add("history", "Who changed them when, the newest first", ShowHistory);
  history->add_option("--limit", options->most, "Versions to show")
      ->check(CLI::Range(1, limits::kWireContainerMax))
      ->capture_default_str();

  CLI::App* const preview =
      add("preview", "Who would be in the segments of a file; changes nothing", PreviewSegments);
  preview->add_option("file", options->file, "JSON, as show prints it")->required();
  preview->add_option("--segment", options->id, "This one of it only");

  CLI::App* const members = add("members", "The customers in a segment, by their ids", ShowMembers);
  members->add_option("ID", options->id, "The segment's id")->required();
  members->add_option("--after", options->after, "Those after this customer's id");
  members->add_option("--limit", options->most, "Customers to show; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();

  CLI::App* const of = add("of", "The segments that a customer is in", ShowOf);
  of->add_option("ID", options->id, "The customer's id")->required();

  CLI::App* const cluster =
      add("cluster", "Groups of customers who behave alike, found in the data (k-means)",
          [](const Common& c, const Options& o) { return ClusterCustomers(c, o.cluster); });
  ClusterWishes& wishes = options->cluster;
  cluster->add_option("--id", wishes.id, "Of the groups: segments are ID-1, ID-2, ...")
      ->capture_default_str();
  cluster->add_option("-k", wishes.options.k, "Groups; 0: as many as stand apart best, 2 to 8")
      ->capture_default_str();
  cluster->add_option("--seed", wishes.options.seed, "The same one gives the same groups")
      ->capture_default_str();
  cluster->add_flag("--save", wishes.save, "Keep them as segments, in place of those of this id");
  cluster->add_option("--comment", wishes.comment, "Why, for the history");
}

}  // namespace vitrine::cli
