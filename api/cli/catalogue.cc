// vitrine catalogue: what the back office says of products.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/import.h"
#include "api/client/client.h"
#include "ingest/money.h"
#include "store/base/atomic_file.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

struct Options {
  std::string mapping;
  std::vector<std::string> files;
  bool replace = false;
  std::vector<std::string> products;
  std::string after;
  int32_t limit = 20;
};

// The name that ImportFile gives a file's source.
absl::StatusOr<std::string> SourceOf(const std::string& file) {
  std::error_code error;
  const std::filesystem::path canonical = std::filesystem::canonical(file, error);
  if (error) return ErrnoStatus("cannot open", file, error.value());
  return canonical.string();
}

absl::Status ReplaceBy(BackofficeIf* backoffice, const std::string& file, const Mapping& mapping,
                       const Common& common) {
  ASSIGN_OR_RETURN(const std::string source, SourceOf(file));
  RETURN_IF_ERROR(CatchThrift([&] { backoffice->begin_replacement(common.site, source); }));
  ASSIGN_OR_RETURN(
      const ImportSummary summary,
      ImportThrough(backoffice, common.site, file, mapping, limits::kBatchEventsMax / 2));
  Report report = AccountingReport(summary);
  int64_t withdrawn = 0;
  const absl::Status finished =
      CatchThrift([&] { withdrawn = backoffice->finish_replacement(common.site, source); });
  if (finished.ok()) {
    report.notes.push_back(
        absl::StrCat(withdrawn, " products that ", file, " does not name are withdrawn."));
  }
  Print(report, common);
  return finished;
}

absl::Status RunImport(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::string toml, ReadFile(options.mapping, limits::kConfigBytesMax));
  ASSIGN_OR_RETURN(const Mapping mapping, ParseMapping(toml, options.mapping));
  if (mapping.rows != Mapping::Rows::kProducts) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.mapping, " has no [catalogue] section: it is not about products"));
  }
  if (options.replace && options.files.size() != 1) {
    return absl::InvalidArgumentError("--replace takes one file: it is the whole catalogue");
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/true));
  BackofficeIf* const backoffice = &access->backoffice();
  if (options.replace) return ReplaceBy(backoffice, options.files[0], mapping, common);
  for (const std::string& file : options.files) {
    ASSIGN_OR_RETURN(
        const ImportSummary summary,
        ImportThrough(backoffice, common.site, file, mapping, limits::kBatchEventsMax / 2));
    Print(AccountingReport(summary), common);
  }
  return absl::OkStatus();
}

// 12345 minor units of EUR as 123.45 EUR.
std::string Amount(int64_t minor, const std::string& currency) {
  int64_t unit = 1;
  const int digits = MinorDigits(currency);
  for (int i = 0; i < digits; ++i) unit *= 10;
  const int64_t whole = std::abs(minor) / unit;
  const char* const sign = minor < 0 ? "-" : "";
  if (digits == 0) return absl::StrCat(sign, whole, " ", currency);
  return absl::StrFormat("%s%d.%0*d %s", sign, whole, digits, std::abs(minor) % unit, currency);
}

std::string Day(int64_t time_ms) {
  return absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixMillis(time_ms), absl::UTCTimeZone());
}

std::vector<Report::Cell> RowOf(const Product& p) {
  const auto& set = p.__isset;
  return {p.id,
          p.name,
          p.category,
          p.brand,
          set.price_minor ? Amount(p.price_minor, p.currency) : "",
          set.margin_minor ? Amount(p.margin_minor, p.currency) : "",
          set.stock ? absl::StrCat(p.stock) : "",
          set.available_from_ms ? Day(p.available_from_ms) : "",
          set.available_to_ms ? Day(p.available_to_ms) : "",
          std::string(p.withdrawn      ? "withdrawn"
                      : p.in_catalogue ? "catalogue"
                                       : "events")};
}

absl::Status RunShow(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  std::vector<Product> products;
  RETURN_IF_ERROR(CatchThrift([&] {
    if (options.products.empty()) {
      access->backoffice().catalogue(products, common.site, options.after, options.limit);
    } else {
      access->backoffice().products(products, common.site, options.products);
    }
  }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "products";
  table.columns = {{"product"}, {"name"},  {"category"}, {"brand"}, {"price"},
                   {"margin"},  {"stock"}, {"from"},     {"to"},    {"source"}};
  for (const Product& product : products) table.rows.push_back(RowOf(product));
  Print(report, common);
  return absl::OkStatus();
}

void AddCommonOptions(CLI::App* command, Common* common) {
  AddDataOption(command, common);
  AddSiteOption(command, common);
  AddJsonOption(command, common);
}

}  // namespace

void AddCatalogue(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand("catalogue", "What the back office says of products.");
  command->require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App* import = command->add_subcommand(
      "import",
      "Read files of products. Of each row the fields that are there are taken; the rest stays.");
  AddCommonOptions(import, common);
  import
      ->add_option("--mapping", options->mapping, "Which column is what (examples/catalogue.toml)")
      ->required();
  import->add_flag("--replace", options->replace,
                   "The file is the whole catalogue: rows stand as they are, and at the end the\n"
                   "products that it does not name are withdrawn; if anything fails, none is");
  import->add_option("FILE", options->files, "Files to read, in this order")->required();
  import->callback([=] { *action = [=] { return RunImport(*common, *options);
};
}  // namespace vitrine::cli
);

CLI::App* show = command->add_subcommand("show", "Show products.");
AddCommonOptions(show, common);
show->add_option("--after", options->after, "Go on behind this id");
show->add_option("--limit", options->limit, "How many")
    ->check(CLI::Range(1, limits::kWireContainerMax))
    ->capture_default_str();
show->add_option("PRODUCT", options->products, "Ids; none: all, in order of their ids");
show->callback([=] { *action = [=] { return RunShow(*common, *options); }; });
}

}  // namespace vitrine::cli
