// A small JSON object read whole, for formats whose fields must be looked up in any order.
//
//   JsonTree tree;
//   RETURN_IF_ERROR(tree.Parse(text));
//   tree.root()["context"]["page"]["url"].text();
//
// Numbers keep the digits they were written with: a price never becomes a double.

#ifndef VITRINE_INGEST_FORMATS_JSON_TREE_H_
#define VITRINE_INGEST_FORMATS_JSON_TREE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace vitrine {

class JsonTree {
 public:
  enum class Type : uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

  // A value of the tree; one that is absent is null. Valid until the tree parses again.
  class Value {
   public:
    // Looking into something that is no object, or has no such field, gives null. O(fields).
    Value operator[](absl::string_view key) const;

    Type type() const;
    bool is_null() const { return type() == Type::kNull; }
    bool is_object() const { return type() == Type::kObject; }
    bool is_array() const { return type() == Type::kArray; }
    bool is_string() const { return type() == Type::kString; }
    bool is_number() const { return type() == Type::kNumber; }

    // Of a string its characters, of a number its digits; else empty.
    absl::string_view text() const;
    // Of a field of an object.
    absl::string_view key() const;
    // The bytes of an object or array as they stand in the input.
    absl::string_view raw() const;

    // The elements of an array or the fields of an object, in order.
    std::vector<Value> children() const;

   private:
    friend class JsonTree;
    Value(const JsonTree* tree, int32_t node) : tree_(tree), node_(node) {}

    const JsonTree* tree_;
    int32_t node_;  // kAbsent: no such value
  };

  JsonTree();
  ~JsonTree();

  // Reads `text`, which must be one JSON object (else `bad_json`), nested at most
  // limits::kJsonDepthMax deep. Buffers are reused.
  absl::Status Parse(absl::string_view text);

  Value root() const { return Value(this, nodes_.empty() ? kAbsent : 0); }
  // The bytes that were read.
  absl::string_view raw() const { return absl::string_view(padded_).substr(0, size_); }

 private:
  static constexpr int32_t kAbsent = -1;

  struct Node {
    Type type = Type::kNull;
    int32_t first_child = kAbsent;
    int32_t next = kAbsent;  // sibling
    absl::string_view key;
    absl::string_view text;  // raw bytes of an object or array
  };

  class Builder;
  struct Simdjson;

  std::unique_ptr<Simdjson> simdjson_;
  std::string padded_;  // the text, with the room behind it that simdjson reads
  size_t size_ = 0;
  std::vector<Node> nodes_;
};

// Cuts text into its top-level values: objects behind one another, or in an array (whose brackets
// and commas may stand on lines of their own). What is no object comes out as it is, to be refused
// by whoever reads it. A damaged value takes at most the rest of the text with it.
std::vector<absl::string_view> SplitJsonValues(absl::string_view text);

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_JSON_TREE_H_
