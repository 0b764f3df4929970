#include "api/cli/log.h"

#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "spdlog/details/log_msg.h"
#include "spdlog/formatter.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

#include "api/render/render.h"

namespace vitrine::cli {
namespace {

constexpr absl::string_view kKeyBegin = "vk_";

// "vk_<id>_<secret>" (api/auth/key_ring.h) without the secret, wherever it stands.
std::string WithoutSecrets(absl::string_view text) {
  std::string out;
  while (true) {
    const size_t key = text.find(kKeyBegin);
    const size_t secret =
        key == absl::string_view::npos ? key : text.find('_', key + kKeyBegin.size());
    if (secret == absl::string_view::npos) return absl::StrCat(out, text);
    absl::StrAppend(&out, text.substr(0, secret + 1), "***");
    text.remove_prefix(secret + 1);
    while (!text.empty() && (absl::ascii_isalnum(static_cast<unsigned char>(text[0])) ||
                             text[0] == '_' || text[0] == '-')) {
      text.remove_prefix(1);
    }
  }
}

class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(bool json) : json_(json) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto level = spdlog::level::to_string_view(message.level);
    const std::string line = LogLine(absl::FromChrono(message.time), {level.data(), level.size()},
                                     {message.payload.data(), message.payload.size()}, json_);
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(json_);
  }

 private:
  const bool json_;
};

}  // namespace

std::string LogLine(absl::Time time, absl::string_view level, absl::string_view message,
                    bool json) {
  const std::string stamp = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
  std::string text = WithoutSecrets(message);
  if (!json) return absl::StrCat(stamp, " ", level, " ", EscapeForTerminal(text), "\n");
  nlohmann::ordered_json line = {{"time", stamp}, {"level", std::string(level)}};
  absl::string_view rest = text;
  const size_t colon = rest.find(": ");
  if (absl::ConsumePrefix(&rest, "site ") && colon != absl::string_view::npos) {
    line["site"] = text.substr(5, colon - 5);
    text.erase(0, colon + 2);
  }
  line["message"] = text;
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void SetUpLog(bool json) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("vitrine"));
  spdlog::set_formatter(std::make_unique<LineFormatter>(json));
}

}  // namespace vitrine::cli
