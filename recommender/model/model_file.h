// The model file as a container: sections of bytes in a fixed order, each with its checksum.
// README.md draws it. Internal to model.
//
// There is one way only to write given sections: no gaps but zeros up to the next 64 bytes. So the
// reader can say of every byte what it must be, and none goes unchecked.

#ifndef VITRINE_RECOMMENDER_MODEL_MODEL_FILE_H_
#define VITRINE_RECOMMENDER_MODEL_MODEL_FILE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vitrine::model_file {

enum Section : size_t {
  kDescription,
  kProducts,
  kFactors,
  kGramian,
  kPopularity,
  kByPopularity,
  kQuantized,
  kViewedAlsoViewed,
  kBoughtTogether,
  kBlend,
  kRerank,
  kSections,
};

absl::string_view NameOf(Section section);

// Bytes that begin at a multiple of 64.
struct Image {
  std::shared_ptr<const void> owner;
  absl::string_view bytes;
};

// The arrays that follow one another in a section; none if it is left out.
using Pieces = std::vector<absl::string_view>;

// A file of the newest version. O(bytes).
Image Assemble(const std::array<Pieces, kSections>& sections);

struct Contents {
  uint32_t version = 0;
  std::array<absl::string_view, kSections> sections;  // empty where left out
  std::array<uint32_t, kSections> crcs = {};          // that they should have
};

// Where everything lies. Looks at all bytes but those of the sections; of them, only at the
// description's, for its checksum. InvalidArgument if this is no model file, or of another version;
// DataLoss if it is damaged.
absl::StatusOr<Contents> Dissect(absl::string_view file);

// An array of a section, and what its elements must be: `check` says so of those in [begin, end),
// which must not read beyond what there is however damaged they are, and is called from several
// threads. Without one, the checksum is all there is to look at.
struct Array {
  Section section;
  absl::string_view bytes;
  size_t element_bytes = 1;
  std::function<absl::Status(size_t begin, size_t end)> check = nullptr;
};

// Looks at every byte of the arrays, once, on all cores: at the checksums of the sections that they
// make up, then at what they must be. `arrays` has the sections' bytes in the order of the file.
// DataLoss, naming the section.
absl::Status CheckArrays(const Contents& contents, std::span<const Array> arrays);

// The same for arrays of numbers and strings that are put into a file or looked at in one.
template <typename T>
absl::string_view BytesOf(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

// REQUIRES: `bytes` is as long as a number of T, and as aligned.
template <typename T>
std::span<const T> ValuesOf(absl::string_view bytes) {
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

}  // namespace vitrine::model_file

#endif  // VITRINE_RECOMMENDER_MODEL_MODEL_FILE_H_
