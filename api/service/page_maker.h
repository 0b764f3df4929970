// The shelves of one request: from who asks and what the page is about to what is shown and why.

#ifndef VITRINE_API_SERVICE_PAGE_MAKER_H_
#define VITRINE_API_SERVICE_PAGE_MAKER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "api/service/interleaved.h"
#include "api/service/site.h"
#include "api/vitrine_types.h"
#include "experiments/definition/running.h"
#include "recommender/placements/offers.h"
#include "recommender/placements/reasons.h"
#include "recommender/placements/rules.h"
#include "recommender/segments/segment_index.h"
#include "store/base/clock.h"

namespace vitrine {

// What a request wants beside its shelves.
struct PageWishes {
  std::vector<absl::string_view> placements = {};  // that will be made: one model answers for all
  const PageFacts* page = nullptr;                 // null: about nothing
  const std::vector<std::string>* exclude = nullptr;  // never shown; null: none
  std::optional<bool> exclude_bought = std::nullopt;  // none: as the site has set
  bool exclude_seen = true;
  bool trace = false;
  bool experiments = true;  // else as if none ran
};

// Makes one shelf after the other; none repeats a product of those before it. For one request, on
// one thread. Uses one model and one version of the placements throughout.
class PageMaker {
 public:
  // Reads the person's history. `site`, `context` and what `wishes` point at must outlive it.
  // Unavailable if the site has no model yet.
  static absl::StatusOr<std::unique_ptr<PageMaker>> Begin(Site* site, const Context& context,
                                                          const PageWishes& wishes, int64_t now_ms);
  ~PageMaker();
  PageMaker(const PageMaker&) = delete;
  PageMaker& operator=(const PageMaker&) = delete;

  // `k` of 0: as many as the placement says; `id`: the shelf's recommendation id. NotFound if there
  // is no such placement: the message names those there are.
  absl::StatusOr<Shelf> Make(absl::string_view placement, int32_t k, std::string id);

  // To be kept with the shelves: offers that go out with them.
  void AlsoKeep(std::vector<Exposure> exposures);

  // Keeps in one write that the shelves so far were shown, where the person does not mind being
  // known. A disk that is full keeps nothing, and nobody goes without an answer for it; but false,
  // if a shelf was made by an experiment: it is not to be shown, for nobody could count it.
  [[nodiscard]] bool KeepShown();

  const std::string& model_id() const { return serving_->model->id; }
  int32_t history_events() const { return profile_->history_events; }

 private:
  PageMaker(Site* site, const Context& context, const PageWishes& wishes, int64_t now_ms);
  absl::Status ReadPerson();
  // What the arms of the wished placements answer with; null: what everybody is answered with.
  std::shared_ptr<Serving> TrialModel() const;
  void AnswerWith(std::shared_ptr<Serving> serving);
  void ReadPage();
  void GatherPersonFacts();
  // What was shown to the person lately and not clicked since; once, where a rule asks for it.
  void GatherShown(const Placement& placement);
  ShelfFacts FactsFor() const;
  const Product* ProductOf(uint32_t number);
  std::optional<uint32_t> RefillAt(size_t place, absl::string_view only_category) const;
  std::vector<ShownProduct> Fill(const Placement& placement, size_t k,
                                 std::vector<TraceLine>* trace);
  // An interleaving experiment's: `halves` are set to its two placements.
  InterleavedShelf FillBoth(const Experiment& experiment, const Placement& placement, size_t k,
                            const std::string& id, Placement (&halves)[2],
                            std::vector<TraceLine>* trace);
  bool ModelsAreThere(const Experiment& experiment) const;
  bool Answers(const experiments::ChosenArm& chosen) const;
  std::vector<experiments::ChosenArm> ChosenFor(absl::string_view placement) const;
  std::vector<experiments::ChosenArm> ArmsOf(const Placement& placement) const;
  void NoteShown(const Shelf& shelf, const std::vector<experiments::ChosenArm>& arms,
                 const std::vector<std::optional<int32_t>>& teams);
  Suggestion Describe(const Placement& placement, const ShownProduct& shown);
  std::string ReasonOf(const Placement& placement, const ShownProduct& shown);

  Site* const site_;
  const Context& context_;
  const PageWishes& wishes_;
  const int64_t now_ms_;
  const SiteSettings settings_;
  const std::shared_ptr<Serving> current_;  // answers whoever tries no other
  const std::shared_ptr<const Site::TrialModels> trials_;
  std::shared_ptr<Serving> serving_;  // answers this request
  const std::shared_ptr<const PlacementVersion> placements_;
  const std::shared_ptr<const experiments::RunningExperiments> experiments_;
  experiments::ForcedArms forced_;
  const SegmentIndex::Ids segments_;  // that the customer is in; null: none are known
  size_t catalogue_size_ = 0;
  std::vector<uint32_t> noted_;
  std::shared_ptr<SessionIndex> sessions_;
  std::shared_ptr<const Assortment> assortment_;
  std::shared_ptr<const TrendLists> trends_;
  std::shared_ptr<const KnownPerson> known_;
  const Profile* profile_ = nullptr;  // theirs
  std::unique_ptr<LiveRanker> ranker_;

  absl::flat_hash_map<uint32_t, std::shared_ptr<const Product>> products_;
  absl::Status read_;  // of the products so far
  std::vector<uint32_t> cart_;
  std::optional<int64_t> cart_gap_minor_;
  absl::flat_hash_set<uint32_t> excluded_;
  absl::flat_hash_set<uint32_t> on_page_;  // excluded_, and what was shown
  std::vector<Exposure> shown_;            // to be kept
  PersonFacts person_;
  int shown_days_ = 0;  // that person_.shown_ms goes back
  OfferContext offers_;
  std::unique_ptr<OfferMaker> maker_;
  std::unique_ptr<ReasonFinder> reasons_;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_PAGE_MAKER_H_
