#include "api/cli/command.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "api/render/page.h"
#include "api/render/render.h"
#include "store/base/atomic_file.h"
#include "store/base/status_macros.h"

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

void AddPageOptions(CLI::App* command, Common* common) {
  static const std::map<std::string, Language> kLanguages = {{"en", Language::kEnglish},
                                                             {"fa", Language::kPersian}};
  command->add_option("--html", common->html, "Write one self-contained page with plots")
      ->option_text("FILE");
  command->add_option("--lang", common->language, "Of text and page: en (default) or fa")
      ->transform(CLI::CheckedTransformer(kLanguages, CLI::ignore_case))
      ->option_text("LANG");
}

void Print(const Report& report, const Common& common) {
  const std::string text = common.json ? RenderJson(report) : RenderText(report, common.language);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

absl::Status Show(const Report& report, const std::string& title, const Common& common) {
  if (!common.html.empty()) {
    return ShowRendered(RenderPage(report, title, common.language), common);
  }
  Print(report, common);
  return absl::OkStatus();
}

ReportFormat WantedFormat(const Common& common) {
  if (!common.html.empty()) return ReportFormat::HTML;
  return common.json ? ReportFormat::JSON : ReportFormat::TEXT;
}

absl::Status ShowRendered(const std::string& rendered, const Common& common) {
  if (!common.html.empty()) {
    RETURN_IF_ERROR(WriteFileAtomically(common.html, rendered));
    std::fprintf(stderr, "%s is written\n", common.html.c_str());
    return absl::OkStatus();
  }
  std::fwrite(rendered.data(), 1, rendered.size(), stdout);
  std::fflush(stdout);
  return absl::OkStatus();
}

std::string Who() {
  const char* const user = std::getenv("USER");
  return user != nullptr ? user : absl::StrCat("uid ", ::getuid());
}

}  // namespace vitrine::cli
