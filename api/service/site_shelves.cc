// What a site's shelves are made from beside its model: placements, trends, the catalogue.

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "spdlog/spdlog.h"

#include "api/service/site.h"
#include "recommender/placements/defaults.h"
#include "recommender/placements/validate.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// What trends remember; older events would be added in vain.
constexpr int64_t kTrendsMs = int64_t{60} * 24 * 60 * 60 * 1000;

// What the events say of products, by the numbers of `serving`.
void AppendTrends(const Event& event, const Serving& serving, std::vector<Trends::Event>* out) {
  const auto weight = static_cast<uint32_t>(serving.model->weights.Of(event.kind));
  if (weight == 0) return;
  for (const Item& item : event.items) {
    const std::optional<uint32_t> number = serving.catalogue.Find(item.product_id);
    if (number) out->push_back({*number, event.time_ms, weight});
  }
}

}  // namespace

// --- Placements ---

std::shared_ptr<const PlacementVersion> Site::placements() const {
  absl::ReaderMutexLock lock(&model_mutex_);
  return placements_;
}

absl::Status Site::LoadPlacements() {
  PlacementVersion current;
  ASSIGN_OR_RETURN(std::vector<PlacementVersion> newest, house_->PlacementHistory(1));
  if (newest.empty()) {
    current.content = DefaultPlacements();
  } else {
    current = std::move(newest.front());
  }
  absl::MutexLock lock(&model_mutex_);
  placements_ = std::make_shared<const PlacementVersion>(std::move(current));
  return absl::OkStatus();
}

absl::StatusOr<PlacementVersion> Site::SetPlacements(const PlacementSet& content, int64_t based_on,
                                                     absl::string_view who,
                                                     absl::string_view comment) {
  RETURN_IF_ERROR(ValidatePlacements(content));
  absl::MutexLock changing(&experiments_mutex_);  // none begins meanwhile
  RETURN_IF_ERROR(CheckGoingOn(content));
  ASSIGN_OR_RETURN(PlacementVersion made, house_->SetPlacements(content, based_on, who, comment));
  absl::MutexLock lock(&model_mutex_);
  // Of two that were made at once, the later one stays.
  if (made.version > placements_->version) {
    placements_ = std::make_shared<const PlacementVersion>(made);
  }
  return made;
}

// --- Trends ---

void Site::WatchTrends(std::span<const Event> events, Serving* serving) const {
  std::vector<Trends::Event> trends;
  for (const Event& event : events) AppendTrends(event, *serving, &trends);
  serving->trends->Add(trends);
}

// What followed from a shelf, of the products that it tried.
void Site::WatchTrials(std::span<const Event> events, const WeightSettings& weights) {
  for (const Event& event : events) {
    if (!event.__isset.recommendation_id) continue;
    if (event.kind != SELECT_ITEM && weights.Of(event.kind) <= 0) continue;
    for (const Item& item : event.items) {
      if (trials_.Of(item.product_id).shown == 0) continue;
      const absl::StatusOr<Exposure> shelf = house_->GetExposure(event.recommendation_id);
      const auto was_tried = [&item](const ExposedProduct& product) {
        return product.product_id == item.product_id && product.source == EXPLORE;
      };
      if (shelf.ok() && absl::c_any_of(shelf->products, was_tried)) {
        trials_.AddTaken(item.product_id, event.recommendation_id);
      }
    }
  }
}

absl::Status Site::LearnTrends(const WebHouse& copy, Serving* serving) const {
  constexpr size_t kAtOnce = 4096;
  const int64_t since_ms = Clock::System().NowMs() - kTrendsMs;
  std::vector<Trends::Event> trends;
  EventCursor events = copy.Events();
  for (; events.Valid(); events.Next()) {
    if (events.value().time_ms < since_ms) continue;
    AppendTrends(events.value(), *serving, &trends);
    if (trends.size() < kAtOnce) continue;
    serving->trends->Add(trends);
    trends.clear();
  }
  RETURN_IF_ERROR(events.Finish());
  serving->trends->Add(trends);
  serving->trends->Refresh();
  return absl::OkStatus();
}

// --- The catalogue ---

void Site::NoteProducts(std::span<const Product> products) {
  const std::vector<std::shared_ptr<Serving>> servings = Answering();
  if (servings.empty()) return;
  for (const auto& serving : servings) {
    for (const Product& product : products) {
      if (serving->catalogue.Find(product.id)) continue;
      if (const auto number = serving->catalogue.NumberOf(product.id)) serving->NoteNew(*number);
    }
  }
  absl::MutexLock lock(&derive_mutex_);
  catalogue_changed_ = true;
}

absl::StatusOr<std::shared_ptr<const Assortment>> Site::MakeAssortment(const WebHouse& from,
                                                                       Serving* serving) const {
  std::vector<Product> products;
  std::vector<uint32_t> numbers;
  ProductCursor cursor = from.Products();
  for (; cursor.Valid() && products.size() < limits::kAssortmentProductsMax; cursor.Next()) {
    if (cursor.value().withdrawn) continue;
    const std::optional<uint32_t> number = serving->catalogue.NumberOf(cursor.value().id);
    if (!number) continue;
    products.push_back(cursor.value());
    numbers.push_back(*number);
    serving->trends->SetCategory(*number, cursor.value().category);
  }
  RETURN_IF_ERROR(cursor.Finish());
  return std::make_shared<const Assortment>(products, numbers, *serving->model);
}

absl::Status Site::LookAtCatalogue() {
  for (const auto& serving : Answering()) {
    ASSIGN_OR_RETURN(std::shared_ptr<const Assortment> made,
                     MakeAssortment(*house_, serving.get()));
    serving->SetAssortment(std::move(made));
  }
  return absl::OkStatus();
}

}  // namespace vitrine
