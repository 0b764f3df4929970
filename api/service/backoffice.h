// What a back office and the command line can ask, answered: the service without a socket.

#ifndef VITRINE_API_SERVICE_BACKOFFICE_H_
#define VITRINE_API_SERVICE_BACKOFFICE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/Backoffice.h"
#include "api/service/health.h"
#include "api/service/site.h"
#include "store/base/clock.h"

namespace vitrine {

// Thread-safe. The functions throw the exceptions of vitrine.thrift.
class Backoffice : public BackofficeIf {
 public:
  // Told how a training goes on; may be empty.
  using OnTrain = std::function<void(const TrainProgress&)>;

  // `sites` and `clock` must outlive this object.
  // Backups are written under `backup_root` only; empty: none are.
  Backoffice(Sites* sites, const Clock* clock, OnTrain on_train = nullptr,
             std::string backup_root = "");

  // What health() says of the process; before the first call of it.
  void SetProcess(std::function<ProcessFacts()> process) { process_ = std::move(process); }

  void train(ModelInfo& info, const TrainRequest& request) override;
  void model_info(ModelInfo& info, const std::string& site) override;
  void counts(SiteCounts& counts, const std::string& site) override;
  void source(SourceState& state, const std::string& site, const std::string& name) override;
  void restart_source(const std::string& site, const std::string& name) override;
  void import_batch(CommitResult& result, const std::string& site,
                    const EventBatch& batch) override;
  // For callers of this process: the two halves of import_batch (WebHouse::Prepare), the first of
  // which needs no lock.
  absl::StatusOr<std::shared_ptr<const PreparedEvents>> Prepare(const std::string& site,
                                                                const EventBatch& batch) const;
  absl::StatusOr<CommitResult> ImportPrepared(const std::string& site, const EventBatch& batch,
                                              const PreparedEvents* prepared);
  void import_done(const std::string& site, const SiteSettingsPatch& settings) override;
  void reject_summaries(std::vector<RejectSummary>& summaries, const std::string& site) override;
  void rejects(RejectPage& page, const std::string& site, const RejectQuery& query) override;
  void history(std::vector<Event>& events, const std::string& site, const std::string& customer_id,
               const std::string& visitor_id, int32_t limit) override;
  void customers(std::vector<Customer>& customers, const std::string& site,
                 const std::string& after_id, int32_t limit) override;
  void customer_record(CustomerRecord& record, const std::string& site,
                       const std::string& customer_id) override;
  void erase_customers(std::vector<Erasure>& receipts, const std::string& site,
                       const std::vector<std::string>& customer_ids) override;
  void unlink(const std::string& site, const std::string& customer_id,
              const std::string& visitor_id) override;
  void relink(const std::string& site, const std::string& customer_id,
              const std::string& visitor_id) override;
  int64_t apply_retention(const std::string& site) override;
  void products(std::vector<Product>& products, const std::string& site,
                const std::vector<std::string>& ids) override;
  void update_products(UpdateReply& reply, const std::string& site,
                       const std::vector<Product>& products) override;
  void begin_replacement(const std::string& site, const std::string& source) override;
  int64_t finish_replacement(const std::string& site, const std::string& source) override;
  void catalogue(std::vector<Product>& products, const std::string& site,
                 const std::string& after_id, int32_t limit) override;
  void robots(std::vector<Robot>& robots, const std::string& site,
              const std::string& after_customer_id, const std::string& after_visitor_id,
              int32_t limit) override;
  void decide_robot(const std::string& site, const std::string& customer_id,
                    const std::string& visitor_id, RobotDecision decision) override;
  void robot_lists(std::vector<RobotListInfo>& lists, const std::string& site) override;
  void relist_robots(const std::string& site) override;
  void checkpoint(std::string& directory, const std::string& site) override;
  void verify(VerifyReply& reply, const VerifyRequest& request) override;
  void backup(BackupReply& reply, const BackupRequest& request) override;
  void placements(PlacementVersion& version, const std::string& site) override;
  void placement_history(std::vector<PlacementVersion>& versions, const std::string& site,
                         int32_t limit) override;
  void set_placements(PlacementVersion& version, const std::string& site,
                      const PlacementSet& content, int64_t based_on, const std::string& who,
                      const std::string& comment) override;
  void roll_back_placements(PlacementVersion& version, const std::string& site, int64_t to,
                            const std::string& who) override;
  void experiments(std::vector<ExperimentVersion>& versions, const std::string& site) override;
  void experiment_history(std::vector<ExperimentVersion>& versions, const std::string& site,
                          const std::string& id, int32_t limit) override;
  void set_experiment(ExperimentChange& change, const std::string& site, const Experiment& content,
                      int64_t based_on, const std::string& who,
                      const std::string& comment) override;
  void move_experiment(ExperimentChange& change, const std::string& site, const std::string& id,
                       ExperimentStatus status, const std::string& who,
                       const std::string& comment) override;
  void update_weights(ExperimentChange& change, const std::string& site, const std::string& id,
                      const std::string& who) override;
  void force_arm(std::string& token, const std::string& site, const std::string& experiment,
                 const std::string& arm, int32_t hours) override;
  void experiment_report(std::string& report, const std::string& site, const std::string& id,
                         ReportFormat format, const std::string& language) override;
  void experiment_plan(ExperimentSize& size, const std::string& site, const Experiment& content,
                       double lift, double power, int32_t days) override;
  void offers(OfferSetVersion& version, const std::string& site) override;
  void offer_history(std::vector<OfferSetVersion>& versions, const std::string& site,
                     int32_t limit) override;
  void set_offers(OfferSetVersion& version, const std::string& site, const OfferSet& content,
                  int64_t based_on, const std::string& who, const std::string& comment) override;
  void offer_report(OfferReport& report, const std::string& site) override;
  void customer_ledger(CustomerLedger& ledger, const std::string& site,
                       const std::string& customer_id) override;
  void spend_points(CustomerLedger& ledger, const std::string& site, const std::string& customer_id,
                    int64_t points, const std::string& id) override;
  void health(SiteHealth& health, const std::string& site) override;
  void models(std::vector<ModelInfo>& models, const std::string& site) override;
  void roll_back_model(ModelInfo& info, const std::string& site,
                       const std::string& model_id) override;
  void authenticate(const std::string& api_key) override;
  void keys(std::vector<ApiKey>& keys, const std::string& site) override;
  void create_key(NewKey& made, const std::string& site, Role role, const std::string& comment,
                  int32_t per_second, int64_t expires_ms) override;
  void revoke_key(const std::string& site, const std::string& key_id) override;
  void sites(std::vector<std::string>& names) override;
  void segments(Segments& reply, const std::string& site) override;
  void segment_history(std::vector<SegmentSetVersion>& versions, const std::string& site,
                       int32_t limit) override;
  void set_segments(SegmentSetVersion& version, const std::string& site, const SegmentSet& content,
                    int64_t based_on, const std::string& who, const std::string& comment) override;
  void segment_preview(SegmentPreview& preview, const std::string& site,
                       const Segment& segment) override;
  void segment_members(std::vector<std::string>& customers, const std::string& site,
                       const std::string& id, const std::string& after_id, int32_t limit) override;
  void segments_of(std::vector<std::string>& ids, const std::string& site,
                   const std::string& customer_id) override;
  // For callers of this process that opened a site for a moment: memberships are there when it
  // returns. Reads the whole store.
  void CountSegments(const std::string& site);
  void contact_policy(ContactPolicyVersion& version, const std::string& site) override;
  void contact_policy_history(std::vector<ContactPolicyVersion>& versions, const std::string& site,
                              int32_t limit) override;
  void set_contact_policy(ContactPolicyVersion& version, const std::string& site,
                          const ContactPolicy& content, int64_t based_on, const std::string& who,
                          const std::string& comment) override;
  void contact_preference(ContactPreference& preference, const std::string& site,
                          const std::string& customer_id) override;
  void set_contact_preference(const std::string& site,
                              const ContactPreference& preference) override;
  void judge_contact(ContactVerdict& verdict, const std::string& site,
                     const std::string& customer_id, const ProposedContact& proposed) override;
  void triggers(TriggerSetVersion& version, const std::string& site) override;
  void trigger_history(std::vector<TriggerSetVersion>& versions, const std::string& site,
                       int32_t limit) override;
  void set_triggers(TriggerSetVersion& version, const std::string& site, const TriggerSet& content,
                    int64_t based_on, const std::string& who, const std::string& comment) override;

 private:
  Site* FindOrThrow(const std::string& name) const;

  Sites* const sites_;
  const Clock* const clock_;
  const OnTrain on_train_;
  const std::string backup_root_;
  std::function<ProcessFacts()> process_;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_BACKOFFICE_H_
