#include "store/db_log.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/time/time.h"

#include "store/base/clock.h"
#include "store/base/limits.h"

namespace vitrine {
namespace {

class DbLog : public rocksdb::Logger {
 public:
  explicit DbLog(int fd) : Logger(rocksdb::InfoLogLevel::WARN_LEVEL), fd_(fd) {}
  ~DbLog() override {
    if (fd_ >= 0) ::close(fd_);
  }

  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    if (fd_ < 0) return;
    char line[1024];
    const std::string time =
        absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ ", absl::FromUnixMillis(Clock::System().NowMs()),
                         absl::UTCTimeZone());
    const size_t start = time.copy(line, sizeof(line));
    const int wanted = std::vsnprintf(line + start, sizeof(line) - start - 1, format, arguments);
    if (wanted < 0) return;
    size_t end = std::min(start + static_cast<size_t>(wanted), sizeof(line) - 2);
    line[end++] = '\n';
    // One write in append mode: lines of two threads do not mix. Nobody could be told that it
    // failed.
    [[maybe_unused]] const ssize_t written = ::write(fd_, line, end);
  }
  // The options of every table at every opening: they are in store/db.cc.
  void LogHeader(const char*, va_list) override {}

 private:
  const int fd_;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> OpenDbLog(const std::string& directory) {
  const std::string path = directory + "/LOG";
  struct stat facts;
  const bool full = ::stat(path.c_str(), &facts) == 0 &&
                    facts.st_size > static_cast<off_t>(limits::kDbLogBytesMax);
  const int fd =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (full ? O_TRUNC : 0), 0644);
  return std::make_shared<DbLog>(fd);
}

std::shared_ptr<rocksdb::Logger> NoDbLog() { return std::make_shared<DbLog>(-1); }

}  // namespace vitrine
