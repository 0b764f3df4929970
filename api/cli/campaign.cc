// vitrine campaign: the best products for each of many customers, as a file to be sent.

#include "recommender/outreach/campaign.h"

#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "api/cli/command.h"
#include "api/cli/progress.h"
#include "api/service/site.h"
#include "recommender/outreach/outbox.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine::cli {
namespace {

constexpr size_t kBlock = 1024;  // customers that are ranked together

struct Options {
  std::string id;
  std::string customers;
  std::string segment;
  bool all = false;
  bool resume = false;
  std::string purpose = "marketing";
  std::vector<std::string> channels = {"email", "sms"};
  size_t k = 5;
  std::string text;
  std::string out;
};

// Customers in the segment, counted now.
absl::StatusOr<std::vector<std::string>> MembersOf(const std::string& segment, Site* site) {
  SegmentKeeper& keeper = site->segments();
  keeper.Start();
  keeper.Settle();
  const std::shared_ptr<const SegmentIndex> index = keeper.index();
  if (index == nullptr) {
    return absl::NotFoundError("--segment: the site has no segments: vitrine segment set");
  }
  auto members = index->Members(segment, /*after=*/"", SIZE_MAX);
  return members.ok() ? members : Annotate(members.status(), "--segment");
}

absl::StatusOr<std::vector<std::string>> Members(Site* site, const Options& options) {
  if (!options.segment.empty()) return MembersOf(options.segment, site);
  std::vector<std::string> members;
  if (options.all) {
    CustomerCursor at = site->house().Customers();
    for (; at.Valid(); at.Next()) members.push_back(at.value().id);
    RETURN_IF_ERROR(at.Finish());
    return members;
  }
  std::ifstream file(options.customers);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", options.customers));
  absl::flat_hash_set<std::string> named;
  for (std::string line; std::getline(file, line);) {
    const std::string id(absl::StripAsciiWhitespace(line));
    if (id.empty() || !named.insert(id).second) continue;
    RETURN_IF_ERROR(Annotate(ValidId(id), options.customers));
    members.push_back(id);
  }
  return members;
}

absl::StatusOr<CampaignOptions> CampaignOf(const Options& options, const WebHouse& house) {
  CampaignOptions campaign;
  campaign.id = options.id;
  RETURN_IF_ERROR(Annotate(ValidName(options.id), "--id"));
  campaign.purpose = options.purpose;
  RETURN_IF_ERROR(Annotate(ValidId(options.purpose), "--purpose"));
  campaign.channels.clear();
  for (const std::string& name : options.channels) {
    const std::optional<Channel> channel = ParseChannel(name);
    if (!channel) {
      return absl::InvalidArgumentError(
          absl::StrCat("--channels: '", name, "' is none of ", ChannelNames()));
    }
    campaign.channels.push_back(*channel);
  }
  campaign.k = options.k;
  campaign.text = options.text;
  campaign.exclude_bought = house.GetSettings().exclude_bought;
  return campaign;
}

void PrintOutcome(const CampaignOutcome& outcome, const Options& options, const Common& common) {
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "campaign";
  table.columns = {{"what"}, {"customers"}};
  table.rows = {{std::string("of the list"), outcome.customers},
                {std::string("to be sent now"), outcome.now},
                {std::string("to be sent later, at the line's time"), outcome.later},
                {std::string("had their line before"), outcome.before},
                {std::string("nothing to show them"), outcome.unknown}};
  for (const auto& [rule, count] : outcome.refused) {
    table.rows.push_back({absl::StrCat("refused: ", rule), count});
  }
  for (const auto& [channel, count] : outcome.channels) {
    table.rows.push_back({absl::StrCat("by ", channel), count});
  }
  report.notes.push_back(absl::StrCat("campaign ", options.id, ": ", options.out));
  Print(report, common);
}

absl::Status RunCampaign(const Common& common, const Options& options) {
  if (options.all + !options.customers.empty() + !options.segment.empty() != 1) {
    return absl::InvalidArgumentError("one of --segment, --customers and --all is wanted");
  }
  if (!options.resume && std::ifstream(options.out)) {
    return absl::AlreadyExistsError(absl::StrCat(
        options.out, " is there already; to go on with a campaign that was stopped: --resume"));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Sites> sites,
                   Sites::OpenOne(common.data, common.site, /*create=*/false));
  ASSIGN_OR_RETURN(Site * site, sites->Find(common.site));
  const std::shared_ptr<const Model> model = site->model();
  if (model == nullptr) {
    return absl::FailedPreconditionError("the site has no model yet: vitrine train");
  }
  ASSIGN_OR_RETURN(CampaignOptions wanted, CampaignOf(options, site->house()));
  ASSIGN_OR_RETURN(const std::vector<std::string> members, Members(site, options));
  ASSIGN_OR_RETURN(Outbox out, Outbox::Open(options.out));
  Campaign campaign(&site->house(), *model, std::move(wanted), &Clock::System());
  RETURN_IF_ERROR(campaign.Prepare());
  CampaignOutcome outcome;
  Progress progress;
  const std::span<const std::string> all(members);
  for (size_t begin = 0; begin < all.size(); begin += kBlock) {
    const size_t count = std::min(kBlock, all.size() - begin);
    RETURN_IF_ERROR(campaign.Send(all.subspan(begin, count), &out, &outcome));
    progress.Show("customers", static_cast<int64_t>(begin + count),
                  static_cast<int64_t>(all.size()), absl::StrCat(begin + count));
  }
  PrintOutcome(outcome, options, common);
  return absl::OkStatus();
}

}  // namespace

void AddCampaign(CLI::App* app, Common* common, Action* action) {
  CLI::App* const command = app->add_subcommand(
      "campaign",
      "For each of many customers the products that are best for them, the channel and the hour\n"
      "that suit them, as the contact policy allows:\n"
      "  vitrine campaign run --site S --id spring --segment loyal --out spring.jsonl\n"
      "Lines carry the time at which they may be sent (examples/outreach sends them).");
  command->require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App* const run = command->add_subcommand(
      "run", "Writes the file; only where no server has the site. Nobody gets two of a campaign");
  AddDataOption(run, common);
  AddSiteOption(run, common);
  AddJsonOption(run, common);
  run->add_option("--id", options->id, "The campaign's name: a-z, 0-9, '-' and '_'")->required();
  run->add_flag("--all", options->all, "All customers");
  run->add_option("--segment", options->segment, "Customers in this segment (vitrine segment)");
  run->add_option("--customers", options->customers, "A file with a customer's id a line");
  run->add_flag("--resume", options->resume, "Goes on with a campaign that was stopped");
  run->add_option("--purpose", options->purpose, "What it is to the contact policy")
      ->capture_default_str();
  run->add_option("--channels", options->channels, "Channels that may be used, the best first")
      ->delimiter(',')
      ->capture_default_str();
  run->add_option("--k", options->k, "Products for each")
      ->check(CLI::Range(1, limits::kSuggestionsMax))
      ->capture_default_str();
  run->add_option("--text", options->text, "What every line says beside the products");
  run->add_option("--out", options->out, "JSON lines (recommender/outreach/outbox.h)")->required();
  run->callback([=] { *action = [=] { return RunCampaign(*common, *options); }; });
}

}  // namespace vitrine::cli
