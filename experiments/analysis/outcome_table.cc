#include "experiments/analysis/outcome_table.h"

#include <array>
#include <cmath>
#include <utility>

#include "absl/hash/hash.h"

#include "store/base/check.h"

namespace vitrine::experiments {
namespace {

// Seven bits a byte, the lowest first (LEB128).
void PutWhole(std::string* out, uint64_t number) {
  for (; number >= 0x80; number >>= 7) out->push_back(static_cast<char>(number | 0x80));
  out->push_back(static_cast<char>(number));
}

// Small below 0 too.
void PutSigned(std::string* out, int64_t number) {
  PutWhole(out, static_cast<uint64_t>(number) << 1 ^ static_cast<uint64_t>(number >> 63));
}

void PutNumber(std::string* out, double number) {
  CHECK(number == std::floor(number) && std::abs(number) < 0x1p63) << number;
  PutSigned(out, static_cast<int64_t>(number));
}

// Reads what the functions above wrote.
class Bytes {
 public:
  explicit Bytes(absl::string_view bytes) : bytes_(bytes) {}

  uint64_t Whole() {
    uint64_t number = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      number |= uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return number;
    }
  }
  int64_t Signed() {
    const uint64_t number = Whole();
    return static_cast<int64_t>(number >> 1 ^ (0 - (number & 1)));
  }
  double Number() { return static_cast<double>(Signed()); }
  bool AtEnd() const { return at_ == bytes_.size(); }

 private:
  const absl::string_view bytes_;
  size_t at_ = 0;
};

using Parts = std::array<double, 4>;

Parts PartsOf(const UnitValues& values) {
  return {values.value, values.denominator, values.value_before, values.denominator_before};
}

// Most are 0: a byte says which are not.
void PutValues(std::string* out, const UnitValues& values) {
  const Parts parts = PartsOf(values);
  unsigned set = 0;
  for (size_t p = 0; p < parts.size(); ++p) set |= (parts[p] != 0 ? 1U : 0U) << p;
  out->push_back(static_cast<char>(set));
  for (const double part : parts) {
    if (part != 0) PutNumber(out, part);
  }
}

UnitValues ReadValues(Bytes* bytes) {
  Parts parts = {};
  const uint64_t set = bytes->Whole();
  for (size_t p = 0; p < parts.size(); ++p) {
    if ((set >> p & 1) != 0) parts[p] = bytes->Number();
  }
  UnitValues values;
  values.value = parts[0];
  values.denominator = parts[1];
  values.value_before = parts[2];
  values.denominator_before = parts[3];
  return values;
}

// The first, and the steps from each to the next.
std::string PackShown(const std::vector<uint32_t>& shown) {
  std::string out;
  uint32_t before = 0;
  for (const uint32_t number : shown) {
    PutWhole(&out, number - before);
    before = number;
  }
  return out;
}

}  // namespace

void OutcomeTable::Put(absl::string_view unit, const UnitOutcome& outcome) {
  const uint64_t key = absl::Hash<absl::string_view>()(unit);
  const auto had = units_.find(key);
  if (outcome.kind == UnitOutcome::Kind::kNotIn) {
    if (had == units_.end()) return;
    outcomes_.Remove(had->second.outcome);
    PutShown({}, &had->second);
    units_.erase(had);
    return;
  }
  const std::string packed = Pack(outcome);
  if (had != units_.end()) {
    had->second.outcome = outcomes_.Replace(had->second.outcome, packed);
    PutShown(outcome, &had->second);
    return;
  }
  Places places = {.outcome = outcomes_.Add(packed)};
  PutShown(outcome, &places);
  units_.emplace(key, places);
}

void OutcomeTable::PutShown(const UnitOutcome& outcome, Places* places) {
  if (places->has_shown) CountShown(places->arm, shown_.Row(places->shown), -1U);
  const bool had_shown = std::exchange(places->has_shown, !outcome.shown.empty());
  if (!places->has_shown) {
    if (had_shown) shown_.Remove(places->shown);
    return;
  }
  const std::string packed = PackShown(outcome.shown);
  places->arm = static_cast<uint8_t>(outcome.arm);
  places->shown = had_shown ? shown_.Replace(places->shown, packed) : shown_.Add(packed);
  CountShown(outcome.arm, packed, 1);
}

// `times` of a unit that goes is -1, which wraps round.
void OutcomeTable::CountShown(size_t arm, absl::string_view packed, uint32_t times) {
  if (shown_to_.size() <= arm) shown_to_.resize(arm + 1);
  std::vector<uint32_t>& to = shown_to_[arm];
  uint32_t number = 0;
  for (Bytes bytes(packed); !bytes.AtEnd();) {
    number += static_cast<uint32_t>(bytes.Whole());
    if (to.size() <= number) to.resize(number + 1);
    to[number] += times;
  }
}

void OutcomeTable::ForEach(absl::FunctionRef<void(const UnitOutcome&)> use) const {
  UnitOutcome outcome;
  outcomes_.ForEach([&](absl::string_view packed) {
    Unpack(packed, /*only_values=*/false, &outcome);
    use(outcome);
  });
}

void OutcomeTable::ForEachValues(absl::FunctionRef<void(const UnitOutcome&)> use) const {
  UnitOutcome outcome;
  outcomes_.ForEach([&](absl::string_view packed) {
    Unpack(packed, /*only_values=*/true, &outcome);
    use(outcome);
  });
}

std::string OutcomeTable::Pack(const UnitOutcome& outcome) {
  std::string out(1, static_cast<char>(outcome.kind));
  if (outcome.kind != UnitOutcome::Kind::kIn) return out;
  PutWhole(&out, outcome.arm);
  PutSigned(&out, outcome.first_ms);
  PutWhole(&out, outcome.values.size());
  for (const UnitValues& values : outcome.values) PutValues(&out, values);
  PutWhole(&out, outcome.days.size());
  int32_t day = 0;
  for (const UnitOutcome::OfDay& of_day : outcome.days) {
    PutSigned(&out, of_day.day - day);
    day = of_day.day;
    PutNumber(&out, of_day.value);
    PutNumber(&out, of_day.denominator);
  }
  PutWhole(&out, static_cast<uint64_t>(outcome.channel));
  PutWhole(&out, static_cast<uint64_t>(outcome.device) << 1 | (outcome.returning ? 1 : 0));
  const auto [country, is_new] =
      country_numbers_.try_emplace(outcome.country, country_numbers_.size());
  if (is_new) countries_.push_back(outcome.country);
  PutWhole(&out, country->second);
  for (const int64_t count :
       {outcome.pairs, outcome.pairs_apart, outcome.replies, outcome.replies_unexposed}) {
    PutWhole(&out, static_cast<uint64_t>(count));
  }
  return out;
}

void OutcomeTable::Unpack(absl::string_view packed, bool only_values, UnitOutcome* outcome) const {
  outcome->kind = static_cast<UnitOutcome::Kind>(packed[0]);
  if (outcome->kind != UnitOutcome::Kind::kIn) return;
  Bytes bytes(packed.substr(1));
  outcome->arm = bytes.Whole();
  outcome->first_ms = bytes.Signed();
  outcome->values.resize(bytes.Whole());
  for (UnitValues& values : outcome->values) values = ReadValues(&bytes);
  if (only_values) return;
  outcome->days.resize(bytes.Whole());
  int32_t day = 0;
  for (UnitOutcome::OfDay& of_day : outcome->days) {
    day += static_cast<int32_t>(bytes.Signed());
    of_day.day = day;
    of_day.value = bytes.Number();
    of_day.denominator = bytes.Number();
  }
  outcome->channel = static_cast<Channel>(bytes.Whole());
  const uint64_t device = bytes.Whole();
  outcome->device = static_cast<Device>(device >> 1);
  outcome->returning = (device & 1) != 0;
  outcome->country = countries_[bytes.Whole()];
  outcome->pairs = static_cast<int64_t>(bytes.Whole());
  outcome->pairs_apart = static_cast<int64_t>(bytes.Whole());
  outcome->replies = static_cast<int64_t>(bytes.Whole());
  outcome->replies_unexposed = static_cast<int64_t>(bytes.Whole());
}

}  // namespace vitrine::experiments
