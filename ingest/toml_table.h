// One table of a TOML file, read key by key, so that what nobody asked for can be refused.

#ifndef VITRINE_INGEST_TOML_TABLE_H_
#define VITRINE_INGEST_TOML_TABLE_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <toml++/toml.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace vitrine {

// Reads the keys of one table and remembers which it was asked for; what is left over is a typo.
// The first error is kept, and everything after it is read as absent. Messages name the file and
// the line. Not thread-safe.
class TomlTable {
 public:
  // `table`, `file` and `error` outlive the reader; `error` is shared by all readers of one file.
  TomlTable(const toml::table& table, absl::string_view file, absl::Status* error)
      : table_(table), file_(file), error_(error) {}

  bool Has(absl::string_view key) const;

  std::string String(absl::string_view key);  // empty: not there
  bool Bool(absl::string_view key, bool otherwise);
  int64_t Integer(absl::string_view key, int64_t otherwise);

  // A list of strings; one string is a list of one.
  std::vector<std::string> Strings(absl::string_view key);

  // The table at `key`; an empty one if there is none.
  TomlTable Table(absl::string_view key);

  // The tables of [[key]].
  std::vector<TomlTable> Tables(absl::string_view key);

  // All keys, in the order of the alphabet.
  std::vector<std::string> Keys() const;

  // Where `key` stands (this table, if it is absent): `key` and what is wrong with it.
  void FailAt(absl::string_view key, absl::string_view what);

  // Call last: a key that nobody asked for is an error, and the one to tell, since what is missed
  // elsewhere is likely what it was meant to be.
  void RefuseOthers();

 private:
  const toml::node* Find(absl::string_view key);
  template <typename T>
  T Value(absl::string_view key, absl::string_view type, T otherwise);
  void Fail(const toml::node& node, absl::string_view what);
  absl::Status ErrorAt(const toml::node& node, absl::string_view what) const;

  const toml::table& table_;
  const absl::string_view file_;
  absl::Status* const error_;
  std::set<std::string> known_;
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_TOML_TABLE_H_
