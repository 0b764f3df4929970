#include "api/service/storefront.h"

#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"

#include "api/service/errors.h"
#include "api/service/page_maker.h"
#include "api/service/request.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr char kVersion[] = "0.1.0";
constexpr int32_t kOffersPerReplyMax = 20;

absl::Status CheckK(int32_t k) {
  if (k >= 1 && k <= limits::kSuggestionsMax) return absl::OkStatus();
  return BadField("k", absl::StrCat(k, " is not between 1 and ", limits::kSuggestionsMax));
}

absl::Status CheckOffers(absl::string_view field, int32_t k, int32_t least) {
  if (k >= least && k <= kOffersPerReplyMax) return absl::OkStatus();
  return BadField(field, absl::StrCat(k, " is not between ", least, " and ", kOffersPerReplyMax));
}

// "home" is what is meant where nothing is said.
const char* PlacementOf(const RecommendRequest& request) {
  return request.placement.empty() ? "home" : request.placement.c_str();
}

// What recommend and page have in common.
template <typename Request>
PageWishes WishesOf(const Request& request) {
  PageWishes wishes;
  if (request.__isset.page) wishes.page = &request.page;
  wishes.exclude = &request.exclude;
  wishes.trace = request.trace;
  return wishes;
}

// Makes shelves by `make`, and keeps that they were shown. What could not be kept is made again
// without experiments.
absl::StatusOr<std::unique_ptr<PageMaker>> MakeAndKeep(
    Site* site, const Context& context, PageWishes* wishes, int64_t now_ms,
    absl::FunctionRef<absl::Status(PageMaker*)> make) {
  ASSIGN_OR_RETURN(std::unique_ptr<PageMaker> maker,
                   PageMaker::Begin(site, context, *wishes, now_ms));
  RETURN_IF_ERROR(make(maker.get()));
  if (maker->KeepShown()) return maker;
  maker.reset();
  wishes->experiments = false;
  ASSIGN_OR_RETURN(maker, PageMaker::Begin(site, context, *wishes, now_ms));
  RETURN_IF_ERROR(make(maker.get()));
  return maker;
}

}  // namespace

// Ids of another start of the server differ in front, those of this one behind.
Storefront::Storefront(Sites* sites, const Clock* clock)
    : sites_(sites),
      clock_(clock),
      ids_(absl::StrCat(absl::Hex(clock->NowMs()), "-", absl::Hex(clock->SteadyNs()))) {}

absl::StatusOr<RecommendReply> Storefront::Recommend(const RecommendRequest& request) {
  RETURN_IF_ERROR(CheckContext(request.context));
  RETURN_IF_ERROR(CheckK(request.k));
  if (request.__isset.page) RETURN_IF_ERROR(CheckPage(request.page));
  const RequestTime call(clock_, clock_->SteadyNs(), ++calls_, request.context);
  ASSIGN_OR_RETURN(Site * site, sites_->Find(request.context.site));
  PageWishes wishes = WishesOf(request);
  wishes.placements = {PlacementOf(request)};
  if (request.__isset.exclude_bought) wishes.exclude_bought = request.exclude_bought;
  wishes.exclude_seen = request.exclude_seen;
  Shelf shelf;
  const auto make = [&](PageMaker* maker) -> absl::Status {
    ASSIGN_OR_RETURN(shelf, maker->Make(PlacementOf(request), request.k, NextRecommendationId()));
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(const std::unique_ptr<PageMaker> maker,
                   MakeAndKeep(site, request.context, &wishes, clock_->NowMs(), make));

  RecommendReply reply;
  reply.request_id = call.id();
  reply.model_id = maker->model_id();
  reply.history_events = maker->history_events();
  reply.recommendation_id = std::move(shelf.recommendation_id);
  reply.title = std::move(shelf.title);
  reply.suggestions = std::move(shelf.suggestions);
  reply.trace = std::move(shelf.trace);
  reply.arms = std::move(shelf.arms);
  RETURN_IF_ERROR(call.CheckDeadline());
  return reply;
}

absl::StatusOr<PageReply> Storefront::Page(const PageRequest& request) {
  RETURN_IF_ERROR(CheckContext(request.context));
  if (request.shelves.empty() || request.shelves.size() > limits::kShelvesMax) {
    return BadField("shelves",
                    absl::StrCat("1 to ", limits::kShelvesMax, " are taken in one call, not ",
                                 request.shelves.size()));
  }
  for (const ShelfWanted& shelf : request.shelves) {
    if (shelf.k != 0) RETURN_IF_ERROR(CheckK(shelf.k));
  }
  RETURN_IF_ERROR(CheckOffers("offers", request.offers, 0));
  if (request.__isset.page) RETURN_IF_ERROR(CheckPage(request.page));
  const RequestTime call(clock_, clock_->SteadyNs(), ++calls_, request.context);
  ASSIGN_OR_RETURN(Site * site, sites_->Find(request.context.site));
  PageWishes wishes = WishesOf(request);
  for (const ShelfWanted& shelf : request.shelves) wishes.placements.push_back(shelf.placement);
  PageReply reply;
  const int64_t now_ms = clock_->NowMs();
  OffersAnswer offers;
  if (request.offers > 0) {
    reply.offers_id = NextRecommendationId();
    OffersAsked asked = {request.context, wishes.page, static_cast<size_t>(request.offers)};
    asked.segments = site->SegmentsOf(request.context);
    asked.now_ms = now_ms;
    asked.id = reply.offers_id;
    ASSIGN_OR_RETURN(offers, site->offers().Make(asked));
    reply.offers = std::move(offers.offers);
  }
  const auto make = [&](PageMaker* maker) -> absl::Status {
    reply.shelves.clear();
    maker->AlsoKeep(offers.exposures);
    for (const ShelfWanted& wanted : request.shelves) {
      ASSIGN_OR_RETURN(Shelf shelf,
                       maker->Make(wanted.placement, wanted.k, NextRecommendationId()));
      reply.shelves.push_back(std::move(shelf));
    }
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(const std::unique_ptr<PageMaker> maker,
                   MakeAndKeep(site, request.context, &wishes, now_ms, make));
  reply.request_id = call.id();
  reply.model_id = maker->model_id();
  reply.history_events = maker->history_events();
  RETURN_IF_ERROR(call.CheckDeadline());
  return reply;
}

absl::StatusOr<RecommendReply> Storefront::Similar(const SimilarRequest& request) {
  RETURN_IF_ERROR(CheckContext(request.context));
  ASSIGN_OR_RETURN(Site * site, sites_->Find(request.context.site));
  const std::shared_ptr<Serving> serving = site->serving();
  if (serving != nullptr && !serving->catalogue.Find(request.product_id)) {
    return absl::NotFoundError(absl::StrCat("site ", site->name(), " does not know this product"));
  }
  RecommendRequest asked;
  asked.context = request.context;
  asked.k = request.k;
  asked.placement = "also-viewed";
  asked.page.__set_product_id(request.product_id);
  asked.__isset.page = true;
  return Recommend(asked);
}

absl::StatusOr<OffersReply> Storefront::Offers(const OffersRequest& request) {
  RETURN_IF_ERROR(CheckContext(request.context));
  if (request.__isset.page) RETURN_IF_ERROR(CheckPage(request.page));
  RETURN_IF_ERROR(CheckOffers("k", request.k, 1));
  const RequestTime call(clock_, clock_->SteadyNs(), ++calls_, request.context);
  ASSIGN_OR_RETURN(Site * site, sites_->Find(request.context.site));
  OffersReply reply;
  reply.request_id = call.id();
  reply.recommendation_id = NextRecommendationId();
  OffersAsked asked = {request.context};
  if (request.__isset.page) asked.page = &request.page;
  asked.k = static_cast<size_t>(request.k);
  asked.trace = request.trace;
  asked.segments = site->SegmentsOf(request.context);
  asked.now_ms = clock_->NowMs();
  asked.id = reply.recommendation_id;
  ASSIGN_OR_RETURN(OffersAnswer answer, site->offers().Make(asked));
  // A disk that is full keeps nothing, and nobody goes without an answer for it.
  if (!answer.exposures.empty()) site->house().AddExposures(answer.exposures).IgnoreError();
  reply.offers = std::move(answer.offers);
  reply.trace = std::move(answer.trace);
  RETURN_IF_ERROR(call.CheckDeadline());
  return reply;
}

std::string Storefront::NextRecommendationId() {
  return absl::StrCat(ids_, "-", absl::Hex(++recommendations_));
}

void Storefront::recommend(RecommendReply& reply, const RecommendRequest& request) {
  reply = ValueOrThrow(Recommend(request));
}

void Storefront::page(PageReply& reply, const PageRequest& request) {
  reply = ValueOrThrow(Page(request));
}

void Storefront::similar(RecommendReply& reply, const SimilarRequest& request) {
  reply = ValueOrThrow(Similar(request));
}

void Storefront::offers(OffersReply& reply, const OffersRequest& request) {
  reply = ValueOrThrow(Offers(request));
}

void Storefront::ping(Pong& pong) {
  pong.version = kVersion;
  pong.sites = sites_->Names();
}

}  // namespace vitrine
