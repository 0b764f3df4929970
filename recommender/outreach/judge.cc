#include "recommender/outreach/judge.h"

#include <optional>

#include "recommender/offers/contact_policy.h"
#include "store/base/check.h"

namespace vitrine {

ContactVerdict JudgeByPolicy(const CustomerContacts& facts, const ProposedContact& proposed,
                             int64_t now_ms) {
  return JudgeContact({facts.policy, facts.preference, facts.consents, facts.contacts}, proposed,
                      now_ms);
}

ChannelChoice ChooseChannel(const CustomerContacts& facts, std::span<const Channel> channels,
                            const ProposedContact& proposed, int64_t now_ms) {
  CHECK(!channels.empty());
  std::optional<ChannelChoice> best;
  for (const Channel channel : channels) {
    ProposedContact there = proposed;
    there.channel = channel;
    ChannelChoice choice = {channel, JudgeByPolicy(facts, there, now_ms)};
    if (choice.verdict.outcome == CONTACT_ALLOWED) return choice;
    const bool is_held = choice.verdict.outcome == CONTACT_HELD;
    const bool is_better =
        !best.has_value() || (is_held && (best->verdict.outcome == CONTACT_REFUSED ||
                                          choice.verdict.until_ms < best->verdict.until_ms));
    if (is_better) best = std::move(choice);
  }
  return *std::move(best);
}

}  // namespace vitrine
