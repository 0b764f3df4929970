#include "ingest/batch_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "ingest/robots/verdict.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// A batch also ends here, so that long lines do not make big batches.
constexpr int64_t kBatchSourceBytes = 8 << 20;

Reject ToReject(const Line& line, int64_t number, Element element) {
  Reject reject;
  reject.line = number;
  reject.byte_offset = line.offset;
  reject.reason = std::move(element.reason);
  reject.detail = number == line.number
                      ? std::move(element.detail)
                      : absl::StrCat("on line ", line.number, ": ", element.detail);
  reject.raw = std::move(element.raw);
  reject.raw_bytes = element.raw_bytes;
  return reject;
}

}  // namespace

BatchReader::BatchReader(LineReader reader, LineParser parser, SourceState state,
                         const Origin& origin)
    : reader_(std::move(reader)),
      parser_(std::move(parser)),
      state_(std::move(state)),
      batch_events_(static_cast<int64_t>(
          std::clamp<size_t>(origin.batch_events, 1, limits::kBatchEventsMax))) {
  if (origin.robots != nullptr) judge_.emplace(origin.robots);
}

absl::StatusOr<BatchReader> BatchReader::Open(const Origin& origin) {
  ASSIGN_OR_RETURN(SourceState state, origin.sink->Source(origin.name));
  const bool can_go_on = origin.path != kStandardInput;
  if (can_go_on || state.bytes == 0) {
    ASSIGN_OR_RETURN(std::optional<BatchReader> reader, OpenAt(origin, state));
    if (reader.has_value()) return *std::move(reader);
  }
  RETURN_IF_ERROR(origin.sink->RestartSource(origin.name));
  ASSIGN_OR_RETURN(state, origin.sink->Source(origin.name));
  return OpenAtFirstLine(origin, state);
}

absl::StatusOr<std::optional<BatchReader>> BatchReader::OpenIfItGoesOn(const Origin& origin) {
  ASSIGN_OR_RETURN(const SourceState state, origin.sink->Source(origin.name));
  return OpenAt(origin, state);
}

absl::StatusOr<std::optional<BatchReader>> BatchReader::OpenAt(const Origin& origin,
                                                               const SourceState& state) {
  ASSIGN_OR_RETURN(BatchReader opened, OpenAtFirstLine(origin, state));
  if (state.bytes == 0) return opened;
  LineReader& reader = opened.reader_;
  const bool same =
      reader.SkipTo(state.bytes) && reader.Digest() == state.digest && reader.SkipLineEnd();
  RETURN_IF_ERROR(reader.status());
  if (!same) return std::nullopt;
  if (opened.parser_.HasMemory()) RETURN_IF_ERROR(opened.RecallUpTo(origin, state));
  return opened;
}

absl::StatusOr<BatchReader> BatchReader::OpenAtFirstLine(const Origin& origin, SourceState state) {
  ASSIGN_OR_RETURN(LineReader reader,
                   LineReader::Open(origin.path, LineParser::Delimiter(*origin.mapping)));
  if (reader.Ahead().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(origin.path, " is empty"));
  }
  absl::StatusOr<LineParser> parser = LineParser::Create(*origin.mapping, &reader);
  RETURN_IF_ERROR(Annotate(parser.status(), origin.path));
  return BatchReader(std::move(reader), *std::move(parser), std::move(state), origin);
}

// Shows the parser what was read before: its lines depend on them.
absl::Status BatchReader::RecallUpTo(const Origin& origin, const SourceState& state) {
  ASSIGN_OR_RETURN(LineReader again, LineReader::Open(origin.path, std::nullopt));
  for (Line line; again.Position() < state.bytes && again.Next(&line);) {
    parser_.Recall(line, state.lines + 1);
  }
  return again.status();
}

absl::StatusOr<std::optional<CutBatch>> BatchReader::Next() {
  CutBatch cut;
  EventBatch& batch = cut.batch;
  batch.source = state_.name;
  batch.from_bytes = batch.to_bytes = state_.bytes;
  batch.from_lines = batch.to_lines = state_.lines;
  batch.events = std::move(room_);
  Line line;
  while (batch.to_lines - batch.from_lines < batch_events_ &&
         batch.to_bytes - batch.from_bytes < kBatchSourceBytes && reader_.Next(&line)) {
    if (parser_.has_elements()) {
      TakeElements(line, &batch);
    } else {
      Take(line, &batch);
      ++batch.to_lines;
    }
    batch.to_bytes = reader_.Position();
  }
  if (batch.to_lines == batch.from_lines) RETURN_IF_ERROR(reader_.status());
  batch.to_bytes = reader_.Position();
  if (batch.to_bytes == batch.from_bytes) return std::nullopt;
  batch.to_digest = reader_.Digest();
  state_.bytes = batch.to_bytes;
  state_.lines = batch.to_lines;
  state_.digest = batch.to_digest;
  const ByteSource& source = reader_.source();
  cut.file_bytes = source.IsPlain() ? batch.to_bytes : source.FilePosition();
  return cut;
}

void BatchReader::Recycle(CutBatch done) {
  room_ = std::move(done.batch.events);
  room_.clear();
}

// Each element counts as a line; its number is its place among them, and the detail of a reject
// says on which line of the file it stands where that is another.
void BatchReader::TakeElements(const Line& line, EventBatch* batch) {
  parser_.ParseElements(line, &elements_);
  for (Element& element : elements_) {
    ++batch->to_lines;
    switch (element.kind) {
      case Element::Kind::kEvent:
        batch->events.push_back(std::move(element.event));
        JudgeNewest(batch);
        break;
      case Element::Kind::kProduct:
        batch->products.push_back(std::move(element.product));
        break;
      case Element::Kind::kCustomer:
        batch->customers.push_back(std::move(element.customer));
        break;
      case Element::Kind::kIgnored:
        ++batch->ignored[element.reason];
        break;
      case Element::Kind::kRejected:
        batch->rejects.push_back(ToReject(line, batch->to_lines, std::move(element)));
        break;
    }
  }
}

// Counts the newest event apart if its user agent is a robot's.
void BatchReader::JudgeNewest(EventBatch* batch) {
  if (judge_.has_value() && JudgeAgent(batch->events.back(), &*judge_) != 0) {
    batch->robots.push_back(static_cast<int32_t>(batch->events.size()) - 1);
  }
}

void BatchReader::Take(const Line& line, EventBatch* batch) {
  Event& event = batch->events.emplace_back();
  Outcome outcome = parser_.Parse(line, &event);
  if (outcome.kind == Outcome::Kind::kEvent) {
    JudgeNewest(batch);
    return;
  }
  batch->events.pop_back();
  if (outcome.kind == Outcome::Kind::kIgnored) {
    ++batch->ignored[outcome.reason];
    return;
  }
  Reject& reject = batch->rejects.emplace_back();
  reject.line = line.number;
  reject.byte_offset = line.offset;
  reject.reason = std::move(outcome.reason);
  reject.detail = std::move(outcome.detail);
  reject.raw = std::string(line.text.substr(0, limits::kRejectRawBytesMax));
  reject.raw_bytes = line.bytes;
  std::string context = parser_.Context();
  if (!context.empty() && context.size() <= limits::kRejectRawBytesMax) {
    reject.__set_context(std::move(context));
  }
}

}  // namespace vitrine
