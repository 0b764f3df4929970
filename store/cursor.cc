#include "store/cursor.h"

#include <rocksdb/iterator.h>

#include "store/base/check.h"
#include "store/codec.h"
#include "store/db.h"
#include "store/offers_types.h"
#include "store/outreach_types.h"
#include "store/segments_types.h"

namespace vitrine {

Cursor::Cursor(std::unique_ptr<rocksdb::Iterator> iterator, std::string prefix,
               const std::string& start)
    : iterator_(std::move(iterator)), prefix_(std::move(prefix)) {
  iterator_->Seek(start);
  Settle();
}

Cursor::Cursor(Cursor&&) noexcept = default;

Cursor::~Cursor() {
  // A moved-from cursor has no iterator and owes nothing.
  CHECK(iterator_ == nullptr || finished_) << "a Cursor was dropped without Finish()";
}

void Cursor::Next() {
  DCHECK(valid_);
  iterator_->Next();
  Settle();
}

void Cursor::SkipTo(absl::string_view key) {
  if (!valid_) return;
  iterator_->Seek(ToSlice(key));
  Settle();
}

absl::string_view Cursor::key() const { return FromSlice(iterator_->key()); }
absl::string_view Cursor::raw() const { return FromSlice(iterator_->value()); }

void Cursor::Settle() { valid_ = iterator_->Valid() && iterator_->key().starts_with(prefix_); }

void Cursor::Fail(absl::Status status) {
  status_ = std::move(status);
  valid_ = false;
}

absl::Status Cursor::Finish() {
  finished_ = true;
  if (!status_.ok()) return status_;
  return FromRocks(iterator_->status(), "reading the store");
}

template <typename Record>
TypedCursor<Record>::TypedCursor(std::unique_ptr<rocksdb::Iterator> iterator, std::string prefix,
                                 const std::string& start)
    : Cursor(std::move(iterator), std::move(prefix), start) {
  DecodeRow();
}

template <typename Record>
void TypedCursor<Record>::DecodeRow() {
  if (!Valid()) return;
  if (absl::Status status = DecodeRecord(raw(), &record_); !status.ok()) Fail(std::move(status));
}

const RobotVerdict* RobotScan::Find(absl::string_view person_prefix) {
  if (cursor_.Valid() && cursor_.key() < person_prefix) cursor_.SkipTo(person_prefix);
  return cursor_.Valid() && cursor_.key() == person_prefix ? &cursor_.value() : nullptr;
}

template class TypedCursor<Event>;
template class TypedCursor<Exposure>;
template class TypedCursor<ExperimentVersion>;
template class TypedCursor<PlacementVersion>;
template class TypedCursor<OfferSetVersion>;
template class TypedCursor<ContactPolicyVersion>;
template class TypedCursor<TriggerSetVersion>;
template class TypedCursor<ApiKey>;
template class TypedCursor<Session>;
template class TypedCursor<Customer>;
template class TypedCursor<CustomerFacts>;
template class TypedCursor<Product>;
template class TypedCursor<Reject>;
template class TypedCursor<RobotVerdict>;
template class TypedCursor<Erasure>;
template class TypedCursor<SourceState>;
template class TypedCursor<SegmentSetVersion>;

}  // namespace vitrine
