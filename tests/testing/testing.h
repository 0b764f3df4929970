// What every test needs: a folder that goes away, an event in one line, a Status that must be OK.

#ifndef VITRINE_TESTS_TESTING_TESTING_H_
#define VITRINE_TESTS_TESTING_TESTING_H_

#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/records_types.h"

#define EXPECT_OK(expression) EXPECT_EQ((expression), absl::OkStatus())
#define ASSERT_OK(expression) ASSERT_EQ((expression), absl::OkStatus())

namespace vitrine::testing {

// The value, or a failed test with the error's text.
template <typename T>
T Value(absl::StatusOr<T> value) {
  if (!value.ok()) {
    ADD_FAILURE() << value.status();
    std::abort();
  }
  return *std::move(value);
}

// Made empty, removed with everything in it.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vitrine.XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string File(absl::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

// A customer's (or, with the id starting with "v:", a visitor's) event about one product.
inline Event MakeEvent(absl::string_view id, absl::string_view person, int64_t time_ms,
                       EventKind kind, absl::string_view product = "") {
  Event event;
  event.id = std::string(id);
  event.time_ms = time_ms;
  event.kind = kind;
  if (person.substr(0, 2) == "v:") {
    event.__set_visitor_id(std::string(person.substr(2)));
  } else {
    event.__set_customer_id(std::string(person));
  }
  if (!product.empty()) {
    Item item;
    item.product_id = std::string(product);
    event.__set_items({item});
  }
  return event;
}

}  // namespace vitrine::testing

#endif  // VITRINE_TESTS_TESTING_TESTING_H_
