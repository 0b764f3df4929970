// Files of the back office: the first line says which (products or customers, CSV or JSON), the
// rest are its rows. What is read, the store takes; the rest has a reason.

#include <utility>
#include <vector>

#include "ingest/facts_parser.h"
#include "store/web_house.h"
#include "tests/fuzz/fuzzing.h"

namespace vitrine {
namespace {

constexpr int64_t kNowMs = 1'700'000'000'000;

constexpr char kProducts[] = R"toml(
format = "csv"
currency = "EUR"
[catalogue]
id = "sku"
name = "title"
category = ["dept", "shelf"]
price = "price"
currency = "cur"
margin = "margin"
stock = "stock"
available_from = "from"
available_to = "to"
attributes = ["color"]
)toml";
constexpr char kProductsHeader[] = "sku,title,dept,shelf,price,cur,margin,stock,from,to,color";

constexpr char kJsonProducts[] = "format = \"json_lines\"\ncurrency = \"EUR\"\n[catalogue]\n";
constexpr char kCustomers[] = "format = \"csv\"\n[customers]\nid = \"id\"\nemail = \"mail\"\n";
constexpr char kCustomersHeader[] = "id,mail";
constexpr char kJsonCustomers[] = "format = \"json_lines\"\n[customers]\n";

// A mapping and the parser that refers to it.
struct Kind {
  Kind(const char* toml, const char* header)
      : mapping(fuzz::Value(ParseMapping(toml, "fuzz.toml"))),
        parser(fuzz::Value(FactsParser::Create(mapping, header))) {}
  const Mapping mapping;
  FactsParser parser;
};

Kind& KindOf(absl::string_view name) {
  static Kind& products = *new Kind(kProducts, kProductsHeader);
  static Kind& json_products = *new Kind(kJsonProducts, "");
  static Kind& customers = *new Kind(kCustomers, kCustomersHeader);
  static Kind& json_customers = *new Kind(kJsonCustomers, "");
  if (name == "products") return products;
  if (name == "customers") return customers;
  return name == "json_customers" ? json_customers : json_products;
}

void Run(absl::string_view bytes) {
  Kind& kind = KindOf(fuzz::TakeLine(&bytes));
  while (!bytes.empty()) {
    std::vector<Element> elements;
    kind.parser.Parse(fuzz::TakeLine(&bytes), kNowMs, &elements);
    CHECK(!elements.empty());
    for (const Element& element : elements) {
      if (element.kind == Element::Kind::kProduct) {
        CHECK(ValidateProduct(element.product).ok()) << ValidateProduct(element.product);
      } else if (element.kind == Element::Kind::kCustomer) {
        CHECK(ValidateCustomerFacts(element.customer).ok())
            << ValidateCustomerFacts(element.customer);
      } else {
        CHECK(element.kind != Element::Kind::kEvent);
        CHECK(!element.reason.empty());
      }
    }
  }
}

}  // namespace
}  // namespace vitrine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vitrine::Run(vitrine::fuzz::Text(data, size));
  return 0;
}
