// Reading the fields that the JSON dialects share: ids, texts, times, products with exact prices.
// All functions are pure; a fault (reasons.h) names the field.

#ifndef VITRINE_INGEST_FORMATS_DIALECT_FIELDS_H_
#define VITRINE_INGEST_FORMATS_DIALECT_FIELDS_H_

#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "ingest/formats/element.h"
#include "ingest/formats/json_tree.h"
#include "store/records_types.h"

namespace vitrine {

using JsonValue = JsonTree::Value;

// A setter that Thrift generates.
template <typename Record>
using TextSetter = void (Record::*)(const std::string&);

// The first of `names` that `object` has, other than null; a null value if none.
JsonValue FirstOf(const JsonValue& object, std::initializer_list<absl::string_view> names);

// Sets the field if the value is there. Texts must be strings, ids may be numbers too (and are then
// their digits); an empty one is as good as absent. `reason` if it is something else.
template <typename Record>
absl::Status SetText(const JsonValue& value, absl::string_view reason, TextSetter<Record> set,
                     Record* record);
template <typename Record>
absl::Status SetId(const JsonValue& value, TextSetter<Record> set, Record* record);

// Sets the recommendation id from what the dialect calls so, or else from the id of the list that
// the products stood in, where that has the form of our ids: others are the shop's own lists.
absl::Status SetRecommendation(const JsonValue& recommendation, const JsonValue& list,
                               Event* event);
// Three groups of hexadecimal digits, the first of which is a time: "18e5b1c2d3f-5f2a1-1c".
bool LooksLikeRecommendationId(absl::string_view text);

// A whole number, given as one or as a string of digits. A fraction of zeros is none.
absl::Status ReadWhole(const JsonValue& value, absl::string_view reason, int64_t* number);

// Microseconds since 1970 to milliseconds.
absl::Status ReadMicros(const JsonValue& value, int64_t* time_ms);

// How a dialect names the fields of a product; the first that is there counts. `categories` are
// joined into one path, from the outermost.
struct ItemFields {
  std::initializer_list<absl::string_view> id;
  absl::string_view name;
  std::initializer_list<absl::string_view> categories;
  absl::string_view price;
  absl::string_view quantity;
};

// Fills the items of an event, one after the other, and then prices them: a price can be read only
// when the currency is known, and that may stand on the event or on any item.
class ItemReader {
 public:
  // `default_currency` (may be empty) is that of events which name none.
  ItemReader(const ItemFields& fields, absl::string_view default_currency)
      : fields_(fields), default_currency_(default_currency) {}

  // `products`: an array of objects, or one object; null is none.
  absl::Status Read(const JsonValue& products, const JsonValue& currency, Event* event);

 private:
  absl::Status ReadItem(const std::string& name, const JsonValue& value, Event* event);
  absl::Status SetPrices(Event* event);
  absl::Status TakeCurrency(const JsonValue& value);

  const ItemFields fields_;
  const std::string default_currency_;
  std::string currency_;             // of the event being read
  std::vector<std::string> prices_;  // decimal text by item; empty: none
};

// An element that is ignored, or rejected for what `fault` (of Fault()) says.
Element Ignored(absl::string_view reason);
Element Rejected(const absl::Status& fault);

// Rejects a line for the number of its elements.
void TooMany(absl::string_view line, std::vector<Element>* elements);

// Keeps of a rejected element what it came as: `whole`, in which the array `batch` (part of it;
// empty: none) holds nothing but `part`.
void KeepRaw(absl::string_view whole, absl::string_view batch, absl::string_view part,
             Element* element);

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_DIALECT_FIELDS_H_
