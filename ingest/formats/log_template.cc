#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "ingest/formats/log_parsers.h"
#include "ingest/reasons.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kNpos = absl::string_view::npos;

// A variable and the text up to the next one.
struct Piece {
  std::string variable;
  LogField field = LogField::kNone;
  std::string literal;        // behind the variable
  bool ends_at_path = false;  // nothing behind it, but a path comes next: $host$request_uri
};

struct Template {
  std::string prefix;  // before the first variable
  std::vector<Piece> pieces;
};

bool IsNameCharacter(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// Takes "$name" or "${name}" off the front; empty: there is none.
absl::string_view TakeVariable(absl::string_view* format) {
  absl::string_view rest = format->substr(1);
  const bool braced = absl::StartsWith(rest, "{");
  if (braced) rest.remove_prefix(1);
  size_t bytes = 0;
  while (bytes < rest.size() && IsNameCharacter(rest[bytes])) ++bytes;
  if (bytes == 0 || (braced && (bytes == rest.size() || rest[bytes] != '}'))) return {};
  const absl::string_view name = rest.substr(0, bytes);
  rest.remove_prefix(bytes + (braced ? 1 : 0));
  *format = rest;
  return name;
}

absl::StatusOr<Template> Compile(absl::string_view format, const LogFormatOptions& options) {
  Template compiled;
  std::vector<LogField> fields;
  std::string* literal = &compiled.prefix;
  while (!format.empty()) {
    if (format.front() != '$') {
      literal->push_back(format.front());
      format.remove_prefix(1);
      continue;
    }
    const absl::string_view name = TakeVariable(&format);
    if (name.empty()) return absl::InvalidArgumentError("a $ has no variable's name behind it");
    const LogField field = LogFieldNamed(name, options);
    if (!compiled.pieces.empty() && compiled.pieces.back().literal.empty()) {
      Piece& before = compiled.pieces.back();
      if (field != LogField::kTarget) {
        return absl::InvalidArgumentError(absl::StrCat("nothing stands between $", before.variable,
                                                       " and $", name, ", to tell them apart"));
      }
      before.ends_at_path = true;
    }
    compiled.pieces.push_back({.variable = std::string(name), .field = field, .literal = {}});
    literal = &compiled.pieces.back().literal;
    fields.push_back(field);
  }
  RETURN_IF_ERROR(CheckLogFields(fields, "log_format"));
  return compiled;
}

bool IsEscaped(absl::string_view text, size_t at) {
  size_t backslashes = 0;
  while (at > backslashes && text[at - 1 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 1;
}

// Where `literal` begins in `text`; a quote that a backslash escapes begins none.
size_t FindLiteral(absl::string_view text, absl::string_view literal) {
  for (size_t at = FindByte(text, literal[0]); at != kNpos;
       at = FindByte(text, literal[0], at + 1)) {
    const bool escaped = literal[0] == '"' && IsEscaped(text, at);
    if (!escaped && absl::StartsWith(text.substr(at), literal)) return at;
  }
  return kNpos;
}

class TemplateParser : public LogParser {
 public:
  TemplateParser(Template compiled, absl::string_view description)
      : template_(std::move(compiled)), description_(description) {}

  absl::StatusOr<bool> Parse(absl::string_view line, LogRecord* record) override {
    record->fields.fill({});
    if (!absl::StartsWith(line, template_.prefix)) {
      return Fault(reasons::kBadLogLine, "the line does not begin with ", Shown(template_.prefix));
    }
    absl::string_view rest = line.substr(template_.prefix.size());
    for (const Piece& piece : template_.pieces) {
      const size_t end = EndOf(piece, rest);
      if (end == kNpos) {
        return Fault(reasons::kBadLogLine, "no ", Shown(piece.literal), " behind $", piece.variable,
                     ", which begins at column ", line.size() - rest.size() + 1);
      }
      if (piece.field != LogField::kNone) {
        absl::string_view& value = (*record)[piece.field];
        const absl::string_view found = rest.substr(0, end);
        if (value.empty() || (found != "-" && !found.empty())) value = found;
      }
      rest.remove_prefix(end + piece.literal.size());
    }
    RETURN_IF_ERROR(reader_.Read(FindByte(line, '\\') != kNpos, line.size(), record));
    return true;
  }

  std::string Description() const override { return description_; }

 private:
  // Where the piece's value ends in `rest`.
  size_t EndOf(const Piece& piece, absl::string_view rest) const {
    if (piece.ends_at_path) return FindByte(rest, '/');
    if (&piece != &template_.pieces.back()) return FindLiteral(rest, piece.literal);
    // The last one reaches to the end of the line.
    if (!absl::EndsWith(rest, piece.literal)) return kNpos;
    return rest.size() - piece.literal.size();
  }

  const Template template_;
  const std::string description_;
  LogFieldReader reader_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LogParser>> MakeTemplateParser(absl::string_view log_format,
                                                              absl::string_view description,
                                                              const LogFormatOptions& options) {
  ASSIGN_OR_RETURN(Template compiled, Compile(log_format, options));
  return std::make_unique<TemplateParser>(std::move(compiled), description);
}

}  // namespace vitrine
