#include <algorithm>
#include <span>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "recommender/mining/mine.h"
#include "recommender/patterns/funnel.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine {
namespace {

using Message = Report::Message;
using Parts = Report::Parts;
using Table = Report::Table;
constexpr Report::Unit kShare = Report::Unit::kShare;
constexpr Report::Unit kDay = Report::Unit::kDay;
constexpr Report::Plot::Kind kBars = Report::Plot::Kind::kBars;

double Share(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// A page's name is a path, or a key of the catalogue.
Report::Text PageText(const std::string& name) {
  if (name.empty()) return Message{"page.exit"};
  if (name[0] == '/') return name;
  return Message{name};
}

Report::Cell PageCell(const std::string& name) {
  return std::visit([](auto text) { return Report::Cell(std::move(text)); }, PageText(name));
}

absl::string_view DeviceKey(Device device) {
  switch (device) {
    case Device::DESKTOP:
      return "device.desktop";
    case Device::MOBILE:
      return "device.mobile";
    case Device::TABLET:
      return "device.tablet";
    case Device::UNKNOWN_DEVICE:
      break;
  }
  return "unknown";
}

absl::string_view ReferrerName(std::optional<ReferrerClass> referrer) {
  if (!referrer.has_value()) return "unknown";
  switch (*referrer) {
    case ReferrerClass::DIRECT:
      return "referrer.direct";
    case ReferrerClass::SEARCH_ENGINE:
      return "referrer.search_engine";
    case ReferrerClass::SOCIAL:
      return "referrer.social";
    case ReferrerClass::MAIL:
      return "referrer.mail";
    case ReferrerClass::CAMPAIGN:
      return "referrer.campaign";
    case ReferrerClass::REFERRAL:
      return "referrer.referral";
  }
  return "unknown";
}

Message Key(absl::string_view key) { return Message{std::string(key)}; }

void AddOverview(const Mining& mining, Report* report) {
  report->tables.push_back(
      {"overview",
       "",
       {{"sessions"}, {"visitors"}, {"page_views"}, {"orders"}, {"conversion", 2, kShare}},
       {{mining.all.sessions, mining.visitors, mining.page_views, mining.orders,
         Share(mining.all.with_order, mining.all.sessions)}}});
}

void AddFunnel(const Mining& mining, Report* report) {
  static constexpr const char* kStages[] = {"stage.visit", "stage.product", "stage.cart",
                                            "stage.checkout", "stage.order"};
  Table table = {"funnel",
                 "",
                 {{"stage"}, {"sessions"}, {"of_all", 1, kShare}, {"of_previous", 1, kShare}},
                 {}};
  const std::vector<FunnelStep> steps = Funnel(mining.furthest);
  for (size_t s = 0; s < steps.size(); ++s) {
    table.rows.push_back(
        {Key(kStages[s]), steps[s].reached, steps[s].of_first, steps[s].of_previous});
  }
  report->tables.push_back(std::move(table));
  report->plots.push_back({kBars, "funnel", {"stage", "sessions"}});
}

std::vector<Report::Cell> ConversionRow(Report::Cell label, const Conversion& conversion) {
  return {std::move(label), conversion.sessions, conversion.with_order,
          Share(conversion.with_order, conversion.sessions)};
}

Table ConversionTable(const char* name, Report::Column label) {
  return {
      name, "", {std::move(label), {"sessions"}, {"with_order"}, {"conversion", 2, kShare}}, {}};
}

// Days without a session are rows too, unless a stray date makes that absurd.
void AddDays(const Mining& mining, Report* report) {
  Table table = ConversionTable("by_day", {"day", 0, kDay});
  std::map<absl::CivilDay, Conversion> days = mining.by_day;
  if (!days.empty()) {
    const absl::CivilDay first = days.begin()->first;
    const absl::CivilDay last = days.rbegin()->first;
    if (last - first < static_cast<int64_t>(limits::kMinedRowsMax)) {
      for (absl::CivilDay day = first; day < last; ++day) days[day];
    }
  }
  for (const auto& [day, conversion] : days) {
    table.rows.push_back(ConversionRow(absl::FormatCivilTime(day), conversion));
  }
  report->tables.push_back(std::move(table));
  report->plots.push_back({Report::Plot::Kind::kLine, "by_day", {"day", "sessions"}});
  report->plots.push_back({Report::Plot::Kind::kLine, "by_day", {"day", "conversion"}});
}

// Most sessions first.
template <typename Kind, typename NameOf>
void AddConversions(const char* name, const char* label,
                    const std::map<Kind, Conversion>& conversions, NameOf name_of, Report* report) {
  Table table = ConversionTable(name, {label});
  for (const auto& [kind, conversion] : conversions) {
    table.rows.push_back(ConversionRow(Key(name_of(kind)), conversion));
  }
  std::stable_sort(table.rows.begin(), table.rows.end(), [](const auto& a, const auto& b) {
    return std::get<int64_t>(a[1]) > std::get<int64_t>(b[1]);
  });
  report->tables.push_back(std::move(table));
  report->plots.push_back({kBars, name, {label, "sessions"}});
}

void AddPages(const char* name, const HeavyHitters<std::string>& pages, size_t top,
              Report* report) {
  Table table = {name, "", {{"page"}, {"sessions"}, {"share", 1, kShare}}, {}};
  for (const auto& [page, count] : pages.Top(top)) {
    table.rows.push_back({PageCell(page), count, Share(count, pages.total())});
  }
  report->tables.push_back(std::move(table));
}

void AddFlow(const Mining& mining, Report* report) {
  const size_t top = mining.options.top;
  Table paths = {"paths", "", {{"path"}, {"sessions"}, {"share", 1, kShare}}, {}};
  for (const PathCount& path : mining.flow.TopPaths(top)) {
    Parts steps;
    for (const std::string& page : path.pages) steps.parts.push_back(PageText(page));
    if (path.goes_on) steps.parts.push_back("…");
    paths.rows.push_back({std::move(steps), path.count, path.share});
  }
  Table next = {"transitions", "", {{"from"}, {"to"}, {"times"}, {"probability", 1, kShare}}, {}};
  // A page has several next ones: more rows than elsewhere make the graph.
  for (const Transition& edge : mining.flow.TopTransitions(3 * top)) {
    next.rows.push_back({PageCell(edge.from), PageCell(edge.to), edge.count, edge.probability});
  }
  report->tables.push_back(std::move(paths));
  report->tables.push_back(std::move(next));
  report->plots.push_back({Report::Plot::Kind::kGraph, "transitions", {"from", "to", "times"}});
}

void AddSearches(const Mining& mining, Report* report) {
  Table table = {"searches",
                 "",
                 {{"search_terms"}, {"searches"}, {"without_click"}, {"share", 1, kShare}},
                 {}};
  for (const auto& [terms, count] : mining.unclicked.Top(mining.options.top)) {
    const int64_t searches = std::max(count, mining.searches.CountOf(terms));
    table.rows.push_back({terms, searches, count, Share(count, searches)});
  }
  report->tables.push_back(std::move(table));
}

// The names of products, looked up as they are needed.
class Names {
 public:
  Names(const WebHouse& house, const Mining& mining) : house_(house), mining_(mining) {}

  // "White mug (m-17)", or the id where no name is known.
  absl::StatusOr<std::string> Of(uint32_t product) const {
    const std::string& id = mining_.products[product];
    ASSIGN_OR_RETURN(const auto found, house_.GetProducts({&id, 1}));
    const std::string& name = found[0]->name;
    return name.empty() || name == id ? id : absl::StrCat(name, " (", id, ")");
  }

  absl::StatusOr<Parts> Of(std::span<const uint32_t> products, bool ordered) const {
    Parts parts;
    parts.ordered = ordered;
    for (const uint32_t product : products) {
      ASSIGN_OR_RETURN(std::string name, Of(product));
      parts.parts.push_back(std::move(name));
    }
    return parts;
  }

 private:
  const WebHouse& house_;
  const Mining& mining_;
};

// Of the rules of one set (A with B is B with A), the one to rely on most; highest lift first.
std::vector<AssociationRule> RuleOfEachSet(const Mining& mining) {
  absl::flat_hash_map<std::vector<uint32_t>, AssociationRule> best;
  for (AssociationRule& rule : Rules(mining.baskets.patterns, mining.baskets.lists, 0)) {
    if (rule.lift <= 1) continue;
    std::vector<uint32_t> set = rule.antecedent;
    set.push_back(rule.consequent);
    std::sort(set.begin(), set.end());
    AssociationRule& kept = best[set];
    if (rule.confidence > kept.confidence) kept = std::move(rule);
  }
  std::vector<AssociationRule> rules;
  for (auto& [set, rule] : best) rules.push_back(std::move(rule));
  std::sort(rules.begin(), rules.end(), [](const AssociationRule& a, const AssociationRule& b) {
    return std::tie(b.lift, b.count, a.antecedent, a.consequent) <
           std::tie(a.lift, a.count, b.antecedent, b.consequent);
  });
  return rules;
}

absl::Status AddRules(const Mining& mining, const Names& names, Report* report) {
  Table table = {"bought_together",
                 "",
                 {{"antecedent"},
                  {"consequent"},
                  {"orders"},
                  {"support", 2, kShare},
                  {"confidence", 1, kShare},
                  {"lift", 2},
                  {"leverage", 4}},
                 {}};
  for (const AssociationRule& rule : RuleOfEachSet(mining)) {
    if (table.rows.size() == mining.options.top) break;
    ASSIGN_OR_RETURN(Parts antecedent, names.Of(rule.antecedent, /*ordered=*/false));
    ASSIGN_OR_RETURN(std::string consequent, names.Of(rule.consequent));
    table.rows.push_back({std::move(antecedent), std::move(consequent), rule.count, rule.support,
                          rule.confidence, rule.lift, rule.leverage});
  }
  report->tables.push_back(std::move(table));
  return absl::OkStatus();
}

absl::Status AddSequences(const char* name, const char* counted, const Mining& mining,
                          const MinedPatterns& found, const Names& names, Report* report) {
  std::vector<const Pattern*> sequences;
  for (const Pattern& pattern : found.patterns) {
    if (pattern.items.size() > 1) sequences.push_back(&pattern);
  }
  std::stable_sort(sequences.begin(), sequences.end(), [](const Pattern* a, const Pattern* b) {
    return a->count != b->count ? a->count > b->count : a->items.size() > b->items.size();
  });
  sequences.resize(std::min(sequences.size(), mining.options.top));
  Table table = {name, "", {{"products"}, {counted}, {"support", 2, kShare}}, {}};
  for (const Pattern* sequence : sequences) {
    ASSIGN_OR_RETURN(Parts products, names.Of(sequence->items, /*ordered=*/true));
    table.rows.push_back({std::move(products), sequence->count,
                          Share(sequence->count, static_cast<int64_t>(found.lists))});
  }
  report->tables.push_back(std::move(table));
  return absl::OkStatus();
}

void AddPatternNotes(const char* table, const char* sampled, const MinedPatterns& found,
                     Report* report) {
  if (found.lists < found.offered) {
    report->messages.push_back({sampled,
                                {static_cast<int64_t>(found.lists),
                                 static_cast<int64_t>(found.offered), Report::Key{table}}});
  }
  if (found.raised) {
    report->messages.push_back(
        {"mine.higher_support",
         {static_cast<int64_t>(limits::kPatternsMax), Report::Key{table}, found.min_count}});
  }
}

void AddNotes(const Mining& mining, Report* report) {
  std::vector<Message>& notes = report->messages;
  if (!mining.by_day.empty()) {
    notes.push_back(
        {"mine.period",
         {absl::FormatCivilTime(mining.by_day.begin()->first),
          absl::FormatCivilTime(mining.by_day.rbegin()->first), mining.options.time_zone.name()}});
  }
  if (mining.options.group_pages) notes.push_back({"mine.grouped_pages"});
  if (mining.robot_sessions > 0) notes.push_back({"mine.robots", {mining.robot_sessions}});
  if (mining.inferred_views > 0) {
    notes.push_back({"mine.inferred_views", {mining.inferred_views}});
  }
  if (mining.pending_events > 0) notes.push_back({"mine.pending", {mining.pending_events}});
  if (mining.cut_visits > 0) {
    notes.push_back({"mine.cut_visits",
                     {mining.cut_visits, static_cast<int64_t>(limits::kMinedVisitEventsMax)}});
  }
  const int64_t error =
      std::max({mining.entries.error(), mining.exits.error(), mining.searches.error(),
                mining.unclicked.error(), mining.flow.error()});
  if (error > 0) notes.push_back({"mine.approximate", {error}});
  AddPatternNotes("table.bought_together", "mine.sampled_orders", mining.baskets, report);
  AddPatternNotes("table.viewed_sequences", "mine.sampled_sequences", mining.viewed, report);
  AddPatternNotes("table.bought_sequences", "mine.sampled_sequences", mining.bought, report);
}

}  // namespace

absl::StatusOr<Report> MiningReport(const WebHouse& house, const Mining& mining) {
  Report report;
  AddOverview(mining, &report);
  AddFunnel(mining, &report);
  AddDays(mining, &report);
  AddConversions(
      "by_channel", "channel", mining.by_channel,
      [](Channel channel) { return absl::StrCat("channel.", ChannelName(channel)); }, &report);
  AddConversions("by_device", "device", mining.by_device, DeviceKey, &report);
  AddConversions("by_referrer", "referrer_class", mining.by_referrer, ReferrerName, &report);
  AddPages("entry_pages", mining.entries, mining.options.top, &report);
  AddPages("exit_pages", mining.exits, mining.options.top, &report);
  AddFlow(mining, &report);
  AddSearches(mining, &report);
  const Names names(house, mining);
  RETURN_IF_ERROR(AddRules(mining, names, &report));
  RETURN_IF_ERROR(
      AddSequences("viewed_sequences", "sessions", mining, mining.viewed, names, &report));
  RETURN_IF_ERROR(
      AddSequences("bought_sequences", "customers", mining, mining.bought, names, &report));
  AddNotes(mining, &report);
  return report;
}

}  // namespace vitrine
