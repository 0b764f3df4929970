// What the shop offers, changed and looked at by the back office; and customers' points.

#include "absl/strings/str_cat.h"

#include "api/service/backoffice.h"
#include "api/service/errors.h"
#include "api/service/request.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// What was taken is taken at once: held no longer than a call lasts.
constexpr int64_t kPaymentMs = 60'000;

absl::Status SpendPoints(Ledger* ledger, const std::string& customer, int64_t points,
                         const std::string& id, int64_t now_ms) {
  const std::string payment = absl::StrCat("payment/", id);
  ASSIGN_OR_RETURN(const Ledger::Answer answer,
                   ledger->Reserve({.id = payment,
                                    .customer_id = customer,
                                    .entries = {MakeLedgerEntry(kPointsAccount, points)},
                                    .expires_ms = now_ms + kPaymentMs}));
  if (!answer.refused_by.empty()) {
    return BadField("points", absl::StrCat("there are ", answer.available));
  }
  return ledger->Commit(payment).status();
}

}  // namespace

void Backoffice::offers(OfferSetVersion& version, const std::string& site) {
  version = *FindOrThrow(site)->offers().offers();
}

void Backoffice::offer_history(std::vector<OfferSetVersion>& versions, const std::string& site,
                               int32_t limit) {
  ThrowIfError(CheckRange("limit", limit, 1, limits::kWireContainerMax));
  versions =
      ValueOrThrow(OfferBook(&FindOrThrow(site)->house()).OfferHistory(static_cast<size_t>(limit)));
}

void Backoffice::set_offers(OfferSetVersion& version, const std::string& site,
                            const OfferSet& content, int64_t based_on, const std::string& who,
                            const std::string& comment) {
  ThrowIfError(CheckText("who", who));
  ThrowIfError(CheckText("comment", comment));
  version = ValueOrThrow(FindOrThrow(site)->offers().SetOffers(content, based_on, who, comment));
}

void Backoffice::offer_report(OfferReport& report, const std::string& site) {
  report = ValueOrThrow(FindOrThrow(site)->offers().Figures());
}

void Backoffice::customer_ledger(CustomerLedger& ledger, const std::string& site,
                                 const std::string& customer_id) {
  ledger = ValueOrThrow(FindOrThrow(site)->offers().ledger().Of(customer_id));
}

void Backoffice::spend_points(CustomerLedger& ledger, const std::string& site,
                              const std::string& customer_id, int64_t points,
                              const std::string& id) {
  OfferDesk& desk = FindOrThrow(site)->offers();
  ThrowIfError(SpendPoints(&desk.ledger(), customer_id, points, id, clock_->NowMs()));
  ledger = ValueOrThrow(desk.ledger().Of(customer_id));
}

}  // namespace vitrine
