#include "api/service/page_maker.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "xxhash.h"

#include "api/service/history.h"
#include "api/service/request.h"
#include "experiments/definition/definition.h"
#include "recommender/placements/shelf.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// Products of each source that a shelf is chosen from at first, beyond those it shows.
constexpr size_t kSpareOffers = 60;
constexpr int64_t kDayMs = int64_t{24} * 60 * 60 * 1000;
// A shelf whose rules leave little is chosen from so many more, once.
constexpr size_t kDeeper = 16;

std::shared_ptr<const KnownPerson> OfEvents(const Serving& serving,
                                            std::span<const Event> history) {
  ProfileBuilder builder(*serving.model, &serving.catalogue);
  for (const Event& event : history) builder.Add(event);
  const auto known = std::make_shared<KnownPerson>();
  known->profile = std::move(builder).Build();
  return known;
}

// Who asks (FoldedIn). A visitor who has just become a customer is folded in anew each
// time, until an event tells the store.
absl::StatusOr<std::shared_ptr<const KnownPerson>> WhoAsks(const Context& context,
                                                           const WebHouse& house,
                                                           Serving* serving) {
  if (!IsSomebody(context)) return OfEvents(*serving, {});
  if (context.__isset.customer_id && context.__isset.visitor_id) {
    ASSIGN_OR_RETURN(const bool both, VisitsAreTheCustomers(house, context));
    if (both) {
      ASSIGN_OR_RETURN(const std::vector<Event> history, ReadBoth(house, context));
      return OfEvents(*serving, history);
    }
  }
  return FoldedIn(PersonOf(context), house, serving);
}

// Of all that is drawn for a shelf: from its recommendation id, whoever has a reply can tell why.
uint64_t SeedOf(absl::string_view recommendation_id) {
  const std::string name = absl::StrCat("explore/", recommendation_id);
  return XXH3_64bits(name.data(), name.size());
}

// Whether the placement hides what was bought (or seen) whatever it is: then no source need offer
// it.
bool HidesAll(const PlacementSet& set, const Placement& placement, RuleKind kind) {
  const auto hides = [kind](const Rule& rule) {
    return rule.kind == kind && rule.products.empty() && !rule.__isset.days &&
           !rule.__isset.from_ms && !rule.__isset.to_ms && rule.channels.empty() &&
           rule.countries.empty() && rule.devices.empty() && rule.except_categories.empty();
  };
  return absl::c_any_of(set.rules, hides) || absl::c_any_of(placement.rules, hides);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PageMaker>> PageMaker::Begin(Site* site, const Context& context,
                                                            const PageWishes& wishes,
                                                            int64_t now_ms) {
  std::unique_ptr<PageMaker> maker(new PageMaker(site, context, wishes, now_ms));
  if (maker->serving_ == nullptr) {
    return absl::UnavailableError(absl::StrCat("site ", site->name(), " has no model yet"));
  }
  RETURN_IF_ERROR(maker->ReadPerson());
  if (std::shared_ptr<Serving> trial = maker->TrialModel()) {
    maker->AnswerWith(std::move(trial));
    RETURN_IF_ERROR(maker->ReadPerson());
  }
  maker->ReadPage();
  RETURN_IF_ERROR(maker->read_);
  return maker;
}

PageMaker::PageMaker(Site* site, const Context& context, const PageWishes& wishes, int64_t now_ms)
    : site_(site),
      context_(context),
      wishes_(wishes),
      now_ms_(now_ms),
      settings_(site->house().GetSettings()),
      current_(site->serving()),
      trials_(site->trial_models()),
      placements_(site->placements()),
      experiments_(site->experiments()),
      forced_(site->ForcedBy(context.forced_arms, now_ms)),
      segments_(site->SegmentsOf(context)) {
  if (current_ != nullptr) AnswerWith(current_);
}

void PageMaker::AnswerWith(std::shared_ptr<Serving> serving) {
  if (ranker_ != nullptr) serving_->Return(std::move(ranker_));
  person_ = {};
  serving_ = std::move(serving);
  sessions_ = serving_->sessions();
  assortment_ = serving_->assortment();
}

std::shared_ptr<Serving> PageMaker::TrialModel() const {
  if (experiments_->models().empty()) return nullptr;
  for (const absl::string_view placement : wishes_.placements) {
    for (const experiments::ChosenArm& chosen : ChosenFor(placement)) {
      if (chosen.arm == nullptr || !chosen.arm->__isset.model_id) continue;
      if (!ModelsAreThere(*chosen.experiment)) continue;
      const auto found = trials_->find(chosen.arm->model_id);
      if (found != trials_->end()) return found->second;
    }
  }
  return nullptr;
}

// One that has been read just now knows neither clicks nor catalogue yet: no fair trial.
bool PageMaker::ModelsAreThere(const Experiment& experiment) const {
  return absl::c_all_of(experiment.arms, [this](const ExperimentArm& arm) {
    if (!arm.__isset.model_id || arm.model_id == current_->model->id) return true;
    const auto found = trials_->find(arm.model_id);
    return found != trials_->end() &&
           (current_->sessions() == nullptr || found->second->sessions() != nullptr) &&
           (current_->assortment() == nullptr || found->second->assortment() != nullptr);
  });
}

// An experiment that tries models steps aside where one of them is not there, or where another one
// answers for the page.
bool PageMaker::Answers(const experiments::ChosenArm& chosen) const {
  if (chosen.arm == nullptr || !experiments::TriesModels(*chosen.experiment)) return true;
  if (!ModelsAreThere(*chosen.experiment)) return false;
  return chosen.arm->__isset.model_id ? chosen.arm->model_id == serving_->model->id
                                      : serving_ == current_;
}

PageMaker::~PageMaker() {
  if (ranker_ != nullptr) serving_->Return(std::move(ranker_));
}

absl::Status PageMaker::ReadPerson() {
  ASSIGN_OR_RETURN(known_, WhoAsks(context_, site_->house(), serving_.get()));
  profile_ = &known_->profile;
  ranker_ = serving_->BorrowRanker();
  trends_ = serving_->trends->lists();
  offers_.model = serving_->model.get();
  offers_.sessions = sessions_.get();
  offers_.profile = profile_;
  offers_.memo = &known_->memo;
  offers_.trends = trends_.get();
  offers_.assortment = assortment_.get();
  catalogue_size_ = serving_->catalogue.size();
  noted_ = serving_->noted();
  offers_.noted = noted_;
  offers_.trial = [this](uint32_t product) {
    return site_->trials().Of(serving_->catalogue.IdOf(product));
  };
  offers_.rank.now_ms = now_ms_;
  offers_.rank.session_gap_ms = settings_.session_gap_ms;
  GatherPersonFacts();
  return absl::OkStatus();
}

void PageMaker::GatherPersonFacts() {
  const size_t session_acts = CurrentSession(profile_->acts, now_ms_, settings_.session_gap_ms);
  for (size_t i = 0; i < profile_->acts.size(); ++i) {
    const Act& act = profile_->acts[i];
    if (act.product == Act::kNoProduct) continue;
    if (act.kind == PURCHASE) person_.bought_ms.try_emplace(act.product, act.time_ms);
    if (i < session_acts && serving_->model->weights.Of(act.kind) > 0) {
      person_.seen.insert(act.product);
    }
  }
}

void PageMaker::GatherShown(const Placement& placement) {
  if (!IsSomebody(context_)) return;
  int days = 0;
  for (const std::vector<Rule>* rules : {&placements_->content.rules, &placement.rules}) {
    for (const Rule& rule : *rules) {
      if (rule.kind == HIDE_SHOWN_OFTEN) days = std::max(days, rule.days);
    }
  }
  if (days <= shown_days_) return;
  shown_days_ = days;
  person_.shown_ms.clear();
  absl::flat_hash_map<uint32_t, int64_t> acted_ms;  // newest
  for (const Act& act : profile_->acts) acted_ms.try_emplace(act.product, act.time_ms);
  const absl::Status read = site_->house().ForEachExposureOf(
      PersonOf(context_), now_ms_ - days * kDayMs, limits::kHistoryEventsMax,
      [&](const Exposure& exposure) {
        for (const ExposedProduct& shown : exposure.products) {
          const std::optional<uint32_t> number = serving_->catalogue.Find(shown.product_id);
          if (!number) continue;
          const auto acted = acted_ms.find(*number);
          if (acted != acted_ms.end() && acted->second >= exposure.time_ms) continue;
          person_.shown_ms[*number].push_back(exposure.time_ms);
        }
      });
  if (!read.ok()) read_ = read;
}

// Who minds being known, or is nobody we know, is in no experiment.
std::vector<experiments::ChosenArm> PageMaker::ChosenFor(absl::string_view placement) const {
  if (!wishes_.experiments || !IsSomebody(context_)) return {};
  return experiments_->Choose(placement, {.customer = context_.customer_id,
                                          .visitor = context_.visitor_id,
                                          .channel = context_.channel,
                                          .device = context_.device,
                                          .country = context_.country,
                                          .language = context_.language,
                                          .attributes = &context_.attributes,
                                          .segments = segments_.get(),
                                          .returning = profile_->history_events > 0,
                                          .now_ms = now_ms_,
                                          .holdout = settings_.experiment_holdout,
                                          .forced = &forced_});
}

std::vector<experiments::ChosenArm> PageMaker::ArmsOf(const Placement& placement) const {
  std::vector<experiments::ChosenArm> arms = ChosenFor(placement.id);
  const bool may_interleave = MayInterleave(placements_->content, placement);
  std::erase_if(arms, [this, may_interleave](const experiments::ChosenArm& chosen) {
    return (chosen.arm == nullptr && !may_interleave) || !Answers(chosen);
  });
  return arms;
}

// A shelf of an experiment counts even if its arm left it empty, or arms that do so would look
// better than they are.
void PageMaker::NoteShown(const Shelf& shelf, const std::vector<experiments::ChosenArm>& arms,
                          const std::vector<std::optional<int32_t>>& teams) {
  if (!context_.personalize || (shelf.suggestions.empty() && arms.empty())) return;
  Exposure& exposure = shown_.emplace_back();
  exposure.degraded = DegradedAnswer::Now();
  exposure.id = shelf.recommendation_id;
  exposure.time_ms = now_ms_;
  exposure.placement = shelf.placement;
  if (context_.__isset.customer_id) exposure.__set_customer_id(context_.customer_id);
  if (context_.__isset.visitor_id) exposure.__set_visitor_id(context_.visitor_id);
  exposure.model_id = model_id();
  exposure.channel = context_.channel;
  if (context_.device != Device::UNKNOWN_DEVICE) exposure.__set_device(context_.device);
  if (!context_.country.empty()) exposure.__set_country(context_.country);
  for (const Suggestion& suggestion : shelf.suggestions) {
    const size_t place = exposure.products.size();
    ExposedProduct& shown = exposure.products.emplace_back();
    if (place < teams.size() && teams[place]) shown.__set_team(*teams[place]);
    shown.product_id = suggestion.product_id;
    shown.source = suggestion.source;
    if (!suggestion.rules.empty()) shown.rule = suggestion.rules.front();
  }
  for (const experiments::ChosenArm& chosen : arms) {
    ExposedArm& arm = exposure.arms.emplace_back();
    arm.experiment = chosen.experiment->id;
    if (chosen.arm != nullptr) arm.arm = chosen.arm->id;
    if (chosen.experiment->kind == ExperimentKind::BANDIT && !chosen.forced) {
      arm.__set_batch(chosen.experiment->batch.number);
      arm.__set_segment(chosen.segment);
    }
    arm.unit = chosen.experiment->unit;
    arm.point = chosen.point;
    arm.propensity = chosen.propensity;
    arm.forced = chosen.forced;
  }
}

void PageMaker::AlsoKeep(std::vector<Exposure> exposures) {
  std::move(exposures.begin(), exposures.end(), std::back_inserter(shown_));
}

bool PageMaker::KeepShown() {
  const std::vector<Exposure> shown = std::exchange(shown_, {});
  if (shown.empty()) return true;
  const bool kept = site_->house().AddExposures(shown).ok();  // track says what ails the disk
  if (kept) site_->NoteShown(shown);
  const bool stands =
      kept || absl::c_all_of(shown, [](const Exposure& shelf) { return shelf.arms.empty(); });
  if (!stands) return false;
  for (const Exposure& exposure : shown) {
    for (const ExposedProduct& product : exposure.products) {
      if (product.source == EXPLORE) site_->trials().AddShown(product.product_id);
    }
  }
  return true;
}

void PageMaker::ReadPage() {
  const Catalogue& catalogue = serving_->catalogue;
  if (wishes_.exclude != nullptr) {
    for (const std::string& id : *wishes_.exclude) {
      if (const auto number = catalogue.Find(id)) excluded_.insert(*number);
    }
  }
  if (wishes_.page != nullptr) {
    const PageFacts& page = *wishes_.page;
    if (page.__isset.product_id) {
      offers_.current = catalogue.Find(page.product_id);
      if (offers_.current) {
        offers_.current_product = ProductOf(*offers_.current);
        excluded_.insert(*offers_.current);
      }
    }
    int64_t worth_minor = 0;
    for (const std::string& id : page.cart) {
      const std::optional<uint32_t> number = catalogue.Find(id);
      if (!number) continue;
      cart_.push_back(*number);
      const Product& product = *ProductOf(*number);
      if (product.__isset.price_minor) worth_minor += product.price_minor;
    }
    const PlacementSet& set = placements_->content;
    if (set.__isset.free_shipping_minor && worth_minor < set.free_shipping_minor) {
      cart_gap_minor_ = set.free_shipping_minor - worth_minor;
    }
    offers_.category = page.category;
    offers_.search_terms = page.search_terms;
  }
  offers_.cart = cart_;
  offers_.rank.exclude = &excluded_;
  on_page_ = excluded_;
  maker_ = std::make_unique<OfferMaker>(offers_, ranker_.get());
  reasons_ = std::make_unique<ReasonFinder>(offers_);
}

ShelfFacts PageMaker::FactsFor() const {
  ShelfFacts facts;
  facts.now_ms = now_ms_;
  facts.channel = context_.channel;
  facts.device = context_.device;
  facts.country = context_.country;
  facts.current = offers_.current_product;
  facts.category = offers_.category;
  if (facts.category.empty() && facts.current != nullptr && facts.current->__isset.category) {
    facts.category = facts.current->category;
  }
  facts.cart = cart_;
  facts.cart_gap_minor = cart_gap_minor_;
  facts.person = &person_;
  facts.hide_bought = wishes_.exclude_bought.value_or(settings_.exclude_bought);
  facts.hide_seen = wishes_.exclude_seen;
  return facts;
}

const Product* PageMaker::ProductOf(uint32_t number) {
  const auto [it, is_new] = products_.try_emplace(number);
  if (!is_new) return it->second.get();
  const std::string id = serving_->catalogue.IdOf(number);
  auto found = site_->house().GetProducts({&id, 1});
  if (found.ok()) {
    it->second = std::move(found->front());
  } else {
    read_ = found.status();
    it->second = std::make_shared<const Product>();
  }
  return it->second.get();
}

// The whole catalogue, or the one category that may be shown, the most popular first.
std::optional<uint32_t> PageMaker::RefillAt(size_t place, absl::string_view only_category) const {
  std::span<const uint32_t> known = serving_->model->by_popularity;
  if (!only_category.empty() && assortment_ != nullptr) {
    known = assortment_->InCategory(only_category);
  }
  if (place < known.size()) return known[place];
  const size_t newer = serving_->model->products.size() + (place - known.size());
  if (newer < catalogue_size_) return static_cast<uint32_t>(newer);
  return std::nullopt;
}

std::vector<ShownProduct> PageMaker::Fill(const Placement& placement, size_t k,
                                          std::vector<TraceLine>* trace) {
  GatherShown(placement);
  const ShelfFacts facts = FactsFor();
  const ShelfRules rules(placements_->content, placement, facts);
  offers_.rank.exclude_bought =
      facts.hide_bought && HidesAll(placements_->content, placement, HIDE_BOUGHT);
  offers_.rank.exclude_seen =
      facts.hide_seen && HidesAll(placements_->content, placement, HIDE_SEEN);
  offers_.only = rules.only_category().empty() || assortment_ == nullptr
                     ? std::span<const uint32_t>()
                     : assortment_->InCategory(rules.only_category());
  const auto refill = [&](size_t place) { return RefillAt(place, rules.only_category()); };
  const auto product = [&](uint32_t number) { return ProductOf(number); };
  const auto find = [&](absl::string_view id) { return serving_->catalogue.Find(id); };
  size_t depth = k + on_page_.size() + kSpareOffers;
  for (;; depth *= kDeeper) {
    const OfferMaker::Mixed mixed = maker_->Mix(placement.recipe, depth);
    const size_t traced = trace == nullptr ? 0 : trace->size();
    const ShelfRequest request = {.k = k,
                                  .scored = mixed.scored,
                                  .fillers = mixed.fillers,
                                  .tried = mixed.tried,
                                  .seed = offers_.seed,
                                  .refill = refill,
                                  .on_page = &on_page_,
                                  .product = product,
                                  .find = find,
                                  .may_be_short = placement.may_be_short,
                                  .trace = trace};
    std::vector<ShownProduct> shown = FillShelf(rules, request);
    const bool refilled = shown.size() < k || absl::c_any_of(shown, [](const ShownProduct& s) {
                            return s.score == 0 && s.source == POPULAR;
                          });
    if (!refilled || !mixed.cut || depth > kDeeper * kSpareOffers) return shown;
    if (trace != nullptr) trace->resize(traced);
  }
}

// The coins are of who asks and for what, so that a call that is sent again gets the same shelf.
InterleavedShelf PageMaker::FillBoth(const Experiment& experiment, const Placement& placement,
                                     size_t k, const std::string& id, Placement (&halves)[2],
                                     std::vector<TraceLine>* trace) {
  std::vector<ShownProduct> lists[2];
  for (const size_t side : {0, 1}) {
    halves[side] = placement;
    experiments::Apply(experiment.arms[side], &halves[side]);
    lists[side] = Fill(halves[side], k, trace);
  }
  const bool customer = experiment.unit == ExperimentUnit::CUSTOMER;
  return InterleaveShelves(lists[0], lists[1], k, experiment.id,
                           customer ? context_.customer_id : context_.visitor_id,
                           context_.__isset.request_id ? context_.request_id : id,
                           [this](uint32_t product) { return serving_->catalogue.IdOf(product); });
}

absl::StatusOr<Shelf> PageMaker::Make(absl::string_view name, int32_t k, std::string id) {
  const std::vector<Placement>& all = placements_->content.placements;
  const auto found =
      absl::c_find_if(all, [name](const Placement& candidate) { return candidate.id == name; });
  if (found == all.end()) {
    return absl::NotFoundError(absl::StrCat(
        "there is no placement '", name, "'; there are ",
        absl::StrJoin(all, ", ", [](std::string* out, const Placement& p) { *out += p.id; })));
  }
  const Placement* placement = &*found;
  const std::vector<experiments::ChosenArm> arms = ArmsOf(*placement);
  const experiments::ChosenArm* both = nullptr;
  Placement changed;
  for (const experiments::ChosenArm& chosen : arms) {
    if (chosen.arm == nullptr) both = &chosen;
    if (chosen.arm == nullptr || !experiments::Changes(*chosen.arm)) continue;
    if (placement != &changed) changed = *placement;
    placement = &changed;
    experiments::Apply(*chosen.arm, &changed);
  }
  offers_.seed = SeedOf(id);
  std::vector<TraceLine> trace;
  std::vector<TraceLine>* const traced = wishes_.trace ? &trace : nullptr;
  const auto count = static_cast<size_t>(k == 0 ? placement->k : k);
  InterleavedShelf made;
  Placement halves[2] = {};  // whose rules what is shown names
  if (both == nullptr) {
    made.shown = Fill(*placement, count, traced);
  } else {
    made = FillBoth(*both->experiment, *placement, count, id, halves, traced);
  }
  const std::vector<ShownProduct>& shown = made.shown;
  Shelf shelf;
  shelf.placement = placement->id;
  shelf.recommendation_id = std::move(id);
  shelf.title = TitleText(*placement, context_.language);
  reasons_->Prepare(shown);
  for (const ShownProduct& product : shown) {
    on_page_.insert(product.product);
    shelf.suggestions.push_back(Describe(*placement, product));
  }
  for (TraceLine& line : trace) {
    if (shelf.trace.size() == limits::kTraceMax) break;
    TraceStep& step = shelf.trace.emplace_back();
    step.product_id = serving_->catalogue.IdOf(line.product);
    step.what = line.what;
    step.by = std::move(line.by);
  }
  for (const experiments::ChosenArm& chosen : arms) {
    ShownArm& arm = shelf.arms.emplace_back();
    arm.experiment = chosen.experiment->id;
    arm.forced = chosen.forced;
    if (chosen.arm == nullptr) continue;
    arm.arm = chosen.arm->id;
    arm.parameters = chosen.arm->parameters;
  }
  RETURN_IF_ERROR(read_);
  NoteShown(shelf, arms, made.teams);
  return shelf;
}

// Names and prices come from the store, not the model: they are what they are now.
Suggestion PageMaker::Describe(const Placement& placement, const ShownProduct& shown) {
  const Product& product = *ProductOf(shown.product);
  Suggestion suggestion;
  suggestion.product_id = serving_->catalogue.IdOf(shown.product);
  suggestion.score = shown.score;
  suggestion.source = shown.source;
  if (product.__isset.name) suggestion.__set_name(product.name);
  if (product.__isset.price_minor) suggestion.__set_price_minor(product.price_minor);
  if (product.__isset.currency) suggestion.__set_currency(product.currency);
  if (product.__isset.image_url) suggestion.__set_image_url(product.image_url);
  if (product.__isset.url) suggestion.__set_url(product.url);
  suggestion.__set_reason(ReasonOf(placement, shown));
  for (const absl::string_view rule : shown.rules) suggestion.rules.emplace_back(rule);
  return suggestion;
}

std::string PageMaker::ReasonOf(const Placement& placement, const ShownProduct& shown) {
  const Reason reason = reasons_->Find(shown, placement.recipe);
  absl::string_view name;
  if (reason.key == "search") name = offers_.search_terms;
  if (reason.product) {
    const Product& evidence = *ProductOf(*reason.product);
    if (evidence.__isset.name) name = evidence.name;
  }
  return ReasonText(reason, placements_->content, context_.language, name, offers_.category);
}

}  // namespace vitrine
