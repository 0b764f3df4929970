// What a customer may ask of a shop: to be forgotten; and what a shop has promised: to forget by
// itself.
//
//   Privacy privacy(&house);
//   ASSIGN_OR_RETURN(std::vector<Erasure> receipts, privacy.Erase({Person::Customer("17850")}));
//
// Erasing a customer deletes every row of theirs: events with the ids of these, conflicting
// contents, sessions, facts, marks, verdicts, links, what the ledger has of them (what they had
// reserved of the shop's budgets is given back), the rejects whose bytes hold their id; and the
// same of each visitor who is nobody else. (A visitor can be erased alone, too.) Of a device that
// others log in on too, the anonymous events that are the customer's go, and what is others' stays.
// Then RocksDB is made to forget as well: everything is flushed (which ends the log), the tables
// are rewritten down to their last level, and a new MANIFEST is begun, since it names the first and
// the last key of every file.
//
// What remains is a digest of the id under the key of the audit chain, with the time up to which
// everything was erased: an event of this person that is not newer is ignored ("ignored:erased"),
// so that an old file brings nobody back, and whoever returns is a new customer. The audit chain
// holds a note with the receipt, and its keyed digests of the rows.
//
// A backup made before knows nothing of it. So its folder is told of every erasure (by digest:
// store/backup.h), and what a restore puts back is erased again before anybody can read it.
//
// An erasure survives kill -9 at any moment: what is due is written before anything is deleted, and
// Resume finishes it. Repeating one is harmless.

#ifndef VITRINE_STORE_PRIVACY_H_
#define VITRINE_STORE_PRIVACY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/offers_types.h"
#include "store/records_types.h"
#include "store/web_house.h"

namespace vitrine {

// Thread-safe if used by one at a time; the store goes on reading and writing meanwhile.
class Privacy {
 public:
  // Told what is done next: "copies", "visitors", "events", "rows", "receipt", "log", "tables",
  // "manifest", "done". An error ends the erasure there, as a kill would.
  using OnStep = std::function<absl::Status(absl::string_view step)>;

  // `house` must outlive this object.
  explicit Privacy(WebHouse* house, OnStep on_step = nullptr)
      : house_(house), on_step_(std::move(on_step)) {}

  // One receipt for each person, also for one that nothing was known of. Rewriting the tables is
  // most of the work and done once for all: O(size of the store).
  absl::StatusOr<std::vector<Erasure>> Erase(const std::vector<Person>& persons);

  using Erased = std::map<std::string, int64_t>;  // WebHouse::ErasedPersons

  // For a store as it was before some of these erasures: carries out those that it does not know
  // of. Whom a digest means is found by taking that of every id in the store: O(events + rejects).
  // In a rejected line an id is found that stands between separators. One receipt for each person
  // of whom there was anything.
  absl::StatusOr<std::vector<Erasure>> EraseAgain(const Erased& erased);

  // Finishes what a process that died left. To be called when a store has been opened, before
  // anything is served from it.
  absl::StatusOr<std::vector<Erasure>> Resume();

  // What the office knows of the customer beside their events; nothing if it knows nothing.
  absl::StatusOr<std::optional<CustomerFacts>> FactsOf(absl::string_view customer) const;

  // Their balances, points and reservations.
  absl::StatusOr<CustomerLedger> LedgerOf(absl::string_view customer) const;

  // The conflicting contents and the rejects that an erasure would take along. O(conflicts +
  // rejects).
  struct Copies {
    std::vector<Event> conflicts;
    std::vector<Reject> rejects;
  };
  absl::StatusOr<Copies> CopiesOf(const std::string& customer) const;

  // Drops the events that are older than the site keeps them (SiteSettings.retention_days), and
  // from now on ignores such ("ignored:expired"). What was shown is kept as long as events of the
  // kind VIEW_ITEM_LIST are. What a login said of who is who stays as long as there is something
  // that the visitor did or was shown without a name. Returns how many events went. O(events +
  // exposures).
  absl::StatusOr<int64_t> ApplyRetention(int64_t now_ms);

 private:
  class Run;
  class Expiry;
  class PersonFinder;

  // Begins the erasure of one person: written, so that Finish ends it in whatever process.
  absl::StatusOr<Erasure> Begin(const Person& person, int64_t up_to_ms);
  absl::StatusOr<std::vector<Erasure>> Finish(std::vector<Erasure> due);
  absl::Status ForgetBytes();
  absl::Status NewManifest();
  absl::Status Step(absl::string_view step) const;

  WebHouse* const house_;
  const OnStep on_step_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_PRIVACY_H_
