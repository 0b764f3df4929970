#include "api/service/storefront.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "api/service/errors.h"
#include "api/service/history.h"
#include "api/service/request.h"
#include "recommender/rank/ranker.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr char kVersion[] = "0.1.0";

absl::Status CheckK(int32_t k) {
  if (k >= 1 && k <= limits::kSuggestionsMax) return absl::OkStatus();
  return BadField("k", absl::StrCat(k, " is not between 1 and ", limits::kSuggestionsMax));
}

Source ToWire(ListSource source) {
  switch (source) {
    case ListSource::kTaste:
      return Source::TASTE;
    case ListSource::kSimilar:
      return Source::SIMILAR;
    case ListSource::kPopular:
      return Source::POPULAR;
    case ListSource::kVisit:
      return Source::THIS_VISIT;
    case ListSource::kTogether:
      return Source::TOGETHER;
  }
  return Source::POPULAR;
}

// Whether the shop can sell it now, by what its catalogue says.
bool IsOnSale(const Product& product, int64_t now_ms) {
  const auto& set = product.__isset;
  return !product.withdrawn && !(set.stock && product.stock == 0) &&
         !(set.available_from_ms && now_ms < product.available_from_ms) &&
         !(set.available_to_ms && now_ms >= product.available_to_ms);
}

// Names and prices come from the store, not the model: they are what they are now. What is not on
// sale is left out.
absl::StatusOr<std::vector<Suggestion>> Describe(const Catalogue& catalogue,
                                                 const RankedList& ranked, const WebHouse& house,
                                                 int64_t now_ms) {
  std::vector<std::string> ids;
  ids.reserve(ranked.products.size());
  for (const Ranked& r : ranked.products) ids.push_back(catalogue.IdOf(r.product));
  ASSIGN_OR_RETURN(const auto products, house.GetProducts(ids));

  std::vector<Suggestion> suggestions;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!IsOnSale(*products[i], now_ms)) continue;
    Suggestion& s = suggestions.emplace_back();
    s.product_id = std::move(ids[i]);
    s.score = ranked.products[i].score;
    s.source = ToWire(ranked.products[i].source);
    const Product& product = *products[i];
    if (product.__isset.name) s.__set_name(product.name);
    if (product.__isset.price_minor) s.__set_price_minor(product.price_minor);
    if (product.__isset.currency) s.__set_currency(product.currency);
  }
  return suggestions;
}

// The `k` best of what `rank(k, &ranked)` ranks that are on sale: asks for more where some are not.
template <typename Rank>
absl::StatusOr<std::vector<Suggestion>> Suggest(const Catalogue& catalogue, const WebHouse& house,
                                                int32_t k, int64_t now_ms, Rank rank) {
  for (size_t wanted = static_cast<size_t>(k);; wanted *= 4) {
    const RankedList ranked = rank(wanted);
    ASSIGN_OR_RETURN(std::vector<Suggestion> suggestions,
                     Describe(catalogue, ranked, house, now_ms));
    if (suggestions.size() < static_cast<size_t>(k) && ranked.products.size() >= wanted) continue;
    suggestions.resize(std::min(suggestions.size(), static_cast<size_t>(k)));
    return suggestions;
  }
}

Profile ProfileOfEvents(const Serving& serving, std::span<const Event> history) {
  ProfileBuilder builder(*serving.model, &serving.catalogue);
  for (const Event& event : history) builder.Add(event);
  return std::move(builder).Build();
}

// The person's profile, from the cache where nothing happened since. A visitor who has just become
// a customer is folded in anew each time, until an event tells the store.
absl::StatusOr<std::shared_ptr<const Profile>> ProfileOf(const Context& context,
                                                         const WebHouse& house, Serving* serving) {
  if (context.__isset.customer_id && context.__isset.visitor_id) {
    ASSIGN_OR_RETURN(const bool both, VisitsAreTheCustomers(house, context));
    if (both) {
      ASSIGN_OR_RETURN(const std::vector<Event> history, ReadBoth(house, context));
      return std::make_shared<const Profile>(ProfileOfEvents(*serving, history));
    }
  }
  if (!context.__isset.customer_id && !context.__isset.visitor_id) {
    return std::make_shared<const Profile>(ProfileOfEvents(*serving, {}));
  }
  const Person person = context.__isset.customer_id ? Person::Customer(context.customer_id)
                                                    : Person::Visitor(context.visitor_id);
  const std::string key = keys::PersonPrefix(person);
  uint64_t ticket;
  if (auto cached = serving->profiles.Get(key, &ticket)) return cached;
  ProfileBuilder builder(*serving->model, &serving->catalogue);
  RETURN_IF_ERROR(house.ForEachOf(person, limits::kHistoryEventsMax,
                                  [&builder](const Event& event) { builder.Add(event); }));
  auto profile = std::make_shared<const Profile>(std::move(builder).Build());
  serving->profiles.Put(key, profile, ticket);
  return profile;
}

}  // namespace

Storefront::Storefront(Sites* sites, const Clock* clock) : sites_(sites), clock_(clock) {}

absl::StatusOr<RecommendReply> Storefront::Recommend(const RecommendRequest& request) {
  RETURN_IF_ERROR(CheckContext(request.context));
  RETURN_IF_ERROR(CheckK(request.k));
  const RequestTime call(clock_, clock_->SteadyNs(), ++calls_, request.context);
  ASSIGN_OR_RETURN(Site * site, sites_->Find(request.context.site));
  const std::shared_ptr<Serving> serving = site->serving();
  if (serving == nullptr) {
    return absl::UnavailableError(absl::StrCat("site ", site->name(), " has no model yet"));
  }
  const Model* model = serving->model.get();
  ASSIGN_OR_RETURN(const std::shared_ptr<const Profile> profile,
                   ProfileOf(request.context, site->house(), serving.get()));
  absl::flat_hash_set<uint32_t> excluded;
  for (const std::string& id : request.exclude) {
    if (const auto product = serving->catalogue.Find(id)) excluded.insert(*product);
  }
  const SiteSettings settings = site->house().GetSettings();
  RankOptions options;
  options.now_ms = clock_->NowMs();
  options.session_gap_ms = settings.session_gap_ms;
  options.exclude_bought =
      request.__isset.exclude_bought ? request.exclude_bought : settings.exclude_bought;
  options.exclude_seen = request.exclude_seen;
  options.exclude = excluded.empty() ? nullptr : &excluded;

  RecommendReply reply;
  reply.request_id = call.id();
  reply.model_id = model->id;
  const std::shared_ptr<SessionIndex> sessions = serving->sessions();
  std::unique_ptr<LiveRanker> ranker = serving->BorrowRanker();
  const absl::Cleanup give_back = [&] { serving->Return(std::move(ranker)); };
  const auto rank = [&](size_t k) {
    options.k = k;
    RankedList ranked = ranker->Recommend(*model, sessions.get(), *profile, options);
    reply.history_events = ranked.history_events;
    return ranked;
  };
  ASSIGN_OR_RETURN(reply.suggestions,
                   Suggest(serving->catalogue, site->house(), request.k, options.now_ms, rank));
  RETURN_IF_ERROR(call.CheckDeadline());
  return reply;
}

absl::StatusOr<RecommendReply> Storefront::Similar(const SimilarRequest& request) {
  RETURN_IF_ERROR(CheckContext(request.context));
  RETURN_IF_ERROR(CheckK(request.k));
  const RequestTime call(clock_, clock_->SteadyNs(), ++calls_, request.context);
  ASSIGN_OR_RETURN(Site * site, sites_->Find(request.context.site));
  const std::shared_ptr<Serving> serving = site->serving();
  if (serving == nullptr) {
    return absl::UnavailableError(absl::StrCat("site ", site->name(), " has no model yet"));
  }
  const Model* model = serving->model.get();
  const std::optional<uint32_t> product = model->Find(request.product_id);
  if (!product.has_value()) {
    return absl::NotFoundError(absl::StrCat("the model of site ", site->name(),
                                            " does not know this product; it may be newer than "
                                            "the last training"));
  }

  RecommendReply reply;
  reply.request_id = call.id();
  reply.model_id = model->id;
  const auto rank = [&](size_t k) { return vitrine::Similar(*model, *product, k); };
  ASSIGN_OR_RETURN(reply.suggestions,
                   Suggest(serving->catalogue, site->house(), request.k, clock_->NowMs(), rank));
  RETURN_IF_ERROR(call.CheckDeadline());
  return reply;
}

void Storefront::recommend(RecommendReply& reply, const RecommendRequest& request) {
  reply = ValueOrThrow(Recommend(request));
}

void Storefront::page(PageReply&, const PageRequest&) {
  ThrowStatus(absl::UnavailableError("not there yet"));
}

void Storefront::similar(RecommendReply& reply, const SimilarRequest& request) {
  reply = ValueOrThrow(Similar(request));
}

void Storefront::ping(Pong& pong) {
  pong.version = kVersion;
  pong.sites = sites_->Names();
}

}  // namespace vitrine
