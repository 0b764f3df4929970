// Files of ../shared/data, which are packed.

#ifndef VITRINE_TESTS_TESTING_UNPACK_H_
#define VITRINE_TESTS_TESTING_UNPACK_H_

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace vitrine {

// What `zstd -dc` makes of a file. NotFound without it.
inline absl::StatusOr<std::string> Unpack(const std::string& path) {
  if (!std::filesystem::exists(path))
    return absl::NotFoundError(absl::StrCat(path, " is not here"));
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
      ::popen(absl::StrCat("zstd -dc '", path, "'").c_str(), "r"), ::pclose);
  std::string text;
  char buffer[1 << 16];
  for (size_t n = 0; (n = std::fread(buffer, 1, sizeof(buffer), pipe.get())) > 0;) {
    text.append(buffer, n);
  }
  return text;
}

}  // namespace vitrine

#endif  // VITRINE_TESTS_TESTING_UNPACK_H_
