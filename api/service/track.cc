// Storefront::track: what a page tells us, and how many such calls are made durable together.

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "api/service/errors.h"
#include "api/service/request.h"
#include "api/service/storefront.h"
#include "ingest/clock_repair.h"
#include "ingest/reasons.h"
#include "ingest/robots/verdict.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/codec.h"

namespace vitrine {
namespace {

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

// Takes the valid events out of the call; the others become rejects, of the store and of the reply.
std::vector<Event> TakeValid(const TrackRequest& request, int64_t now_ms,
                             std::vector<Reject>* rejects, TrackReply* reply) {
  std::vector<Event> events;
  events.reserve(request.events.size());
  for (size_t i = 0; i < request.events.size(); ++i) {
    Event event = request.events[i];
    FillFromContext(request.context, now_ms, &event);
    absl::Status status = DropNobodysIds(&event);
    if (status.ok()) status = ValidateEvent(event);
    if (status.ok()) status = CheckEventTime(event.time_ms, now_ms, limits::kTrackAgeMsMax);
    if (status.ok()) {
      events.push_back(std::move(event));
      continue;
    }
    rejects->push_back(ToReject(status, event, i));
    TrackReject& wire = reply->rejects.emplace_back();
    wire.index = static_cast<int32_t>(i);
    wire.reason = rejects->back().reason;
    wire.detail = rejects->back().detail;
  }
  return events;
}

EventCounts CountsOf(const TrackReply& reply) {
  EventCounts counts;
  counts.accepted = reply.accepted;
  counts.robot = reply.robot;
  counts.rejected = static_cast<int64_t>(reply.rejects.size());
  counts.future = std::count_if(
      reply.rejects.begin(), reply.rejects.end(),
      [](const TrackReject& reject) { return reject.reason == reasons::kTimeInFuture; });
  return counts;
}

// Writes them without waiting for the disk.
absl::Status Write(const TrackRequest& request, int64_t now_ms, Site* site, TrackReply* reply) {
  std::vector<Reject> rejects;
  const std::vector<Event> events = TakeValid(request, now_ms, &rejects, reply);
  const std::vector<int32_t> robots = RobotsAmong(events, *site);
  RETURN_IF_ERROR(site->offers().Settle(events, now_ms));
  const absl::StatusOr<CommitResult> written =
      site->house().Track(events, std::move(rejects), Ack::kApplied, robots);
  // After an error too: it may have come when they were written already.
  const absl::Status forgotten = site->Forget(events);
  RETURN_IF_ERROR(written.status());
  RETURN_IF_ERROR(forgotten);
  // A call that is sent again has been watched before.
  const bool all_new = written->accepted == static_cast<int64_t>(events.size());
  if (all_new && robots.empty()) {
    site->Watch(events, now_ms);
    site->offers().Watch(events, now_ms);
  }
  reply->accepted = written->accepted;
  reply->robot = written->robot;
  reply->duplicate = written->duplicate;
  reply->conflicting_duplicate = written->conflicting_duplicate;
  reply->ignored = written->ignored;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TrackReply> Storefront::Apply(const TrackRequest& request, const RequestTime& time) {
  RETURN_IF_ERROR(CheckContext(request.context));
  if (request.events.empty() || request.events.size() > limits::kTrackEventsMax) {
    return BadField("events", absl::StrCat("1 to ", limits::kTrackEventsMax,
                                           " are taken in one call, not ", request.events.size()));
  }
  ASSIGN_OR_RETURN(Site * site, sites_->Find(request.context.site));
  RETURN_IF_ERROR(time.CheckDeadline());  // may have passed while it waited
  TrackReply reply;
  reply.request_id = time.id();
  reply.acknowledged = request.acknowledge;
  RETURN_IF_ERROR(Write(request, clock_->NowMs(), site, &reply));
  site->tally().Add(CountsOf(reply), clock_->SteadyNs());
  site->DeriveSoon();
  return reply;
}

void Storefront::Track(std::span<TrackCall* const> calls) {
  std::vector<RequestTime> times;
  times.reserve(calls.size());
  for (TrackCall* call : calls) {
    times.emplace_back(clock_, call->arrived_ns, ++calls_, call->request.context);
    call->reply = Apply(call->request, times.back());
  }
  // Everything is written: one sync of a site makes all its calls durable.
  absl::flat_hash_map<Site*, absl::Status> synced;
  for (size_t i = 0; i < calls.size(); ++i) {
    TrackCall& call = *calls[i];
    if (!call.reply.ok()) continue;
    if (call.request.acknowledge != Acknowledge::APPLIED) {
      Site* const site = *sites_->Find(call.request.context.site);
      const auto [entry, is_new] = synced.try_emplace(site);
      if (is_new) entry->second = site->house().Sync();
      if (!entry->second.ok()) call.reply = entry->second;
    }
    const absl::Status in_time = times[i].CheckDeadline();
    if (call.reply.ok() && !in_time.ok()) call.reply = in_time;
  }
}

void Storefront::track(TrackReply& reply, const TrackRequest& request) {
  TrackCall call = {request, clock_->SteadyNs()};
  TrackCall* const calls[] = {&call};
  Track(calls);
  reply = ValueOrThrow(std::move(call.reply));
}

}  // namespace vitrine
