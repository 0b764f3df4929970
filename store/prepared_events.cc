#include "store/prepared_events.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <xxhash.h>

#include "store/codec.h"
#include "store/identity.h"

namespace vitrine {
namespace {

// Of the bytes of an event's rows; more is taken when it is needed.
constexpr size_t kBytesGuess = 512;

bool HasFacts(const Item& item) { return item.__isset.name; }

Product FactsOf(const Event& event, const Item& item) {
  Product product;
  product.id = item.product_id;
  if (!HasFacts(item)) return product;
  product.facts_time_ms = event.time_ms;
  product.__set_name(item.name);
  if (item.__isset.category) product.__set_category(item.category);
  if (item.__isset.price_minor) {
    product.__set_price_minor(item.price_minor);
    product.__set_currency(event.currency);
  }
  return product;
}

bool HasAnyFacts(const Event& event) {
  return std::any_of(event.items.begin(), event.items.end(),
                     [](const Item& item) { return item.__isset.name || item.__isset.category; });
}

// The event without the facts that go to the product table.
void StripFacts(Event* event) {
  for (Item& item : event->items) {
    item.__isset.name = false;
    item.__isset.category = false;
  }
}

// The first bytes of a key as a number that compares as they do.
uint64_t Front(absl::string_view key) {
  if (key.size() >= 8) return ReadBigEndian(key);
  uint64_t front = 0;
  for (const char c : key) front = front << 8 | static_cast<uint8_t>(c);
  return front << 8 * (8 - key.size());
}

}  // namespace

bool LessFacts(const Product& a, const Product& b) {
  const bool a_has = a.__isset.name;  // a bit field: std::tie cannot hold it
  const bool b_has = b.__isset.name;
  return std::tie(a_has, a.facts_time_ms, a.name, a.category, a.price_minor, a.currency) <
         std::tie(b_has, b.facts_time_ms, b.name, b.category, b.price_minor, b.currency);
}

PreparedEvents::PreparedEvents(std::span<const Event> events, std::span<const int32_t> robots,
                               const AuditKey* key) {
  bytes_.reserve(events.size() * kBytesGuess);
  rows_.reserve(events.size());
  Event lean;  // reused, so that its strings keep their room
  for (const Event& event : events) Add(event, &lean);
  for (const int32_t robot : robots) rows_[static_cast<size_t>(robot)].is_robot = true;
  if (key != nullptr) {
    audit_.reserve(size());
    for (size_t i = 0; i < size(); ++i) {
      audit_.push_back(key->Entry(AuditChange::kAdded, Table::kEvents, event_key(i), value(i)));
    }
  }
  by_id_ = Sorted([this](size_t i) { return id_key(i); });
  by_key_ = Sorted([this](size_t i) { return event_key(i); });
}

void PreparedEvents::Add(const Event& event, Event* lean) {
  GatherProducts(event);
  const Person person = Person::Of(event);
  const std::string event_key = keys::EventKey(person, event.time_ms, event.id);
  Row& row = rows_.emplace_back();
  row.begin = bytes_.size();
  row.event_key_size = static_cast<uint16_t>(event_key.size());
  row.person_size = static_cast<uint16_t>(person.id.size() + 2);
  bytes_ += keys::EventIdKey(event.id);
  bytes_ += event_key;
  const size_t value_begin = bytes_.size();
  if (HasAnyFacts(event)) {
    *lean = event;
    StripFacts(lean);
    AppendRecord(*lean, &bytes_);
  } else {
    AppendRecord(event, &bytes_);
  }
  row.value_size = static_cast<uint32_t>(bytes_.size() - value_begin);
  row.digest = XXH3_64bits(bytes_.data() + value_begin, row.value_size);
  if (!IsLogin(event)) return;
  const std::string login_key = keys::LoginKey(event.visitor_id, event_key);
  row.login_key_size = static_cast<uint16_t>(login_key.size());
  row.visitor_size = static_cast<uint16_t>(event.visitor_id.size() + 2);
  bytes_ += login_key;
}

void PreparedEvents::GatherProducts(const Event& event) {
  for (const Item& item : event.items) {
    auto [it, is_new] = products_.try_emplace(item.product_id);
    if (!is_new && (!HasFacts(item) || event.time_ms < it->second.facts_time_ms)) continue;
    Product product = FactsOf(event, item);
    if (is_new || LessFacts(it->second, product)) it->second = std::move(product);
  }
}

template <typename KeyOf>
std::vector<uint32_t> PreparedEvents::Sorted(KeyOf key_of) const {
  std::vector<std::pair<uint64_t, uint32_t>> fronts;
  fronts.reserve(size());
  for (size_t i = 0; i < size(); ++i) {
    fronts.emplace_back(Front(key_of(i)), static_cast<uint32_t>(i));
  }
  std::sort(fronts.begin(), fronts.end(), [&](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    const int order = key_of(a.second).compare(key_of(b.second));
    return order != 0 ? order < 0 : a.second < b.second;
  });
  std::vector<uint32_t> sorted;
  sorted.reserve(size());
  for (const auto& [front, i] : fronts) sorted.push_back(i);
  return sorted;
}

}  // namespace vitrine
