// Looks for rows that changed behind the web house's back: walks the audit chain, and compares the
// digests that it says are there with the rows that are.
//
//   ASSIGN_OR_RETURN(AuditFindings found, VerifyAudit({.directory = copy, .key_path = key}));
//   if (found.problems_found != 0) ...
//
// Every row of evidence that was changed, dropped, added or swapped is named, and every link of the
// chain that was changed, dropped or moved. A chain whose end was cut off is found against anchors:
// heads of the chain kept elsewhere. Names hold no personal data.
//
// Memory: limits::kVerifyBytesMax of digests and, once something is wrong, the findings. Time: one
// scan of chain and evidence a pass, one pass for each eleven million digests; a second scan to put
// names to what is wrong.

#ifndef VITRINE_STORE_AUDIT_VERIFY_H_
#define VITRINE_STORE_AUDIT_VERIFY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/base/hmac.h"
#include "store/base/limits.h"

namespace vitrine {

// A head of the chain, to be kept where the store's keeper cannot write. One line of text.
struct AuditAnchor {
  uint64_t link = 0;
  Hmac::Digest seal = {};
  uint64_t version = 0;
  int64_t time_ms = 0;
  std::string key_id;

  std::string Format() const;  // without a line end
  static absl::StatusOr<AuditAnchor> Parse(absl::string_view line);
};

struct AuditFinding {
  enum class Kind {
    kRowChanged,   // its content is not what was written
    kRowDropped,   // it was written, never lawfully removed, and is gone
    kRowAdded,     // nobody wrote it
    kLinkChanged,  // a link of the chain is not as it was sealed
    kLinkDropped,  // a number is missing
    kChainCut,     // an anchor says more than the chain
    kRowTwice,     // the chain itself adds or removes a row that it cannot: made with the key
  };
  Kind kind = Kind::kRowChanged;
  // Which row, without personal data; empty for a link.
  std::string row;
  // The link that wrote it (or that is wrong), 0 if none; with its write's version and time.
  uint64_t link = 0;
  uint64_t version = 0;
  int64_t time_ms = 0;
};

// "row_changed" and so on.
absl::string_view NameOf(AuditFinding::Kind kind);

struct AuditFindings {
  std::vector<AuditFinding> problems;  // the first limits::kFindingsMax
  uint64_t problems_found = 0;
  uint64_t rows = 0;  // of evidence, there now
  uint64_t links = 0;
  uint64_t removed = 0;  // rows that were removed lawfully
  // What the chain says beside rows, newest last: "kind: text", with time.
  struct Note {
    int64_t time_ms = 0;
    std::string kind, text;
  };
  std::vector<Note> notes;  // the newest limits::kFindingsMax
  AuditAnchor head;
};

struct VerifyOptions {
  std::string directory;  // of a checkpoint, or of a store that nobody has open
  std::string key_path;
  std::vector<AuditAnchor> anchors = {};
  size_t memory_bytes = limits::kVerifyBytesMax;
};

// DataLoss if RocksDB itself finds a damaged file (every block of every table is read and its
// checksum compared); FailedPrecondition if an anchor was made under another key.
absl::StatusOr<AuditFindings> VerifyAudit(const VerifyOptions& options);

}  // namespace vitrine

#endif  // VITRINE_STORE_AUDIT_VERIFY_H_
