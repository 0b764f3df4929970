// The back office of one connection: what its key opens, and no more.

#ifndef VITRINE_API_AUTH_GUARDED_BACKOFFICE_H_
#define VITRINE_API_AUTH_GUARDED_BACKOFFICE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/Backoffice.h"
#include "api/auth/gatekeeper.h"

namespace vitrine {

// Each method says what it takes to call it: a new one does not compile before somebody has
// decided. The key is looked at in each call, so that one that is revoked opens nothing more. A
// call that is not opened throws a TApplicationException: few methods of the IDL declare
// Unauthorized.
//
// One thread at a time, as a connection is.
class GuardedBackoffice final : public BackofficeIf {
 public:
  // Both outlive it.
  GuardedBackoffice(BackofficeIf* service, const Gatekeeper* gatekeeper)
      : service_(*service), gatekeeper_(*gatekeeper) {}

  void train(ModelInfo& reply, const TrainRequest& request) override {
    For(request.site, Opens::kBackoffice).train(reply, request);
  }
  void model_info(ModelInfo& reply, const std::string& site) override {
    For(site, Opens::kBackofficeRead).model_info(reply, site);
  }
  void health(SiteHealth& reply, const std::string& site) override {
    For(site, Opens::kBackofficeRead).health(reply, site);
  }
  void counts(SiteCounts& reply, const std::string& site) override {
    For(site, Opens::kBackofficeRead).counts(reply, site);
  }
  void source(SourceState& reply, const std::string& site, const std::string& name) override {
    For(site, Opens::kBackofficeRead).source(reply, site, name);
  }
  void restart_source(const std::string& site, const std::string& name) override {
    For(site, Opens::kBackoffice).restart_source(site, name);
  }
  void import_batch(CommitResult& reply, const std::string& site,
                    const EventBatch& batch) override {
    For(site, Opens::kBackoffice).import_batch(reply, site, batch);
  }
  void import_done(const std::string& site, const SiteSettingsPatch& settings) override {
    For(site, Opens::kBackoffice).import_done(site, settings);
  }
  void reject_summaries(std::vector<RejectSummary>& reply, const std::string& site) override {
    For(site, Opens::kBackofficeRead).reject_summaries(reply, site);
  }
  void rejects(RejectPage& reply, const std::string& site, const RejectQuery& query) override {
    For(site, Opens::kBackofficeRead).rejects(reply, site, query);
  }
  void history(std::vector<Event>& reply, const std::string& site, const std::string& customer_id,
               const std::string& visitor_id, int32_t limit) override {
    For(site, Opens::kBackofficeRead).history(reply, site, customer_id, visitor_id, limit);
  }
  void customers(std::vector<Customer>& reply, const std::string& site, const std::string& after_id,
                 int32_t limit) override {
    For(site, Opens::kBackofficeRead).customers(reply, site, after_id, limit);
  }
  void customer_record(CustomerRecord& reply, const std::string& site,
                       const std::string& customer_id) override {
    For(site, Opens::kBackofficeRead).customer_record(reply, site, customer_id);
  }
  void erase_customers(std::vector<Erasure>& reply, const std::string& site,
                       const std::vector<std::string>& customer_ids) override {
    For(site, Opens::kBackoffice).erase_customers(reply, site, customer_ids);
  }
  void unlink(const std::string& site, const std::string& customer_id,
              const std::string& visitor_id) override {
    For(site, Opens::kBackoffice).unlink(site, customer_id, visitor_id);
  }
  void relink(const std::string& site, const std::string& customer_id,
              const std::string& visitor_id) override {
    For(site, Opens::kBackoffice).relink(site, customer_id, visitor_id);
  }
  int64_t apply_retention(const std::string& site) override {
    return For(site, Opens::kBackoffice).apply_retention(site);
  }
  void products(std::vector<Product>& reply, const std::string& site,
                const std::vector<std::string>& ids) override {
    For(site, Opens::kBackofficeRead).products(reply, site, ids);
  }
  void update_products(UpdateReply& reply, const std::string& site,
                       const std::vector<Product>& products) override {
    For(site, Opens::kBackoffice).update_products(reply, site, products);
  }
  void begin_replacement(const std::string& site, const std::string& source) override {
    For(site, Opens::kBackoffice).begin_replacement(site, source);
  }
  int64_t finish_replacement(const std::string& site, const std::string& source) override {
    return For(site, Opens::kBackoffice).finish_replacement(site, source);
  }
  void catalogue(std::vector<Product>& reply, const std::string& site, const std::string& after_id,
                 int32_t limit) override {
    For(site, Opens::kBackofficeRead).catalogue(reply, site, after_id, limit);
  }
  void robots(std::vector<Robot>& reply, const std::string& site,
              const std::string& after_customer_id, const std::string& after_visitor_id,
              int32_t limit) override {
    For(site, Opens::kBackofficeRead)
        .robots(reply, site, after_customer_id, after_visitor_id, limit);
  }
  void decide_robot(const std::string& site, const std::string& customer_id,
                    const std::string& visitor_id, RobotDecision decision) override {
    For(site, Opens::kBackoffice).decide_robot(site, customer_id, visitor_id, decision);
  }
  void robot_lists(std::vector<RobotListInfo>& reply, const std::string& site) override {
    For(site, Opens::kBackofficeRead).robot_lists(reply, site);
  }
  void relist_robots(const std::string& site) override {
    For(site, Opens::kBackoffice).relist_robots(site);
  }
  void checkpoint(std::string& reply, const std::string& site) override {
    For(site, Opens::kBackoffice).checkpoint(reply, site);
  }
  void verify(VerifyReply& reply, const VerifyRequest& request) override {
    For(request.site, Opens::kBackofficeRead).verify(reply, request);
  }
  void backup(BackupReply& reply, const BackupRequest& request) override {
    For(request.site, Opens::kBackoffice).backup(reply, request);
  }
  void placements(PlacementVersion& reply, const std::string& site) override {
    For(site, Opens::kBackofficeRead).placements(reply, site);
  }
  void placement_history(std::vector<PlacementVersion>& reply, const std::string& site,
                         int32_t limit) override {
    For(site, Opens::kBackofficeRead).placement_history(reply, site, limit);
  }
  void set_placements(PlacementVersion& reply, const std::string& site, const PlacementSet& content,
                      int64_t based_on, const std::string& who,
                      const std::string& comment) override {
    For(site, Opens::kBackoffice).set_placements(reply, site, content, based_on, who, comment);
  }
  void offers(OfferSetVersion& reply, const std::string& site) override {
    For(site, Opens::kBackofficeRead).offers(reply, site);
  }
  void offer_history(std::vector<OfferSetVersion>& reply, const std::string& site,
                     int32_t limit) override {
    For(site, Opens::kBackofficeRead).offer_history(reply, site, limit);
  }
  void set_offers(OfferSetVersion& reply, const std::string& site, const OfferSet& content,
                  int64_t based_on, const std::string& who, const std::string& comment) override {
    For(site, Opens::kBackoffice).set_offers(reply, site, content, based_on, who, comment);
  }
  void offer_report(OfferReport& reply, const std::string& site) override {
    For(site, Opens::kBackofficeRead).offer_report(reply, site);
  }
  void customer_ledger(CustomerLedger& reply, const std::string& site,
                       const std::string& customer_id) override {
    For(site, Opens::kBackofficeRead).customer_ledger(reply, site, customer_id);
  }
  void spend_points(CustomerLedger& reply, const std::string& site, const std::string& customer_id,
                    int64_t points, const std::string& id) override {
    For(site, Opens::kBackoffice).spend_points(reply, site, customer_id, points, id);
  }
  void roll_back_placements(PlacementVersion& reply, const std::string& site, int64_t version,
                            const std::string& who) override {
    For(site, Opens::kBackoffice).roll_back_placements(reply, site, version, who);
  }
  void experiments(std::vector<ExperimentVersion>& reply, const std::string& site) override {
    For(site, Opens::kBackofficeRead).experiments(reply, site);
  }
  void experiment_history(std::vector<ExperimentVersion>& reply, const std::string& site,
                          const std::string& id, int32_t limit) override {
    For(site, Opens::kBackofficeRead).experiment_history(reply, site, id, limit);
  }
  void set_experiment(ExperimentChange& reply, const std::string& site, const Experiment& content,
                      int64_t based_on, const std::string& who,
                      const std::string& comment) override {
    For(site, Opens::kBackoffice).set_experiment(reply, site, content, based_on, who, comment);
  }
  void move_experiment(ExperimentChange& reply, const std::string& site, const std::string& id,
                       ExperimentStatus status, const std::string& who,
                       const std::string& comment) override {
    For(site, Opens::kBackoffice).move_experiment(reply, site, id, status, who, comment);
  }
  void update_weights(ExperimentChange& reply, const std::string& site, const std::string& id,
                      const std::string& who) override {
    For(site, Opens::kBackoffice).update_weights(reply, site, id, who);
  }
  void force_arm(std::string& reply, const std::string& site, const std::string& experiment,
                 const std::string& arm, int32_t hours) override {
    For(site, Opens::kBackoffice).force_arm(reply, site, experiment, arm, hours);
  }
  void experiment_report(std::string& reply, const std::string& site, const std::string& id,
                         ReportFormat format, const std::string& language) override {
    For(site, Opens::kBackofficeRead).experiment_report(reply, site, id, format, language);
  }
  void experiment_plan(ExperimentSize& reply, const std::string& site, const Experiment& content,
                       double lift, double power, int32_t days) override {
    For(site, Opens::kBackofficeRead).experiment_plan(reply, site, content, lift, power, days);
  }
  void models(std::vector<ModelInfo>& reply, const std::string& site) override {
    For(site, Opens::kBackofficeRead).models(reply, site);
  }
  void roll_back_model(ModelInfo& reply, const std::string& site,
                       const std::string& model_id) override {
    For(site, Opens::kBackoffice).roll_back_model(reply, site, model_id);
  }
  void authenticate(const std::string& api_key) override;
  void keys(std::vector<ApiKey>& reply, const std::string& site) override {
    For(site, Opens::kBackofficeRead).keys(reply, site);
  }
  void create_key(NewKey& reply, const std::string& site, Role role, const std::string& comment,
                  int32_t per_second, int64_t expires_ms) override {
    For(site, Opens::kBackoffice).create_key(reply, site, role, comment, per_second, expires_ms);
  }
  void revoke_key(const std::string& site, const std::string& key_id) override {
    For(site, Opens::kBackoffice).revoke_key(site, key_id);
  }
  void sites(std::vector<std::string>& reply) override;
  void segments(Segments& reply, const std::string& site) override {
    For(site, Opens::kBackofficeRead).segments(reply, site);
  }
  void segment_history(std::vector<SegmentSetVersion>& reply, const std::string& site,
                       int32_t limit) override {
    For(site, Opens::kBackofficeRead).segment_history(reply, site, limit);
  }
  void set_segments(SegmentSetVersion& reply, const std::string& site, const SegmentSet& content,
                    int64_t based_on, const std::string& who, const std::string& comment) override {
    For(site, Opens::kBackoffice).set_segments(reply, site, content, based_on, who, comment);
  }
  void segment_preview(SegmentPreview& reply, const std::string& site,
                       const Segment& segment) override {
    For(site, Opens::kBackofficeRead).segment_preview(reply, site, segment);
  }
  void segment_members(std::vector<std::string>& reply, const std::string& site,
                       const std::string& id, const std::string& after_id, int32_t limit) override {
    For(site, Opens::kBackofficeRead).segment_members(reply, site, id, after_id, limit);
  }
  void segments_of(std::vector<std::string>& reply, const std::string& site,
                   const std::string& customer_id) override {
    For(site, Opens::kBackofficeRead).segments_of(reply, site, customer_id);
  }
  void contact_policy(ContactPolicyVersion& reply, const std::string& site) override {
    For(site, Opens::kBackofficeRead).contact_policy(reply, site);
  }
  void contact_policy_history(std::vector<ContactPolicyVersion>& reply, const std::string& site,
                              int32_t limit) override {
    For(site, Opens::kBackofficeRead).contact_policy_history(reply, site, limit);
  }
  void set_contact_policy(ContactPolicyVersion& reply, const std::string& site,
                          const ContactPolicy& content, int64_t based_on, const std::string& who,
                          const std::string& comment) override {
    For(site, Opens::kBackoffice).set_contact_policy(reply, site, content, based_on, who, comment);
  }
  void contact_preference(ContactPreference& reply, const std::string& site,
                          const std::string& customer_id) override {
    For(site, Opens::kBackofficeRead).contact_preference(reply, site, customer_id);
  }
  void set_contact_preference(const std::string& site,
                              const ContactPreference& preference) override {
    For(site, Opens::kBackoffice).set_contact_preference(site, preference);
  }
  void judge_contact(ContactVerdict& reply, const std::string& site, const std::string& customer_id,
                     const ProposedContact& proposed) override {
    For(site, Opens::kBackofficeRead).judge_contact(reply, site, customer_id, proposed);
  }
  void triggers(TriggerSetVersion& reply, const std::string& site) override {
    For(site, Opens::kBackofficeRead).triggers(reply, site);
  }
  void trigger_history(std::vector<TriggerSetVersion>& reply, const std::string& site,
                       int32_t limit) override {
    For(site, Opens::kBackofficeRead).trigger_history(reply, site, limit);
  }
  void set_triggers(TriggerSetVersion& reply, const std::string& site, const TriggerSet& content,
                    int64_t based_on, const std::string& who, const std::string& comment) override {
    For(site, Opens::kBackoffice).set_triggers(reply, site, content, based_on, who, comment);
  }

 private:
  // The service, if the connection may.
  BackofficeIf& For(const std::string& site, Opens wanted) const;

  BackofficeIf& service_;
  const Gatekeeper& gatekeeper_;
  std::string key_;
};

}  // namespace vitrine

#endif  // VITRINE_API_AUTH_GUARDED_BACKOFFICE_H_
