#include "api/cli/command.h"

#include <cstdio>

#include "api/render/render.h"

namespace vitrine::cli {

void AddDataOption(CLI::App* command, Common* common) {
  command->add_option("--data", common->data, "Folder that holds the sites")
      ->envname("VITRINE_DATA")
      ->capture_default_str();
}

void AddSiteOption(CLI::App* command, Common* common) {
  command->add_option("--site", common->site, "The virtual store, for example gifts")->required();
}

void AddJsonOption(CLI::App* command, Common* common) {
  command->add_flag("--json", common->json, "Print one JSON document instead of text");
}

void Print(const Report& report, const Common& common) {
  const std::string text = common.json ? RenderJson(report) : RenderText(report);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace vitrine::cli
