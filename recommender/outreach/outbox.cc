#include "recommender/outreach/outbox.h"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <nlohmann/json.hpp>

#include "store/base/atomic_file.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// Of texts by language: the customer's, else English, else any.
std::string TextFor(const Json& texts, const std::string& language) {
  for (const std::string& wanted : {language, language.substr(0, 2), std::string("en")}) {
    const auto found = texts.find(wanted);
    if (found != texts.end() && found->is_string()) return found->get<std::string>();
  }
  for (const auto& text : texts) {
    if (text.is_string()) return text.get<std::string>();
  }
  return "";
}

void AddMessage(const std::string& message, const std::string& language, Json* line) {
  const Json said = Json::parse(message, nullptr, /*allow_exceptions=*/false);
  if (!said.is_object()) {
    if (!message.empty()) (*line)["text"] = message;
    return;
  }
  for (const auto& [key, value] : said.items()) {
    if (key == "texts" && value.is_object()) {
      const std::string text = TextFor(value, language);
      if (!text.empty()) (*line)["text"] = text;
    } else if (!line->contains(key)) {
      (*line)[key] = value;
    }
  }
}

}  // namespace

std::string OutboxLine(const PlannedContact& plan, const CustomerFacts& facts) {
  Json line;
  line["id"] = plan.id;
  line["time_ms"] = plan.time_ms;
  line["customer_id"] = plan.customer_id;
  line["channel"] = ChannelName(plan.channel);
  line["purpose"] = plan.purpose;
  if (plan.__isset.campaign) line["campaign"] = plan.campaign;
  const std::string& to = plan.channel == SMS ? facts.phone : facts.email;
  if ((plan.channel == SMS || plan.channel == EMAIL) && !to.empty()) line["to"] = to;
  if (!facts.name.empty()) line["name"] = facts.name;
  if (!facts.language.empty()) line["language"] = facts.language;
  AddMessage(plan.message, facts.language, &line);
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::Status EraseFromOutbox(const std::string& path, std::span<const std::string> customers) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  if (!file) return absl::OkStatus();
  const absl::flat_hash_set<std::string> erased(customers.begin(), customers.end());
  std::streamoff begin = 0;
  for (std::string line; std::getline(file, line);) {
    const bool is_whole = !file.eof();
    const auto end = begin + static_cast<std::streamoff>(line.size()) + (is_whole ? 1 : 0);
    const Json read = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    const auto customer = read.is_object() ? read.find("customer_id") : read.end();
    if (customer != read.end() && customer->is_string() &&
        erased.contains(customer->get<std::string>())) {
      std::string blank(line.size(), ' ');
      blank.replace(0, 2, "{}");
      file.clear();
      file.seekp(begin);
      file << blank;
      file.seekg(end);
    }
    begin = end;
  }
  file.clear();
  file.flush();
  if (!file) return absl::InternalError(path + ": cannot be written to");
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fdatasync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  return synced ? absl::OkStatus() : ErrnoStatus("cannot sync", path, error);
}

void Outbox::Closer::operator()(const int* fd) const {
  ::close(*fd);
  delete fd;
}

Outbox::Outbox(std::string path, int fd) : path_(std::move(path)), fd_(new int(fd)) {}

absl::StatusOr<Outbox> Outbox::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return ErrnoStatus("cannot open", path, errno);
  Outbox outbox(path, fd);
  RETURN_IF_ERROR(outbox.ReadIds());
  RETURN_IF_ERROR(SyncFolderOf(path));
  return outbox;
}

absl::Status Outbox::ReadIds() {
  std::ifstream in(path_, std::ios::binary);
  off_t whole = 0;
  for (std::string line; std::getline(in, line);) {
    if (in.eof()) break;  // it has no line end: it was cut off
    whole += static_cast<off_t>(line.size()) + 1;
    const Json read = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (read.is_object() && read.contains("id") && read["id"].is_string()) {
      ids_.insert(read["id"].get<std::string>());
    }
  }
  if (::ftruncate(*fd_, whole) != 0) return ErrnoStatus("cannot cut", path_, errno);
  return absl::OkStatus();
}

absl::Status Outbox::Append(const std::string& id, const std::string& line) {
  struct stat at = {};
  if (::stat(path_.c_str(), &at) != 0) {  // worked off, and taken away
    ASSIGN_OR_RETURN(Outbox next, Open(path_));
    fd_ = std::move(next.fd_);
  }
  if (!ids_.insert(id).second) return absl::OkStatus();
  return WriteAll(*fd_, line, path_);
}

absl::Status Outbox::Sync() {
  if (::fdatasync(*fd_) == 0) return absl::OkStatus();
  return ErrnoStatus("cannot sync", path_, errno);
}

}  // namespace vitrine
