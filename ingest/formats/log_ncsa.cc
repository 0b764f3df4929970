#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "ingest/formats/log_parsers.h"
#include "ingest/reasons.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kNpos = absl::string_view::npos;

// What is left of a line, read from the front. After the first failure nothing more is taken.
class Rest {
 public:
  explicit Rest(absl::string_view line) : line_(line), rest_(line) {}

  bool ok() const { return missing_.empty(); }
  bool empty() const { return rest_.empty(); }

  // Up to the next blank, which is left behind too.
  absl::string_view Token(absl::string_view what) {
    const size_t blank = FindByte(rest_, ' ');
    if (blank == kNpos || blank == 0) return Fail(what);
    return Take(blank, 1);
  }

  // Up to " [" and behind it: a user's name may hold blanks.
  absl::string_view BeforeBracket(absl::string_view what) {
    size_t bracket = FindByte(rest_, '[');
    while (bracket != kNpos && (bracket == 0 || rest_[bracket - 1] != ' ')) {
      bracket = FindByte(rest_, '[', bracket + 1);
    }
    if (bracket == kNpos || bracket < 2) return Fail(what);
    return Take(bracket - 1, 2);
  }

  // Up to "] ".
  absl::string_view BeforeBracketEnd(absl::string_view what) {
    const size_t bracket = FindByte(rest_, ']');
    if (bracket == kNpos || bracket + 1 >= rest_.size() || rest_[bracket + 1] != ' ') {
      return Fail(what);
    }
    return Take(bracket, 2);
  }

  // What stands in quotes at the front. Some servers do not escape a quote inside: the closing one
  // is followed by a blank and a character for which `follows` holds, or by the line's end.
  template <typename Follows>
  absl::string_view Quoted(absl::string_view what, Follows follows) {
    if (rest_.empty() || rest_.front() != '"') return Fail(what);
    for (size_t quote = FindByte(rest_, '"', 1); quote != kNpos;
         quote = FindByte(rest_, '"', quote + 1)) {
      if (IsEscaped(quote)) continue;
      const bool ends = quote + 1 == rest_.size();
      if (!ends &&
          (rest_[quote + 1] != ' ' || quote + 2 == rest_.size() || !follows(rest_[quote + 2]))) {
        continue;
      }
      const absl::string_view text = rest_.substr(1, quote - 1);
      rest_.remove_prefix(ends ? quote + 1 : quote + 2);
      return text;
    }
    return Fail(what);
  }

  // A token, or all that is left.
  absl::string_view LastToken(absl::string_view what) {
    if (rest_.empty()) return Fail(what);
    const size_t blank = FindByte(rest_, ' ');
    return blank == kNpos ? Take(rest_.size(), 0) : Take(blank, 1);
  }

  absl::Status Fault() const {
    return vitrine::Fault(reasons::kBadLogLine, "no ", missing_, " at column ", column_);
  }

  absl::string_view Fail(absl::string_view what) {
    if (missing_.empty()) {
      missing_ = what;
      column_ = line_.size() - rest_.size() + 1;
    }
    rest_ = {};
    return {};
  }

 private:
  absl::string_view Take(size_t bytes, size_t behind) {
    const absl::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes + behind);
    return taken;
  }

  // Whether an odd number of backslashes stands before byte `at`.
  bool IsEscaped(size_t at) const {
    size_t backslashes = 0;
    while (at > backslashes && rest_[at - 1 - backslashes] == '\\') ++backslashes;
    return backslashes % 2 == 1;
  }

  const absl::string_view line_;
  absl::string_view rest_;
  absl::string_view missing_;
  size_t column_ = 0;
};

class NcsaParser : public LogParser {
 public:
  NcsaParser(bool vhost, bool combined) : vhost_(vhost), combined_(combined) {}

  absl::StatusOr<bool> Parse(absl::string_view line, LogRecord* record) override {
    record->fields.fill({});
    Rest rest(line);
    if (vhost_) (*record)[LogField::kHost] = rest.Token("virtual host");
    (*record)[LogField::kAddress] = rest.Token("client address");
    rest.Token("identity");
    (*record)[LogField::kUser] = rest.BeforeBracket("user and [time]");
    (*record)[LogField::kTime] = rest.BeforeBracketEnd("end of [time]");
    (*record)[LogField::kRequest] =
        rest.Quoted("\"request\"", [](char c) { return absl::ascii_isdigit(c) || c == '-'; });
    (*record)[LogField::kStatus] = rest.Token("status");
    rest.LastToken("size");
    if (combined_) {
      (*record)[LogField::kReferrer] = rest.Quoted("\"referrer\"", [](char c) { return c == '"'; });
      (*record)[LogField::kUserAgent] = rest.Quoted("\"user agent\"", [](char) { return true; });
    } else if (rest.ok() && !rest.empty()) {
      rest.Fail("end of line");
    }
    if (!rest.ok()) return rest.Fault();
    RETURN_IF_ERROR(reader_.Read(FindByte(line, '\\') != kNpos, line.size(), record));
    return true;
  }

  std::string Description() const override {
    return absl::StrCat("the ", combined_ ? "combined" : "common", " log format",
                        vhost_ ? " with virtual host" : "");
  }

 private:
  const bool vhost_;
  const bool combined_;
  LogFieldReader reader_;
};

}  // namespace

std::unique_ptr<LogParser> MakeNcsaParser(bool vhost, bool combined) {
  return std::make_unique<NcsaParser>(vhost, combined);
}

}  // namespace vitrine
