// vitrine evaluate: how well what people did next would have been ranked, on a site or on files.

#include "recommender/evaluate.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/plain_file.h"
#include "api/cli/progress.h"
#include "api/render/wording.h"
#include "recommender/offline/visits.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

using Protocol = EvaluateOptions::Protocol;
using Hide = EvaluateOptions::Hide;
using Format = PlainFileOptions::Format;

struct Options {
  EvaluateOptions evaluate;
  PlainFileOptions files;
  std::optional<Protocol> protocol;
  std::optional<Hide> hide;
  std::string split_at;
  std::string file, train, test;
  std::string delimiter;
  double session_gap_minutes = 30;
};

std::string BaseName(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

// One source, and a protocol that goes with it.
absl::Status Settle(const Common& common, Options* options) {
  const bool split = !options->train.empty() || !options->test.empty();
  const int sources =
      (common.site.empty() ? 0 : 1) + (options->file.empty() ? 0 : 1) + (split ? 1 : 0);
  if (sources != 1) {
    return absl::InvalidArgumentError("evaluate what? --site, or --file, or --train and --test");
  }
  if (split && (options->train.empty() || options->test.empty())) {
    return absl::InvalidArgumentError("--train and --test go together");
  }
  EvaluateOptions& evaluate = options->evaluate;
  evaluate.protocol =
      options->protocol.value_or(split ? Protocol::kGivenSplit : Protocol::kLeaveLastOut);
  if (split != (evaluate.protocol == Protocol::kGivenSplit)) {
    return absl::InvalidArgumentError("--protocol given-split, --train and --test go together");
  }
  if (!options->split_at.empty()) {
    if (evaluate.protocol != Protocol::kTimeSplit) {
      return absl::InvalidArgumentError("--split-at needs --protocol time-split");
    }
    ASSIGN_OR_RETURN(evaluate.split_ms, ParsePlainTime(options->split_at));
  }
  if (options->delimiter == "tab") options->delimiter = "\t";
  if (options->delimiter.size() > 1) {
    return absl::InvalidArgumentError("--delimiter: one character, or tab");
  }
  if (!options->delimiter.empty()) options->files.delimiter = options->delimiter[0];
  return absl::OkStatus();
}

absl::StatusOr<Visits> ReadVisits(const Options& options, Progress* progress) {
  VisitsBuilder builder(static_cast<int64_t>(options.session_gap_minutes * 60'000));
  const auto read = [&](const std::string& path) {
    return ReadPlainFile(
        path, options.files,
        [&](int64_t done, int64_t all) { progress->Show("reading", done, all, BaseName(path)); },
        &builder);
  };
  if (!options.file.empty()) {
    RETURN_IF_ERROR(read(options.file));
  } else {
    RETURN_IF_ERROR(read(options.train));
    builder.BeginTest();
    RETURN_IF_ERROR(read(options.test));
  }
  return std::move(builder).Build();
}

absl::StatusOr<Evaluation> EvaluateFiles(Options options, Progress* progress) {
  ASSIGN_OR_RETURN(const Visits visits, ReadVisits(options, progress));
  EvaluateOptions& evaluate = options.evaluate;
  const bool clicks = evaluate.protocol == Protocol::kSessions ||
                      (evaluate.protocol == Protocol::kGivenSplit && visits.asks_clicks);
  evaluate.hide = options.hide.value_or(clicks ? Hide::kNothing : Hide::kKnown);
  return Evaluate(visits, evaluate);
}

absl::StatusOr<Evaluation> EvaluateSite(const Common& common, Options options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  ASSIGN_OR_RETURN(const std::unique_ptr<SiteCopy> copy, SiteCopy::Make(access.get(), common.site));
  options.evaluate.hide = options.hide.value_or(Hide::kServed);
  return Evaluate(copy->house(), options.evaluate);
}

absl::Status Run(const Common& common, Options options) {
  RETURN_IF_ERROR(Settle(common, &options));
  std::string data = common.site;
  if (!options.file.empty()) data = BaseName(options.file);
  if (!options.test.empty())
    data = absl::StrCat(BaseName(options.train), ", ", BaseName(options.test));
  // Each piece of work has a line of its own, as the time that one leaves says nothing of the next.
  std::string doing;
  std::optional<Progress> progress(std::in_place);
  options.evaluate.on_progress = [&](absl::string_view what, int64_t done, int64_t all) {
    if (doing != what) progress.emplace();
    doing = std::string(what);
    progress->Show(what, done, all, "");
  };
  ASSIGN_OR_RETURN(const Evaluation evaluation, common.site.empty()
                                                    ? EvaluateFiles(options, &*progress)
                                                    : EvaluateSite(common, options));
  progress.reset();
  return Show(EvaluationReport(evaluation, data),
              FormatMessage(common.language, {"evaluate.title", {data}}), common);
}

void AddFileOptions(CLI::App* command, Options* options) {
  static const std::map<std::string, Format> kFormats = {
      {"table", Format::kTable}, {"sessions", Format::kSessions}, {"sets", Format::kSets}};
  command->add_option("--file", options->file, "A plain file instead of a site; may be .zst, .gz")
      ->option_text("FILE");
  command->add_option("--train", options->train, "The two files of a given split")
      ->option_text("FILE");
  command->add_option("--test", options->test)->option_text("FILE");
  command
      ->add_option("--format", options->files.format,
                   "Of the files: table (CSV or TSV with a head, an interaction a line; default),\n"
                   "sessions (\"item item item\" a line, oldest first; in a test file also\n"
                   "\"item item<TAB>next\"), sets (\"person item item\" a line)")
      ->transform(CLI::CheckedTransformer(kFormats, CLI::ignore_case))
      ->option_text("NAME");
  const std::pair<const char*, std::string*> columns[] = {{"person", &options->files.person},
                                                          {"item", &options->files.item},
                                                          {"time", &options->files.time},
                                                          {"session", &options->files.session},
                                                          {"kind", &options->files.kind}};
  for (const auto& [what, column] : columns) {
    command
        ->add_option(absl::StrCat("--", what), *column,
                     absl::StrCat("Column of a table with the ", what, ", if its name is unusual"))
        ->option_text("COLUMN");
  }
  command->add_option("--delimiter", options->delimiter, "Of a table: one character, or tab")
      ->option_text("CHAR");
  command
      ->add_option("--session-gap", options->session_gap_minutes,
                   "Minutes of pause that end a visit, where a table has times and no session")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
}

void AddProtocolOptions(CLI::App* command, Options* options) {
  static const std::map<std::string, Protocol> kProtocols = {
      {"leave-last-out", Protocol::kLeaveLastOut},
      {"time-split", Protocol::kTimeSplit},
      {"sessions", Protocol::kSessions},
      {"given-split", Protocol::kGivenSplit}};
  static const std::map<std::string, Hide> kHides = {
      {"served", Hide::kServed}, {"known", Hide::kKnown}, {"nothing", Hide::kNothing}};
  static const std::map<std::string, RecallOf> kRecalls = {{"reachable", RecallOf::kReachable},
                                                           {"all", RecallOf::kAll}};
  command
      ->add_option("--protocol", options->protocol,
                   "leave-last-out (default), time-split, sessions, given-split")
      ->transform(CLI::CheckedTransformer(kProtocols, CLI::ignore_case))
      ->option_text("NAME");
  command
      ->add_option("--split-at", options->split_at,
                   "time-split: the first moment that is held out, like 2024-01-31 (UTC);\n"
                   "by default such that --holdout of the events are")
      ->option_text("TIME");
  command
      ->add_option("--holdout", options->evaluate.holdout_fraction,
                   "Share held out: of the sessions (sessions), of the events (time-split)")
      ->check(CLI::Range(0.001, 0.9))
      ->capture_default_str();
  command
      ->add_option(
          "--hide", options->hide,
          "What is not suggested, nor asked for: served (what was bought before, or met in\n"
          "the visit going on; default of a site), known (all that the person met; default\n"
          "of files), nothing (repeats count; default of files of sessions)")
      ->transform(CLI::CheckedTransformer(kHides, CLI::ignore_case))
      ->option_text("WHAT");
  command
      ->add_option("--recall", options->evaluate.recall,
                   "Recall divides hits by what a list can hold (reachable; default) or by all\n"
                   "targets (all; as LightGCN's tables)")
      ->transform(CLI::CheckedTransformer(kRecalls, CLI::ignore_case))
      ->option_text("WHAT");
  command->add_option("-k,--k", options->evaluate.k, "Length of the list that is judged")
      ->check(CLI::Range(size_t{1}, size_t{limits::kSuggestionsMax}))
      ->capture_default_str();
  command
      ->add_option("--cases", options->evaluate.cases_max,
                   "Of more lists to make, so many are drawn")
      ->check(CLI::Range(size_t{1}, limits::kEvaluatedCasesMax))
      ->capture_default_str();
  command
      ->add_option("--resamples", options->evaluate.resamples, "Draws that the intervals come from")
      ->check(CLI::Range(uint32_t{1}, limits::kResamplesMax))
      ->capture_default_str();
  command->add_option("--seed", options->evaluate.seed, "Of all draws")->capture_default_str();
}

void AddMethodOptions(CLI::App* command, EvaluateOptions* options) {
  command->add_flag("--tune", options->tune,
                    "Tune the session blend on the newest training sessions first");
  command->add_option("--factors", options->als.factors, "Length of the vectors")
      ->check(CLI::Range(uint32_t{1}, limits::kFactorsMax))
      ->capture_default_str();
  command->add_option("--epochs", options->als.epochs, "Sweeps over both sides")
      ->capture_default_str();
  command->add_option_function<float>(
      "--unobserved-weight",
      [options](float weight) {
        options->als.unobserved_weight = weight;
        options->als.fit_unobserved_weight = false;
      },
      "Of what nobody touched; by default what suits the catalogue's size");
  command->add_option("--regularization", options->als.regularization)->capture_default_str();
  command->add_option("--threads", options->als.threads, "0: all cores")
      ->check(CLI::Range(uint32_t{0}, limits::kThreadsMax))
      ->capture_default_str();
}

}  // namespace

void AddEvaluate(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "evaluate",
      "Hold out what people did last, train on the rest, and see who ranks it best.\n"
      "The whole catalogue is ranked; popularity and item-kNN stand beside the factorization and\n"
      "the session blend as controls, with bootstrap intervals. leave-last-out suits sites with\n"
      "returning customers, sessions those without. Files are read into memory: some 40 bytes an\n"
      "interaction, of at most 100,000,000.");
  auto options = std::make_shared<Options>();
  AddDataOption(command, common);
  command->add_option("--site", common->site, "The virtual store, for example gifts");
  AddJsonOption(command, common);
  AddPageOptions(command, common);
  AddFileOptions(command, options.get());
  AddProtocolOptions(command, options.get());
  AddMethodOptions(command, &options->evaluate);
  command->callback([=] { *action = [=] { return Run(*common, *options); }; });
}

}  // namespace vitrine::cli
