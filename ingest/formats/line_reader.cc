#include "ingest/formats/line_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"

#include "ingest/reasons.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kNpos = absl::string_view::npos;

// absl's find is a loop over single bytes here; memchr looks at 16 or 32 at a time.
size_t FindByte(absl::string_view text, char byte) {
  const void* const found = std::memchr(text.data(), byte, text.size());
  return found == nullptr ? kNpos
                          : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

// `text` without a carriage return at its end.
size_t WithoutReturn(absl::string_view text) {
  return text.size() - (absl::EndsWith(text, "\r") ? 1 : 0);
}

}  // namespace

absl::StatusOr<LineReader> LineReader::Open(const std::string& path,
                                            std::optional<char> csv_delimiter) {
  ASSIGN_OR_RETURN(FileWindow window, FileWindow::Open(path));
  LineReader reader(std::move(window), csv_delimiter);
  reader.SkipByteOrderMark();
  RETURN_IF_ERROR(reader.status());
  return reader;
}

bool LineReader::Fill() {
  if (status_.ok()) status_ = window_.Fill();
  return status_.ok();
}

void LineReader::SkipByteOrderMark() {
  if (Fill() && absl::StartsWith(window_.View(), kByteOrderMark)) {
    window_.Consume(kByteOrderMark.size());
  }
}

void LineReader::Consume(size_t bytes, int64_t lines) {
  last_byte_ = window_.View()[bytes - 1];
  window_.Consume(bytes);
  next_number_ += lines;
}

bool LineReader::Next(Line* line) {
  if (!Fill() || window_.View().empty()) return false;
  const absl::string_view view = window_.View();
  Extent extent = FindLine(view);
  line->number = next_number_;
  line->offset = window_.Position();
  if (extent.reason == reasons::kLineTooLong) {
    TakeLongLine(line);
    return status_.ok();
  }
  if (csv_delimiter_ && FindByte(view.substr(0, extent.text_bytes), '"') != kNpos) {
    extent = FindQuotedRecord(view, extent, *csv_delimiter_, window_.EndsInView());
  }
  if (!IsWhole(extent)) {
    status_ = window_.damage();
    return false;
  }
  line->text = view.substr(0, extent.text_bytes);
  line->reason = extent.reason;
  line->detail = extent.detail;
  line->bytes = static_cast<int64_t>(extent.text_bytes);
  if (!line->reason.empty()) line->text = line->text.substr(0, limits::kRejectRawBytesMax);
  Consume(extent.bytes, extent.lines);
  return true;
}

// Whether what was found ends where it does because it is over, not because the bytes are.
bool LineReader::IsWhole(const Extent& extent) const {
  if (extent.reason == reasons::kUnclosedQuote && !window_.damage().ok()) return false;
  return !growing_ || window_.View()[extent.bytes - 1] == '\n';
}

// The line at the front of `view`, quotes or not.
LineReader::Extent LineReader::FindLine(absl::string_view view) {
  Extent extent;
  size_t end = FindByte(view.substr(0, FileWindow::kLookAhead), '\n');
  if (end == kNpos) {
    end = view.size();  // the last line, or one that goes on beyond the view
    extent.bytes = end;
  } else {
    extent.bytes = end + 1;
  }
  extent.text_bytes = WithoutReturn(view.substr(0, end));
  if (extent.text_bytes > limits::kLineBytesMax) extent.reason = reasons::kLineTooLong;
  return extent;
}

// The CSV record at the front of `view`, whose first line holds a quote.
LineReader::Extent LineReader::FindQuotedRecord(absl::string_view view, const Extent& first_line,
                                                char delimiter, bool ends_in_view) {
  const auto fault = [&](int64_t lines) {
    Extent extent = first_line;
    extent.reason = lines > 1 ? reasons::kUnclosedQuote : reasons::kBadQuote;
    extent.detail = lines > 1 ? "a quoted field does not end on this line, nor well on a later one"
                              : "a quoted field goes on after its closing quote";
    return extent;
  };
  const size_t limit = std::min(view.size(), FileWindow::kLookAhead);
  enum { kFieldStart, kPlain, kQuoted, kClosed } state = kFieldStart;
  Extent extent;
  for (size_t i = 0; i < limit; ++i) {
    const char c = view[i];
    if (state == kQuoted) {
      if (c == '\n') ++extent.lines;
      if (c != '"') continue;
      if (i + 1 < limit && view[i + 1] == '"') {
        ++i;
      } else {
        state = kClosed;
      }
    } else if (c == '\n') {
      extent.text_bytes = WithoutReturn(view.substr(0, i));
      extent.bytes = i + 1;
      return extent.text_bytes > limits::kLineBytesMax ? fault(/*lines=*/2) : extent;
    } else if (c == delimiter) {
      state = kFieldStart;
    } else if (state == kClosed) {
      const bool ends_line = c == '\r' && (i + 1 == view.size() || view[i + 1] == '\n');
      if (!ends_line) return fault(extent.lines);
    } else {
      state = state == kFieldStart && c == '"' ? kQuoted : kPlain;
    }
  }
  extent.text_bytes = WithoutReturn(view);
  extent.bytes = view.size();
  const bool complete = state != kQuoted && limit == view.size() && ends_in_view &&
                        extent.text_bytes <= limits::kLineBytesMax;
  return complete ? extent : fault(/*lines=*/2);
}

// Keeps the beginning of a line and drops the rest as it comes into view.
void LineReader::TakeLongLine(Line* line) {
  long_line_.assign(window_.View().data(), limits::kRejectRawBytesMax);
  line->text = long_line_;
  line->bytes = 0;
  line->reason = reasons::kLineTooLong;
  line->detail = "the line is longer than the limit of 1 MiB";
  static_assert(limits::kLineBytesMax == 1 << 20, "the message above names the limit");
  do {
    const absl::string_view view = window_.View();
    const size_t end = FindByte(view, '\n');
    if (end != kNpos) {
      line->bytes += static_cast<int64_t>(end);
      Consume(end + 1, 1);
      return;
    }
    line->bytes += static_cast<int64_t>(view.size());
    Consume(view.size(), 0);
  } while (Fill() && !window_.View().empty());
}

Line LineReader::Reread(absl::string_view text, std::optional<char> csv_delimiter) {
  Extent extent = FindLine(text);
  if (csv_delimiter && FindByte(text, '"') != kNpos) {
    extent = FindQuotedRecord(text, extent, *csv_delimiter, /*ends_in_view=*/true);
  }
  Line line;
  line.text = text;
  line.bytes = static_cast<int64_t>(text.size());
  line.reason = extent.reason;
  line.detail = extent.detail;
  if (line.reason.empty() && extent.bytes != text.size()) {
    line.reason = reasons::kBadQuote;
    line.detail = "read alone, this is more than one line";
  }
  return line;
}

bool LineReader::SkipTo(int64_t position) {
  while (Position() < position) {
    if (!Fill() || window_.View().empty()) return false;
    const auto wanted = static_cast<size_t>(position - Position());
    const absl::string_view skipped = window_.View().substr(0, wanted);
    Consume(skipped.size(), std::count(skipped.begin(), skipped.end(), '\n'));
  }
  return Position() == position;
}

bool LineReader::SkipLineEnd() {
  if (last_byte_ == '\n') return true;
  if (!Fill()) return false;
  const absl::string_view view = window_.View();
  if (view.empty()) return true;
  const size_t bytes = absl::StartsWith(view, "\r\n") ? 2 : 1;
  if (bytes == 1 && view.front() != '\n') return false;
  Consume(bytes, 1);
  return true;
}

}  // namespace vitrine
