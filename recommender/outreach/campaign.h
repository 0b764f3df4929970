// A campaign: for each customer of a list, the products that are best for them, the channel and the
// hour that suit them, where the contact policy allows it; as lines of a file that the shop's own
// mail or SMS system sends.
//
//   Campaign campaign(&house, *model, options, &clock);
//   ASSIGN_OR_RETURN(Outbox out, Outbox::Open(path));
//   while (next block of customers) { campaign.Send(customers, &out, &outcome) }
//
// Products are ranked a block of customers at a time (TopProductsForAll). What cannot be bought
// (withdrawn, out of stock, out of its dates) is in no list; what the customer bought is not
// either, where the site leaves it out. The channel is the first that they chose, else the one on
// which they answered most, else the campaign's order; where that is refused, the first that is
// not. The hour is the one, by their clock, at which they answered most (three times at least);
// line and plan carry it. What the policy holds carries the time until which it does.
//
// Nobody gets two messages of a campaign: the plan's id is the campaign's and the customer's
// (store/contact_book.h). It is kept before the line is written and marked as sent after, so that a
// campaign that was killed goes on where it was when it is run again with the same id and file.

#ifndef VITRINE_RECOMMENDER_OUTREACH_CAMPAIGN_H_
#define VITRINE_RECOMMENDER_OUTREACH_CAMPAIGN_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "recommender/model/model.h"
#include "recommender/outreach/outbox.h"
#include "recommender/rank/retrieval.h"
#include "store/base/clock.h"
#include "store/contact_book.h"
#include "store/web_house.h"

namespace vitrine {

struct CampaignOptions {
  std::string id;  // 1 to 64 of a-z, 0-9, '-' and '_'
  std::string purpose = "marketing";
  std::vector<Channel> channels = {EMAIL, SMS};  // at least one
  size_t k = 5;                                  // products of one customer, 1 to 200
  bool exclude_bought = true;
  std::string text;      // for every line; may be empty
  uint32_t threads = 0;  // 0: one per core
};

struct CampaignOutcome {
  int64_t customers = 0;
  int64_t now = 0;      // lines that may go at once
  int64_t later = 0;    // lines that carry a later time
  int64_t before = 0;   // had their line already
  int64_t unknown = 0;  // nothing is known of their taste, or there is nothing to show them
  std::map<std::string, int64_t> refused;   // by rule
  std::map<std::string, int64_t> channels;  // lines by channel
};

// The one that suits them best of `channels`, in front; the others as they were.
std::vector<Channel> ChannelOrder(const CustomerContacts& facts,
                                  const std::vector<Channel>& channels);
// From when on it suits them: the hour of the day at which they answered most on the channel, by
// `zone`, next after now, or now if that is it. None: they have not answered three times in any.
std::optional<int64_t> BestHour(const CustomerContacts& facts, Channel channel,
                                const std::string& zone, int64_t now_ms);

// Not thread-safe.
class Campaign {
 public:
  // All must outlive this object. REQUIRES: the options are within their ranges.
  Campaign(WebHouse* house, const Model& model, CampaignOptions options, const Clock* clock)
      : house_(house), book_(house), model_(model), options_(std::move(options)), clock_(clock) {}

  // Looks at the catalogue. To be called once, first.
  absl::Status Prepare();
  // Plans and writes a block of customers; durable when it returns. A customer who is named twice,
  // or again, is passed over.
  absl::Status Send(std::span<const std::string> customers, Outbox* out, CampaignOutcome* outcome);

 private:
  struct Member;

  absl::Status ReadMember(const std::string& customer, Member* member) const;
  absl::StatusOr<std::vector<Member>> ReadMembers(std::span<const std::string> customers,
                                                  CampaignOutcome* outcome) const;
  PlannedContact PlanFor(const Member& member, const std::vector<Scored>& list) const;
  ContactVerdict Choose(const CustomerContacts& facts, int64_t now_ms, PlannedContact* plan) const;
  absl::Status Write(const std::vector<PlannedContact>& planned, Outbox* out,
                     CampaignOutcome* outcome);

  WebHouse* const house_;
  ContactBook book_;
  const Model& model_;
  const CampaignOptions options_;
  const Clock* const clock_;
  std::vector<uint32_t> unavailable_;  // ascending
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OUTREACH_CAMPAIGN_H_
