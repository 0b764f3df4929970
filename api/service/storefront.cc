#include "api/service/storefront.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "api/service/errors.h"
#include "api/service/history.h"
#include "ingest/clock_repair.h"
#include "ingest/robots/verdict.h"
#include "recommender/rank/ranker.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/codec.h"

namespace vitrine {
namespace {

constexpr char kVersion[] = "0.1.0";

absl::Status BadField(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

absl::Status CheckK(int32_t k) {
  if (k >= 1 && k <= limits::kSuggestionsMax) return absl::OkStatus();
  return BadField("k", absl::StrCat(k, " is not between 1 and ", limits::kSuggestionsMax));
}

absl::Status CheckContext(const Context& context) {
  if (context.deadline_ms < 1 || context.deadline_ms > limits::kDeadlineMsMax) {
    return BadField(
        "context.deadline_ms",
        absl::StrCat(context.deadline_ms, " is not between 1 and ", limits::kDeadlineMsMax));
  }
  if (context.__isset.request_id && context.request_id.size() > limits::kIdBytesMax) {
    return BadField("context.request_id", "is longer than 256 bytes");
  }
  if (context.__isset.customer_id) {
    RETURN_IF_ERROR(Annotate(ValidId(context.customer_id), "context.customer_id"));
  }
  if (context.__isset.visitor_id) {
    RETURN_IF_ERROR(Annotate(ValidId(context.visitor_id), "context.visitor_id"));
  }
  return absl::OkStatus();
}

Source ToWire(ListSource source) {
  switch (source) {
    case ListSource::kTaste:
      return Source::TASTE;
    case ListSource::kSimilar:
      return Source::SIMILAR;
    case ListSource::kPopular:
      return Source::POPULAR;
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
absl::StatusOr<std::vector<Suggestion>> Describe(const Model& model, const RankedList& ranked,
                                                 const WebHouse& house, int64_t now_ms) {
  std::vector<std::string> ids;
  ids.reserve(ranked.products.size());
  for (const Ranked& r : ranked.products) ids.push_back(model.products[r.product]);
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
absl::StatusOr<std::vector<Suggestion>> Suggest(const Model& model, const WebHouse& house,
                                                int32_t k, int64_t now_ms, Rank rank) {
  for (size_t wanted = static_cast<size_t>(k);; wanted *= 4) {
    const RankedList ranked = rank(wanted);
    ASSIGN_OR_RETURN(std::vector<Suggestion> suggestions, Describe(model, ranked, house, now_ms));
    if (suggestions.size() < static_cast<size_t>(k) && ranked.products.size() >= wanted) continue;
    suggestions.resize(std::min(suggestions.size(), static_cast<size_t>(k)));
    return suggestions;
  }
}

// The person's profile, from the cache where nothing happened since. A visitor who has just become
// a customer is folded in anew each time, until an event tells the store.
absl::StatusOr<std::shared_ptr<const Profile>> ProfileOf(const Context& context,
                                                         const WebHouse& house, Serving* serving) {
  if (context.__isset.customer_id && context.__isset.visitor_id) {
    ASSIGN_OR_RETURN(const bool both, VisitsAreTheCustomers(house, context));
    if (both) {
      ASSIGN_OR_RETURN(const std::vector<Event> history, ReadBoth(house, context));
      return std::make_shared<const Profile>(MakeProfile(*serving->model, history));
    }
  }
  if (!context.__isset.customer_id && !context.__isset.visitor_id) {
    return std::make_shared<const Profile>(MakeProfile(*serving->model, {}));
  }
  const Person person = context.__isset.customer_id ? Person::Customer(context.customer_id)
                                                    : Person::Visitor(context.visitor_id);
  const std::string key = keys::PersonPrefix(person);
  uint64_t ticket;
  if (auto cached = serving->profiles.Get(key, &ticket)) return cached;
  ProfileBuilder builder(*serving->model);
  RETURN_IF_ERROR(house.ForEachOf(person, limits::kHistoryEventsMax,
                                  [&builder](const Event& event) { builder.Add(event); }));
  auto profile = std::make_shared<const Profile>(std::move(builder).Build());
  serving->profiles.Put(key, profile, ticket);
  return profile;
}

// What an event leaves unsaid, the call says: who, and when.
void FillFromContext(const Context& context, int64_t now_ms, Event* event) {
  if (event->time_ms == 0) {
    event->time_ms = now_ms;
  } else if (context.__isset.sent_ms) {
    event->time_ms = RepairedTimeMs(event->time_ms, context.sent_ms, now_ms);
  }
  if (event->__isset.customer_id || event->__isset.visitor_id) return;
  if (context.__isset.customer_id) event->__set_customer_id(context.customer_id);
  if (context.__isset.visitor_id) event->__set_visitor_id(context.visitor_id);
}

// "bad_quantity: 0 is not ..." as reason and detail.
Reject ToReject(const absl::Status& status, const Event& event, size_t index) {
  const std::string message(status.message());
  const size_t colon = message.find(": ");
  Reject reject;
  reject.line = static_cast<int64_t>(index) + 1;
  reject.reason = message.substr(0, colon);
  reject.detail = colon == std::string::npos ? "" : message.substr(colon + 2);
  reject.raw = EncodeRecord(event).substr(0, limits::kRejectRawBytesMax);
  return reject;
}

// Positions of the events that robots sent, by their user agents.
std::vector<int32_t> RobotsAmong(std::span<const Event> events, const Site& site) {
  const std::shared_ptr<const RobotLists> lists = site.robots();
  AgentJudge judge(lists.get());
  std::vector<int32_t> robots;
  for (size_t i = 0; i < events.size(); ++i) {
    if (JudgeAgent(events[i], &judge) != 0) robots.push_back(static_cast<int32_t>(i));
  }
  return robots;
}

}  // namespace

// What every request begins with and is held to.
class Storefront::Call {
 public:
  Call(const Clock* clock, uint64_t number, const Context& context)
      : clock_(clock),
        start_ns_(clock->SteadyNs()),
        deadline_ns_(start_ns_ + int64_t{context.deadline_ms} * 1'000'000),
        id_(context.__isset.request_id ? context.request_id
                                       : absl::StrCat("r", clock->NowMs(), "-", number)) {}

  const std::string& id() const { return id_; }

  absl::Status CheckDeadline() const {
    const int64_t late_ns = clock_->SteadyNs() - deadline_ns_;
    if (late_ns <= 0) return absl::OkStatus();
    return absl::DeadlineExceededError(
        absl::StrCat("request ", id_, " was ", late_ns / 1'000'000, " ms late"));
  }

 private:
  const Clock* const clock_;
  const int64_t start_ns_;
  const int64_t deadline_ns_;
  const std::string id_;
};

Storefront::Storefront(Sites* sites, const Clock* clock) : sites_(sites), clock_(clock) {}

absl::StatusOr<RecommendReply> Storefront::Recommend(const RecommendRequest& request) {
  RETURN_IF_ERROR(CheckContext(request.context));
  RETURN_IF_ERROR(CheckK(request.k));
  const Call call(clock_, ++calls_, request.context);
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
    if (const std::optional<uint32_t> product = model->Find(id)) excluded.insert(*product);
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
  const auto rank = [&](size_t k) {
    options.k = k;
    RankedList ranked = vitrine::Recommend(*model, *profile, options);
    reply.history_events = ranked.history_events;
    return ranked;
  };
  ASSIGN_OR_RETURN(reply.suggestions,
                   Suggest(*model, site->house(), request.k, options.now_ms, rank));
  RETURN_IF_ERROR(call.CheckDeadline());
  return reply;
}

absl::StatusOr<RecommendReply> Storefront::Similar(const SimilarRequest& request) {
  RETURN_IF_ERROR(CheckContext(request.context));
  RETURN_IF_ERROR(CheckK(request.k));
  const Call call(clock_, ++calls_, request.context);
  ASSIGN_OR_RETURN(Site * site, sites_->Find(request.context.site));
  const std::shared_ptr<const Model> model = site->model();
  if (model == nullptr) {
    return absl::UnavailableError(absl::StrCat("site ", site->name(), " has no model yet"));
  }
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
                   Suggest(*model, site->house(), request.k, clock_->NowMs(), rank));
  RETURN_IF_ERROR(call.CheckDeadline());
  return reply;
}

absl::StatusOr<TrackReply> Storefront::Track(const TrackRequest& request) {
  RETURN_IF_ERROR(CheckContext(request.context));
  if (request.events.empty() || request.events.size() > limits::kTrackEventsMax) {
    return BadField("events", absl::StrCat("1 to ", limits::kTrackEventsMax,
                                           " are taken in one call, not ", request.events.size()));
  }
  const Call call(clock_, ++calls_, request.context);
  ASSIGN_OR_RETURN(Site * site, sites_->Find(request.context.site));

  TrackReply reply;
  reply.request_id = call.id();
  reply.acknowledged = request.acknowledge;
  std::vector<Event> events;
  std::vector<Reject> rejects;
  for (size_t i = 0; i < request.events.size(); ++i) {
    Event event = request.events[i];
    FillFromContext(request.context, clock_->NowMs(), &event);
    absl::Status status = DropNobodysIds(&event);
    if (status.ok()) status = ValidateEvent(event);
    if (status.ok()) {
      status = CheckEventTime(event.time_ms, clock_->NowMs(), limits::kTrackAgeMsMax);
    }
    if (status.ok()) {
      events.push_back(std::move(event));
      continue;
    }
    rejects.push_back(ToReject(status, event, i));
    TrackReject& wire = reply.rejects.emplace_back();
    wire.index = static_cast<int32_t>(i);
    wire.reason = rejects.back().reason;
    wire.detail = rejects.back().detail;
  }
  const Ack ack = request.acknowledge == Acknowledge::APPLIED ? Ack::kApplied : Ack::kDurable;
  const absl::StatusOr<CommitResult> tracked =
      site->house().Track(events, std::move(rejects), ack, RobotsAmong(events, *site));
  // After an error too: it may have come when they were written already.
  const absl::Status forgotten = site->Forget(events);
  RETURN_IF_ERROR(tracked.status());
  RETURN_IF_ERROR(forgotten);
  const CommitResult& result = *tracked;
  site->DeriveSoon();
  reply.accepted = result.accepted;
  reply.robot = result.robot;
  reply.duplicate = result.duplicate;
  reply.conflicting_duplicate = result.conflicting_duplicate;
  reply.ignored = result.ignored;
  RETURN_IF_ERROR(call.CheckDeadline());
  return reply;
}

void Storefront::recommend(RecommendReply& reply, const RecommendRequest& request) {
  reply = ValueOrThrow(Recommend(request));
}

void Storefront::similar(RecommendReply& reply, const SimilarRequest& request) {
  reply = ValueOrThrow(Similar(request));
}

void Storefront::track(TrackReply& reply, const TrackRequest& request) {
  reply = ValueOrThrow(Track(request));
}

void Storefront::ping(Pong& pong) {
  pong.version = kVersion;
  pong.sites = sites_->Names();
}

}  // namespace vitrine
