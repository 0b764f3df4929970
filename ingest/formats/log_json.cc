#include <simdjson.h>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

#include "ingest/formats/log_parsers.h"
#include "ingest/percent.h"
#include "ingest/reasons.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

namespace ondemand = simdjson::ondemand;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

class JsonLogParser : public LogParser {
 public:
  explicit JsonLogParser(LogFormatOptions options) : options_(std::move(options)) {}

  absl::StatusOr<bool> Parse(absl::string_view line, LogRecord* record) override {
    record->fields.fill({});
    Copy(line);
    if (const simdjson::error_code error = ReadFields(record); error != simdjson::SUCCESS) {
      return Fault(reasons::kBadLogLine, simdjson::error_message(error));
    }
    RETURN_IF_ERROR(reader_.Read(/*escaped=*/false, line.size(), record));
    if ((*record)[LogField::kTarget].empty() && (*record)[LogField::kRequest].empty()) {
      return Fault(reasons::kBadLogLine, "no key of the object is known to hold a request");
    }
    return true;
  }

  std::string Description() const override { return "a log of JSON objects"; }

 private:
  // Into `padded_`, with the room behind it that simdjson reads. Without escape=json nginx writes
  // \x22, which is no JSON: it becomes %22. So does what is no UTF-8.
  void Copy(absl::string_view line) {
    padded_.clear();
    AppendAsUtf8(line, &padded_);
    for (size_t at = padded_.find("\\x"); at != std::string::npos; at = padded_.find("\\x", at)) {
      padded_.replace(at, 2, "%");
    }
    padded_.reserve(padded_.size() + simdjson::SIMDJSON_PADDING);
  }

  simdjson::error_code ReadFields(LogRecord* record) {
    ondemand::document document;
    ondemand::object object;
    SIMDJSON_TRY(parser_.iterate(padded_.data(), padded_.size(), padded_.capacity()).get(document));
    SIMDJSON_TRY(document.get_object().get(object));
    size_t position = 0;
    for (auto result : object) {
      ondemand::field field;
      SIMDJSON_TRY(std::move(result).get(field));
      std::string_view key;
      SIMDJSON_TRY(field.unescaped_key().get(key));
      const LogField which = FieldOf(View(key), position++);
      if (which == LogField::kNone) continue;
      absl::string_view value;
      SIMDJSON_TRY(ReadValue(field.value(), &value));
      if (!value.empty() && value != "-") (*record)[which] = value;
    }
    const bool more = document.current_location().error() == simdjson::SUCCESS;
    return more ? simdjson::TRAILING_CONTENT : simdjson::SUCCESS;
  }

  // A string, or a number as it stands there; anything else is as good as absent.
  static simdjson::error_code ReadValue(ondemand::value value, absl::string_view* text) {
    ondemand::json_type type;
    SIMDJSON_TRY(value.type().get(type));
    if (type == ondemand::json_type::string) {
      std::string_view read;
      SIMDJSON_TRY(value.get_string().get(read));
      *text = View(read);
    } else if (type == ondemand::json_type::number) {
      *text = absl::StripAsciiWhitespace(View(value.raw_json_token()));
    }
    return simdjson::SUCCESS;
  }

  // Lines have the same keys in the same places, so that the last line knows.
  LogField FieldOf(absl::string_view key, size_t position) {
    constexpr size_t kKeysKept = 64;
    if (position < keys_.size() && keys_[position].first == key) return keys_[position].second;
    // "date" may be any time here.
    const LogField field = key == "date" ? LogField::kTime : LogFieldNamed(key, options_);
    if (position < keys_.size()) {
      keys_[position] = {std::string(key), field};
    } else if (position == keys_.size() && position < kKeysKept) {
      keys_.emplace_back(key, field);
    }
    return field;
  }

  const LogFormatOptions options_;
  ondemand::parser parser_;
  std::string padded_;
  std::vector<std::pair<std::string, LogField>> keys_;
  LogFieldReader reader_;
};

}  // namespace

std::unique_ptr<LogParser> MakeJsonLogParser(const LogFormatOptions& options) {
  return std::make_unique<JsonLogParser>(options);
}

}  // namespace vitrine
