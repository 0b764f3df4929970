// The contact policy, for what the contact book knows of a customer.

#ifndef VITRINE_RECOMMENDER_OUTREACH_JUDGE_H_
#define VITRINE_RECOMMENDER_OUTREACH_JUDGE_H_

#include <cstdint>
#include <span>

#include "store/contact_book.h"
#include "store/offers_types.h"

namespace vitrine {

// What ContactBook::Plan wants. Thread-safe.
ContactVerdict JudgeByPolicy(const CustomerContacts& facts, const ProposedContact& proposed,
                             int64_t now_ms);

struct ChannelChoice {
  Channel channel = EMAIL;
  ContactVerdict verdict;
};
// The first of the channels on which it may go now; else that on which it may go first; else the
// first one, with what refuses it there. REQUIRES: there is one.
ChannelChoice ChooseChannel(const CustomerContacts& facts, std::span<const Channel> channels,
                            const ProposedContact& proposed, int64_t now_ms);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OUTREACH_JUDGE_H_
