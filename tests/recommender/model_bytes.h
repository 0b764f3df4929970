// Model files taken apart and put together by hand, as recommender/model/README.md draws them: the
// plain twin of the writer, and a way to what lies behind the checksums.

#ifndef VITRINE_TESTS_RECOMMENDER_MODEL_BYTES_H_
#define VITRINE_TESTS_RECOMMENDER_MODEL_BYTES_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "store/base/check.h"
#include "store/base/crc32c.h"

namespace vitrine::testing {

struct ModelSection {
  std::string name;
  std::string bytes;
};

template <typename T>
void PutValue(T value, size_t at, std::string* out) {
  std::memcpy(out->data() + at, &value, sizeof(value));
}

template <typename T>
T GetValue(absl::string_view bytes, size_t at) {
  T value;
  CHECK(at + sizeof(value) <= bytes.size());
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

inline std::vector<ModelSection> SectionsOf(absl::string_view file) {
  std::vector<ModelSection> sections(GetValue<uint32_t>(file, 12));
  for (size_t s = 0; s < sections.size(); ++s) {
    const size_t entry = 32 + 48 * s;
    sections[s].name = std::string(file.substr(entry, 24)).c_str();
    sections[s].bytes = std::string(
        file.substr(GetValue<uint64_t>(file, entry + 24), GetValue<uint64_t>(file, entry + 32)));
  }
  return sections;
}

inline std::string FileOf(uint32_t version, const std::vector<ModelSection>& sections) {
  const size_t table_end = 32 + 48 * sections.size();
  std::string file(table_end, '\0');
  for (size_t s = 0; s < sections.size(); ++s) {
    file.resize((file.size() + 63) / 64 * 64, '\0');
    const size_t entry = 32 + 48 * s;
    std::memcpy(file.data() + entry, sections[s].name.data(), sections[s].name.size());
    PutValue<uint64_t>(file.size(), entry + 24, &file);
    PutValue<uint64_t>(sections[s].bytes.size(), entry + 32, &file);
    PutValue(Crc32c(sections[s].bytes), entry + 40, &file);
    file += sections[s].bytes;
  }
  file.replace(0, 8, "VITRMODL");
  PutValue(version, 8, &file);
  PutValue(static_cast<uint32_t>(sections.size()), 12, &file);
  PutValue<uint64_t>(file.size(), 16, &file);
  PutValue(Crc32c(absl::string_view(file).substr(32, table_end - 32)), 24, &file);
  PutValue(Crc32c(absl::string_view(file).substr(0, 28)), 28, &file);
  return file;
}

// The same products as version 1 had them: four sections, each id behind its length.
inline std::string AsVersion1(absl::string_view file) {
  std::vector<ModelSection> kept;
  for (ModelSection& section : SectionsOf(file)) {
    if (section.name == "products") {
      const std::string from = std::move(section.bytes);
      const size_t offsets = SectionsOf(file)[4].bytes.size() / sizeof(float) + 1;
      section.bytes.clear();
      for (size_t i = 0; i + 1 < offsets; ++i) {
        const auto begin = GetValue<uint64_t>(from, 8 * i);
        const auto length = static_cast<uint16_t>(GetValue<uint64_t>(from, 8 * i + 8) - begin);
        section.bytes.append(reinterpret_cast<const char*>(&length), sizeof(length));
        section.bytes.append(from, 8 * offsets + begin, length);
      }
    }
    if (section.name == "description" || section.name == "products" || section.name == "factors" ||
        section.name == "popularity") {
      kept.push_back(std::move(section));
    }
  }
  return FileOf(1, kept);
}

}  // namespace vitrine::testing

#endif  // VITRINE_TESTS_RECOMMENDER_MODEL_BYTES_H_
