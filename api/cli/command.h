// The frame that every command of `vitrine` stands in.

#ifndef VITRINE_API_CLI_COMMAND_H_
#define VITRINE_API_CLI_COMMAND_H_

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "absl/status/status.h"

#include "api/render/messages.h"
#include "api/vitrine_types.h"
#include "store/base/report.h"

namespace vitrine::cli {

// What the commands have in common. A command's function reads it when it runs, after parsing.
struct Common {
  std::string data = "vitrine-data";
  std::string site;
  bool json = false;
  std::string html;  // a file to write a page to; empty: none
  Language language = Language::kEnglish;
};

// Set by the chosen command's callback; main runs it after parsing.
using Action = std::function<absl::Status()>;

// Adds --data to a command, and --site and --json where they make sense.
void AddDataOption(CLI::App* command, Common* common);
void AddSiteOption(CLI::App* command, Common* common);
void AddJsonOption(CLI::App* command, Common* common);
// Adds --html and --lang, for a command that ends with Show.
void AddPageOptions(CLI::App* command, Common* common);

// Prints a report as the command line was told to: aligned text, or JSON.
void Print(const Report& report, const Common& common);

// The same, in the language asked for; or writes it as a page, if --html asks for that.
absl::Status Show(const Report& report, const std::string& title, const Common& common);

// The same of a report that a server rendered: as WantedFormat says.
ReportFormat WantedFormat(const Common& common);
absl::Status ShowRendered(const std::string& rendered, const Common& common);

// Who changes something, for its history.
std::string Who();

// One function a command: adds it to `app`; choosing it sets `*action`.
void AddIngest(CLI::App* app, Common* common, Action* action);
void AddTrain(CLI::App* app, Common* common, Action* action);
void AddTune(CLI::App* app, Common* common, Action* action);
void AddEvaluate(CLI::App* app, Common* common, Action* action);
void AddPlacements(CLI::App* app, Common* common, Action* action);
void AddOffers(CLI::App* app, Common* common, Action* action);
void AddExperiment(CLI::App* app, Common* common, Action* action);
void AddRobots(CLI::App* app, Common* common, Action* action);
void AddServe(CLI::App* app, Common* common, Action* action);
void AddRecommend(CLI::App* app, Common* common, Action* action);
void AddSimilar(CLI::App* app, Common* common, Action* action);
void AddTrack(CLI::App* app, Common* common, Action* action);
void AddModels(CLI::App* app, Common* common, Action* action);
void AddSettings(CLI::App* app, Common* common, Action* action);
void AddMine(CLI::App* app, Common* common, Action* action);
void AddReport(CLI::App* app, Common* common, Action* action);
void AddKeys(CLI::App* app, Common* common, Action* action);
void AddStatus(CLI::App* app, Common* common, Action* action);
void AddCustomer(CLI::App* app, Common* common, Action* action);
void AddRetention(CLI::App* app, Common* common, Action* action);
void AddVerify(CLI::App* app, Common* common, Action* action);
void AddBackup(CLI::App* app, Common* common, Action* action);
void AddRestore(CLI::App* app, Common* common, Action* action);
void AddRejects(CLI::App* app, Common* common, Action* action);
void AddCatalogue(CLI::App* app, Common* common, Action* action);
void AddSegment(CLI::App* app, Common* common, Action* action);
void AddSimulate(CLI::App* app, Common* common, Action* action);
void AddCampaign(CLI::App* app, Common* common, Action* action);
void AddContact(CLI::App* app, Common* common, Action* action);
void AddTrigger(CLI::App* app, Common* common, Action* action);

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_COMMAND_H_
