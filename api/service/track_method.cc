#include "api/service/track_method.h"

#include <string>
#include <utility>
#include <vector>

#include "api/service/errors.h"
#include "api/service/request.h"
#include "api/service/wire_peek.h"

namespace vitrine {
namespace {

using apache::thrift::protocol::TProtocol;

struct WireCall final : QueuedMethod::Call {
  void ReadArguments(TProtocol& in) override {
    Storefront_track_args arguments;
    arguments.read(&in);
    call.request = std::move(arguments.request);
  }
  void WriteResult(TProtocol& out) const override { result.write(&out); }
  void Refuse(int32_t retry_after_ms) override {
    result.overloaded.message = "too many calls of this site are waiting";
    result.overloaded.retry_after_ms = retry_after_ms;
    result.__isset.overloaded = true;
  }

  void MakeResult() try {
    result.success = ValueOrThrow(std::move(call.reply));
    result.__isset.success = true;
  } catch (const InvalidRequest& e) {
    result.invalid = e;
    result.__isset.invalid = true;
  } catch (const NotFound& e) {
    result.not_found = e;
    result.__isset.not_found = true;
  } catch (const Overloaded& e) {
    result.overloaded = e;
    result.__isset.overloaded = true;
  } catch (const Unauthorized& e) {
    result.unauthorized = e;
    result.__isset.unauthorized = true;
  } catch (const DeadlineExceeded& e) {
    result.deadline = e;
    result.__isset.deadline = true;
  } catch (const Unavailable& e) {
    result.unavailable = e;
    result.__isset.unavailable = true;
  } catch (const InternalError& e) {
    result.internal = e;
    result.__isset.internal = true;
  }

  TrackCall call;
  Storefront_track_result result;
};

}  // namespace

std::optional<QueuedMethod::Turn> TrackMethod::TurnOf(TProtocol& arguments) const {
  if (!EnterContext(arguments)) return std::nullopt;
  Context context;
  context.read(&arguments);
  if (!CheckContext(context).ok() || !storefront_.sites().Find(context.site).ok()) {
    return std::nullopt;
  }
  return Turn{std::move(context.site), context.deadline_ms};
}

std::unique_ptr<QueuedMethod::Call> TrackMethod::NewCall(int64_t arrived_ns) {
  auto call = std::make_unique<WireCall>();
  call->call.arrived_ns = arrived_ns;
  return call;
}

void TrackMethod::Run(std::span<Call* const> calls) {
  std::vector<TrackCall*> track;
  track.reserve(calls.size());
  for (Call* const wire : calls) {
    TrackCall& call = static_cast<WireCall*>(wire)->call;
    const Context& context = call.request.context;
    const absl::Status opened =
        gatekeeper_ == nullptr
            ? absl::OkStatus()
            : gatekeeper_->Check(context.site, context.api_key, Opens::kStorefront);
    if (opened.ok()) {
      track.push_back(&call);
    } else {
      call.reply = opened;
    }
  }
  storefront_.Track(track);
  for (Call* const call : calls) static_cast<WireCall*>(call)->MakeResult();
}

}  // namespace vitrine
