// Lines with their place in the file, so that an import can go on where it stopped. Our own,
// since no CSV library of Debian says at which byte a record begins or can start at one.

#ifndef VITRINE_INGEST_FORMATS_LINE_READER_H_
#define VITRINE_INGEST_FORMATS_LINE_READER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "ingest/formats/file_window.h"

namespace vitrine {

struct Line {
  // Without the line end; valid until the next call. Of a line that has a fault, as much as a
  // Reject keeps.
  absl::string_view text;
  int64_t number = 0;  // from 1; of a CSV record, the line on which it begins
  int64_t offset = 0;  // of its first byte
  // Why it cannot be read (reasons.h), and for whom this is news. Empty: it can.
  absl::string_view reason;
  absl::string_view detail;
  int64_t bytes = 0;     // of the whole line, where `text` is cut
  absl::string_view id;  // of a line that is read again: the id of its event, if it carries none
};

// Line ends are \n or \r\n; a UTF-8 byte order mark at the beginning of the file is skipped; a
// last line without a line end is a line. With a delimiter a record may span lines inside quotes
// (RFC 4180). Not thread-safe.
//
//   for (Line line; reader.Next(&line);) Use(line);
//   RETURN_IF_ERROR(reader.status());
class LineReader {
 public:
  // `csv_delimiter` turns quotes on. Errors as ByteSource::Open.
  static absl::StatusOr<LineReader> Open(const std::string& path,
                                         std::optional<char> csv_delimiter);

  // A line longer than limits::kLineBytesMax is skipped, not kept (`line_too_long`). A quote that
  // is not closed within that many bytes costs its own line only (`unclosed_quote`): reading goes
  // on with the line after it. So does one that is closed in the middle of a field (`bad_quote`).
  bool Next(Line* line);
  const absl::Status& status() const { return status_; }

  // `text`, which was a line once, as one: with the faults that Next would find in it.
  static Line Reread(absl::string_view text, std::optional<char> csv_delimiter);

  // Reads on to byte `position` without looking at lines. False if that lies behind the reader or
  // beyond the end of the file.
  bool SkipTo(int64_t position);

  // For a reader that stands where the file once ended, without a line end: skips the line end that
  // has come since. False if the line itself has grown.
  bool SkipLineEnd();

  // What comes next, as far as it is in view (at least FileWindow::kLookAhead bytes, or all).
  absl::string_view Ahead() const { return window_.View(); }

  // Of the bytes read so far, up to the end of the last line.
  int64_t Position() const { return window_.Position(); }
  int64_t Digest() { return window_.Digest(); }
  const ByteSource& source() const { return window_.source(); }

  // Of a file that still grows, a last line without a line end is no line yet: Next() is false
  // until it is whole. REQUIRES: no CSV, whose records may span lines.
  void SetGrowing(bool growing) { growing_ = growing; }

  // The file was at its end and may have grown since.
  void LookAgain() { window_.LookAgain(); }

 private:
  struct Extent {
    size_t text_bytes = 0;
    size_t bytes = 0;  // with the line end
    int64_t lines = 1;
    absl::string_view reason, detail;
  };

  LineReader(FileWindow window, std::optional<char> csv_delimiter)
      : window_(std::move(window)), csv_delimiter_(csv_delimiter) {}

  bool Fill();
  bool IsWhole(const Extent& extent) const;
  void SkipByteOrderMark();
  static Extent FindLine(absl::string_view view);
  static Extent FindQuotedRecord(absl::string_view view, const Extent& first_line, char delimiter,
                                 bool ends_in_view);
  void TakeLongLine(Line* line);
  void Consume(size_t bytes, int64_t lines);

  FileWindow window_;
  std::optional<char> csv_delimiter_;
  bool growing_ = false;
  int64_t next_number_ = 1;
  char last_byte_ = '\n';  // before Position(); a line end where no line was read yet
  absl::Status status_;
  std::string long_line_;  // the beginning of a line that was skipped
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_LINE_READER_H_
