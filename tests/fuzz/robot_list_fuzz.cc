// The files that list robots, in both forms: the first line is a user agent to look up, the rest
// the file. A list that is read answers, twice the same.

#include "ingest/robots/list_files.h"
#include "tests/fuzz/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  absl::string_view rest = fuzz::Text(data, size);
  const std::string user_agent(fuzz::TakeLine(&rest));
  const std::string file(rest);
  for (const auto& read : {ReadUapCore, ReadCrawlerList}) {
    const absl::StatusOr<std::unique_ptr<RobotList>> list = read(file);
    if (!list.ok()) {
      CHECK(absl::IsInvalidArgument(list.status())) << list.status();
      continue;
    }
    CHECK((*list)->Knows(user_agent) == (*list)->Knows(user_agent));
  }
  return 0;
}
