#include "recommender/offline/visits_builder.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// Far from what any clock says, and young against every half-life.
constexpr int64_t kUntimedStartMs = limits::kTimeMsMin;
// Actions without a session and with a time lie in this one, until pauses part them.
constexpr uint32_t kNoSession = 0;

absl::Status CheckId(absl::string_view what, absl::string_view id) {
  if (id.empty()) return absl::InvalidArgumentError(absl::StrCat("no ", what));
  if (id.size() > limits::kIdBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ", what, " has ", id.size(), " bytes, more than ", limits::kIdBytesMax));
  }
  return absl::OkStatus();
}

}  // namespace

uint32_t VisitsBuilder::NewSession(int64_t start_ms) {
  if (starts_.empty()) starts_.push_back(0);  // kNoSession
  starts_.push_back(start_ms);
  return static_cast<uint32_t>(starts_.size() - 1);
}

uint32_t VisitsBuilder::PersonOf(absl::string_view id) {
  const auto [entry, is_new] = persons_.try_emplace(id, person_count_);
  if (is_new) ++person_count_;
  return entry->second;
}

absl::Status VisitsBuilder::FindProduct(absl::string_view id, uint32_t* product) {
  RETURN_IF_ERROR(CheckId("product", id));
  const auto [entry, is_new] =
      products_.try_emplace(id, static_cast<uint32_t>(visits_.products.size()));
  if (is_new) {
    if (visits_.products.size() >= limits::kCatalogueProductsMax) {
      return absl::ResourceExhaustedError(
          absl::StrCat("more than ", limits::kCatalogueProductsMax, " products"));
    }
    visits_.products.emplace_back(id);
  }
  *product = entry->second;
  return absl::OkStatus();
}

absl::Status VisitsBuilder::Append(const Record& record) {
  if (records_.size() >= limits::kEvaluatedActionsMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", limits::kEvaluatedActionsMax, " interactions"));
  }
  records_.push_back(record);
  records_.back().test = test_;
  return absl::OkStatus();
}

absl::Status VisitsBuilder::Add(const PlainAction& action) {
  Record record{.kind = static_cast<uint8_t>(action.kind)};
  RETURN_IF_ERROR(FindProduct(action.product, &record.product));
  visits_.timed &= action.time_ms.has_value();
  record.time_ms = action.time_ms.value_or(kUntimedStartMs + untimed_ms_++);
  if (action.session.empty()) {
    RETURN_IF_ERROR(CheckId("person", action.person));
    record.session = action.time_ms ? kNoSession : NewSession(record.time_ms);
  } else {
    RETURN_IF_ERROR(CheckId("session", action.session));
    visits_.asks_clicks |= test_;
    const std::string key = absl::StrCat(action.person, "\n", action.session, test_ ? "\n" : "");
    const auto known = sessions_.find(key);
    record.session = known != sessions_.end() ? known->second : NewSession(record.time_ms);
    if (known == sessions_.end()) sessions_[key] = record.session;
    starts_[record.session] = std::min(starts_[record.session], record.time_ms);
  }
  record.person = PersonOf(action.person.empty() ? action.session : action.person);
  return Append(record);
}

absl::Status VisitsBuilder::AddSession(std::span<const absl::string_view> products) {
  if (products.empty()) return absl::InvalidArgumentError("a session without clicks");
  visits_.timed = false;
  visits_.asks_clicks |= test_;
  Record record{.person = person_count_++, .kind = static_cast<uint8_t>(VIEW_ITEM)};
  record.session = NewSession(kUntimedStartMs + untimed_ms_);
  for (const absl::string_view product : products) {
    record.time_ms = kUntimedStartMs + untimed_ms_++;
    RETURN_IF_ERROR(FindProduct(product, &record.product));
    RETURN_IF_ERROR(Append(record));
  }
  return absl::OkStatus();
}

absl::Status VisitsBuilder::AddSet(absl::string_view person,
                                   std::span<const absl::string_view> products) {
  RETURN_IF_ERROR(CheckId("person", person));
  visits_.timed = visits_.ordered = false;
  Record record{.person = PersonOf(person), .kind = static_cast<uint8_t>(VIEW_ITEM)};
  record.session = NewSession(kUntimedStartMs + untimed_ms_);
  record.time_ms = kUntimedStartMs + untimed_ms_++;
  for (const absl::string_view product : products) {
    RETURN_IF_ERROR(FindProduct(product, &record.product));
    RETURN_IF_ERROR(Append(record));
  }
  return absl::OkStatus();
}

// Whether `next` asks about the same session as question_ does, one click later or earlier; then
// question_ becomes both.
bool VisitsBuilder::GoesOnWith(const Question& next) {
  std::vector<uint32_t>& clicks = question_.clicks;
  const auto starts_with = [](const auto& whole, const auto& front) {
    return std::equal(front.begin(), front.end(), whole.begin());
  };
  if (next.first_asked == clicks.size() && starts_with(next.clicks, clicks)) {
    clicks.push_back(next.clicks.back());
    return true;
  }
  if (next.clicks.size() == question_.first_asked && starts_with(clicks, next.clicks)) {
    question_.first_asked = next.first_asked;
    return true;
  }
  return false;
}

absl::Status VisitsBuilder::AddQuestion(std::span<const absl::string_view> prefix,
                                        absl::string_view target) {
  if (prefix.empty()) return absl::InvalidArgumentError("a prefix without clicks");
  Question next{.clicks = std::vector<uint32_t>(prefix.size() + 1),
                .first_asked = static_cast<uint32_t>(prefix.size())};
  for (size_t i = 0; i < prefix.size(); ++i) {
    RETURN_IF_ERROR(FindProduct(prefix[i], &next.clicks[i]));
  }
  RETURN_IF_ERROR(FindProduct(target, &next.clicks.back()));
  visits_.timed = false;
  visits_.asks_clicks = true;
  if (!question_.clicks.empty() && GoesOnWith(next)) return absl::OkStatus();
  RETURN_IF_ERROR(EndQuestion());
  question_ = std::move(next);
  return absl::OkStatus();
}

absl::Status VisitsBuilder::EndQuestion() {
  const Question question = std::exchange(question_, {});
  if (question.clicks.empty()) return absl::OkStatus();
  Record record{.person = person_count_++, .kind = static_cast<uint8_t>(VIEW_ITEM)};
  record.session = NewSession(kUntimedStartMs + untimed_ms_);
  if (question.first_asked != 1) first_asked_[record.session] = question.first_asked;
  for (const uint32_t product : question.clicks) {
    record.time_ms = kUntimedStartMs + untimed_ms_++;
    record.product = product;
    RETURN_IF_ERROR(Append(record));
  }
  return absl::OkStatus();
}

void VisitsBuilder::SortRecords() {
  if (starts_.empty()) starts_.push_back(0);
  const auto key = [this](const Record& r) {
    return std::tuple(r.person, r.test, starts_[r.session], r.session, r.time_ms);
  };
  std::stable_sort(records_.begin(), records_.end(),
                   [&](const Record& a, const Record& b) { return key(a) < key(b); });
}

absl::StatusOr<Visits> VisitsBuilder::Build() && {
  RETURN_IF_ERROR(EndQuestion());
  SortRecords();
  visits_.persons.resize(person_count_);
  const Record* last = nullptr;
  for (const Record& record : records_) {
    std::vector<Visit>& own = visits_.persons[record.person];
    const bool goes_on =
        !own.empty() && last->person == record.person && last->test == record.test &&
        last->session == record.session &&
        (record.session != kNoSession || record.time_ms - last->time_ms <= session_gap_ms_);
    if (!goes_on) {
      const auto asked = first_asked_.find(record.session);
      own.push_back({.start_ms = record.time_ms,
                     .test = record.test,
                     .first_asked = asked == first_asked_.end() ? 1 : asked->second});
    }
    own.back().actions.push_back(
        {record.time_ms, record.product, static_cast<EventKind>(record.kind)});
    last = &record;
  }
  return std::move(visits_);
}

}  // namespace vitrine
