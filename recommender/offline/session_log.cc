#include "recommender/offline/session_log.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace vitrine {
namespace {

absl::Status AtLine(size_t line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", what));
}

// Calls use(line, its number from 1) for every line until one fails.
template <typename Use>
absl::Status ForEachLine(absl::string_view text, const Use& use) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    absl::string_view line = text.substr(0, end);
    text.remove_prefix(end == absl::string_view::npos ? text.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (absl::Status status = use(line, number); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void ParseIds(absl::string_view text, ProductNumbers* products, std::vector<uint32_t>* clicks) {
  clicks->clear();
  for (const absl::string_view id : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    clicks->push_back(products->Of(id));
  }
}

struct Click {
  double order = 0;
  uint32_t product = 0;
};

struct ReadSession {
  std::vector<Click> clicks = {};  // products by their place in the table
  double end = 0;
};

// The products of a table of clicks, in the order in which they are met.
class ReadProducts {
 public:
  uint32_t Place(absl::string_view id, double order) {
    const auto [place, is_new] = places_.try_emplace(id, static_cast<uint32_t>(products_.size()));
    if (is_new) products_.push_back({id, order});
    Product& product = products_[place->second];
    product.last = std::max(product.last, order);
    return place->second;
  }

  // Their numbers, by place.
  std::vector<uint32_t> Number(ProductNumbers* products) const {
    std::vector<size_t> newest_first(products_.size());
    std::iota(newest_first.begin(), newest_first.end(), size_t{0});
    std::stable_sort(newest_first.begin(), newest_first.end(),
                     [&](size_t a, size_t b) { return products_[a].last > products_[b].last; });
    std::vector<uint32_t> numbers(products_.size());
    for (const size_t place : newest_first) numbers[place] = products->Of(products_[place].id);
    return numbers;
  }

 private:
  struct Product {
    absl::string_view id;
    double last = 0;
  };

  absl::flat_hash_map<absl::string_view, uint32_t> places_;
  std::vector<Product> products_;
};

}  // namespace

void SessionLog::Append(std::span<const uint32_t> clicks) {
  clicks_.insert(clicks_.end(), clicks.begin(), clicks.end());
  ends_.push_back(clicks_.size());
}

SessionLog SessionLog::Slice(size_t begin, size_t end) const {
  SessionLog slice;
  for (size_t s = begin; s < end; ++s) slice.Append((*this)[s]);
  return slice;
}

uint32_t ProductNumbers::Of(absl::string_view id) {
  return numbers_.try_emplace(id, static_cast<uint32_t>(numbers_.size())).first->second;
}

absl::StatusOr<SessionLog> ParseSessionLines(absl::string_view text, ProductNumbers* products) {
  SessionLog log;
  std::vector<uint32_t> clicks;
  absl::Status status = ForEachLine(text, [&](absl::string_view line, size_t number) {
    ParseIds(line, products, &clicks);
    if (clicks.empty()) return AtLine(number, "a session without clicks");
    log.Append(clicks);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return log;
}

absl::StatusOr<SessionQuestions> ParseQuestionLines(absl::string_view text,
                                                    ProductNumbers* products) {
  SessionQuestions questions;
  std::vector<uint32_t> clicks;
  absl::Status status = ForEachLine(text, [&](absl::string_view line, size_t number) {
    const size_t tab = line.find('\t');
    if (tab == absl::string_view::npos) return AtLine(number, "no tab between prefix and target");
    ParseIds(line.substr(tab + 1), products, &clicks);
    if (clicks.size() != 1) return AtLine(number, "not one target");
    const uint32_t target = clicks[0];
    ParseIds(line.substr(0, tab), products, &clicks);
    if (clicks.empty()) return AtLine(number, "a prefix without clicks");
    questions.prefixes.Append(clicks);
    questions.targets.push_back(target);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return questions;
}

absl::StatusOr<SessionLog> ParseClicks(absl::string_view text, const ClickColumns& columns,
                                       ProductNumbers* products) {
  const size_t last = std::max({columns.session, columns.product, columns.order});
  absl::flat_hash_map<std::string, size_t> places;
  std::vector<ReadSession> sessions;
  ReadProducts read;
  std::vector<absl::string_view> fields;
  absl::Status status = ForEachLine(text, [&](absl::string_view line, size_t number) {
    if (number == 1 || line.empty()) return absl::OkStatus();
    fields = absl::StrSplit(line, columns.separator);
    if (fields.size() <= last) {
      return AtLine(number, absl::StrCat(fields.size(), " columns, not ", last + 1));
    }
    double order = 0;
    if (!absl::SimpleAtod(fields[columns.order], &order) || !std::isfinite(order)) {
      return AtLine(number, absl::StrCat("no number: ", fields[columns.order]));
    }
    const auto [place, is_new] = places.try_emplace(fields[columns.session], sessions.size());
    if (is_new) sessions.push_back({{}, order});
    ReadSession& session = sessions[place->second];
    session.clicks.push_back({order, read.Place(fields[columns.product], order)});
    session.end = std::max(session.end, order);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  std::stable_sort(sessions.begin(), sessions.end(),
                   [](const ReadSession& a, const ReadSession& b) { return a.end < b.end; });
  const std::vector<uint32_t> numbers = read.Number(products);
  SessionLog log;
  std::vector<uint32_t> clicks;
  for (ReadSession& session : sessions) {
    std::stable_sort(session.clicks.begin(), session.clicks.end(),
                     [](const Click& a, const Click& b) { return a.order < b.order; });
    clicks.clear();
    for (const Click& click : session.clicks) clicks.push_back(numbers[click.product]);
    log.Append(clicks);
  }
  return log;
}

SessionLog WithoutLong(const SessionLog& sessions, size_t products_max) {
  SessionLog kept;
  for (size_t s = 0; s < sessions.size(); ++s) {
    std::vector<uint32_t> products(sessions[s].begin(), sessions[s].end());
    std::sort(products.begin(), products.end());
    products.erase(std::unique(products.begin(), products.end()), products.end());
    if (products.size() <= products_max) kept.Append(sessions[s]);
  }
  return kept;
}

SessionQuestions AskEveryClick(const SessionLog& sessions, const SessionIndex* known) {
  SessionQuestions questions;
  std::vector<uint32_t> clicks;
  for (size_t s = 0; s < sessions.size(); ++s) {
    clicks.assign(sessions[s].begin(), sessions[s].end());
    if (known != nullptr) {
      const SessionIndex::Reader reader(*known);
      std::erase_if(clicks, [&](uint32_t product) { return reader.SessionCount(product) == 0; });
    }
    for (size_t next = 1; next < clicks.size(); ++next) {
      questions.prefixes.Append(std::span(clicks).first(next));
      questions.targets.push_back(clicks[next]);
    }
  }
  return questions;
}

SessionQuestions Sample(const SessionQuestions& questions, size_t count, uint64_t seed) {
  if (questions.size() <= count) return questions;
  std::vector<size_t> order(questions.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::mt19937_64 random(seed);
  // Not std::shuffle: what it does with a seed differs between libraries.
  for (size_t i = 0; i < count; ++i) std::swap(order[i], order[i + random() % (order.size() - i)]);
  order.resize(count);
  std::sort(order.begin(), order.end());
  SessionQuestions sample;
  for (const size_t i : order) {
    sample.prefixes.Append(questions.prefixes[i]);
    sample.targets.push_back(questions.targets[i]);
  }
  return sample;
}

}  // namespace vitrine
