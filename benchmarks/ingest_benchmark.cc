// How near an import comes to the speed of the disk format below it: a whole ImportFile, from
// text to derived sessions and a synced log, against RocksDB alone writing the very same rows.
//
//   ingest_benchmark [lines | FILE.csv | FILE.jsonl [rounds]]
//
// `lines` are generated, once as CSV (order lines without ids) and once as JSON (events with ids).
//
// Each round also runs the import into a store without the audit chain: what the chain costs is the
// ratio of the two.
//
// Both sides write in batches of the same rows and the same order, into a fresh store with the same
// column families and options, and end with one sync of the log. RocksDB's side has its rows ready
// in memory; what it is timed for is filling a WriteBatch and writing it. Rounds alternate between
// the two. Rates count lines of the file; a ratio is RocksDB's time over the import's.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <fstream>
#include <functional>
#include <random>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "ingest/batch_sink.h"
#include "ingest/formats/line_reader.h"
#include "ingest/importer.h"
#include "ingest/line_parser.h"
#include "store/base/atomic_file.h"
#include "store/base/check.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/codec.h"
#include "store/db.h"
#include "store/event_writer.h"
#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::TempDir;
using testing::Value;

constexpr size_t kPersonsPerWrite = 512;  // as the sessionizer does

double Seconds(const std::function<void()>& work) {
  const int64_t start_ns = Clock::System().SteadyNs();
  work();
  return static_cast<double>(Clock::System().SteadyNs() - start_ns) * 1e-9;
}

// Lines shaped like UCI Online Retail: invoices of some twenty products in the order of time, one
// in five without a customer, names with commas in quotes.
void WriteShopFile(const std::string& path, int lines) {
  std::mt19937_64 random(20101201);
  std::ofstream out(path);
  out << "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
  int invoice = 536'365;
  int left = 0;
  std::string date, customer;
  for (int i = 0; i < lines; ++i) {
    if (left-- == 0) {
      ++invoice;
      left = static_cast<int>(random() % 40);
      const int64_t minutes = int64_t{i} * 525'600 / lines;
      date =
          absl::FormatTime("%Y-%m-%d %H:%M:00", absl::FromUnixSeconds(1'291'191'960 + minutes * 60),
                           absl::UTCTimeZone());
      const uint64_t id = 12'346 + random() % 4'400;
      customer = random() % 5 == 0 ? "" : absl::StrCat(id, ".0");
    }
    const uint64_t product = 20'000 + random() % 4'000;
    const bool comma = random() % 90 == 0;
    out << invoice << ',' << product << ',' << (comma ? "\"SET OF 3, " : "HANGING ") << "HEART NO "
        << product << (comma ? "\"" : " HOLDER") << ',' << 1 + random() % 24 << ',' << date << ','
        << random() % 20 << '.' << 10 + random() % 90 << ',' << customer << ",United Kingdom\n";
  }
}

// Events as a shop's pages send them: visits of some ten pages, half of them of a customer.
void WriteJsonFile(const std::string& path, int lines) {
  constexpr const char* kAgents[] = {
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
      "Gecko) Version/17.2 Mobile/15E148 Safari/604.1",
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
      "Chrome/120.0.0.0 Safari/537.36"};
  constexpr const char* kKinds[] = {"view_item", "view_item", "view_item", "view_item",
                                    "add_to_cart"};
  constexpr int kVisits = 200;  // under way at a time
  std::mt19937_64 random(20240101);
  std::ofstream out(path);
  std::vector<std::pair<uint64_t, int>> visits(kVisits);  // visitor, pages left
  for (int i = 0; i < lines; ++i) {
    auto& [visitor, left] = visits[random() % kVisits];
    if (left-- == 0) {
      visitor = random() % 50'000;
      left = static_cast<int>(random() % 20);
    }
    const uint64_t product = random() % 4'000;
    out << R"({"id":"e)" << i << R"(","time_ms":)" << 1'704'067'200'000 + int64_t{i} * 1'000
        << R"(,"kind":")" << kKinds[random() % std::size(kKinds)] << R"(","channel":"web",)";
    if (visitor % 2 == 0) out << R"("customer_id":"c)" << visitor << R"(",)";
    out << R"("visitor_id":"ea9f03a1)" << visitor << R"(","items":[{"product_id":"p)" << product
        << R"(","quantity":1}],"url":"https://shop.example/p/p)" << product
        << R"(","referrer":"https://shop.example/c/candle","country":"IE","user_agent":")"
        << kAgents[visitor % 4 == 0] << "\"}\n";
  }
}

// Rows of one write: what to put (or delete) in which table.
struct Row {
  uint32_t table;
  bool is_delete;
  std::string key, value;
};
using RowBatch = std::vector<Row>;

// Copies a WriteBatch into rows.
class RowCollector : public rocksdb::WriteBatch::Handler {
 public:
  rocksdb::Status PutCF(uint32_t table, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    rows.push_back({table, false, key.ToString(), value.ToString()});
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(uint32_t table, const rocksdb::Slice& key) override {
    rows.push_back({table, true, key.ToString(), ""});
    return rocksdb::Status::OK();
  }
  RowBatch rows;
};

rocksdb::WriteBatch NewWriteBatch() { return rocksdb::WriteBatch(0, 0, 8, 0); }

std::unique_ptr<Db> OpenDb(const std::string& directory) {
  // The same shares of memory as WebHouse::Open gives.
  return Value(Db::Open(directory, Db::Mode::kCreate, MakeDbBudget(256 << 20, 128 << 20)));
}

void WriteRows(const Db& db, const RowBatch& rows) {
  rocksdb::WriteBatch batch = NewWriteBatch();
  for (const Row& row : rows) {
    rocksdb::ColumnFamilyHandle* const table = db.table(static_cast<Table>(row.table));
    const rocksdb::Status status =
        row.is_delete ? batch.Delete(table, row.key) : batch.Put(table, row.key, row.value);
    CHECK(status.ok()) << status.ToString();
  }
  const rocksdb::Status status = db.raw()->Write(rocksdb::WriteOptions(), &batch);
  CHECK(status.ok()) << status.ToString();
}

// A StoreSink that notes when the last batch was in and, if asked, keeps the rows of each batch.
class ObservedSink : public BatchSink {
 public:
  ObservedSink(WebHouse* house, Db* scratch) : house_(house), sink_(house), scratch_(scratch) {}

  absl::StatusOr<SourceState> Source(absl::string_view name) override { return sink_.Source(name); }
  absl::Status RestartSource(absl::string_view name) override { return sink_.RestartSource(name); }
  absl::StatusOr<CommitResult> Commit(const EventBatch& batch) override {
    absl::StatusOr<CommitResult> result = sink_.Commit(batch);
    if (scratch_ != nullptr && result.ok()) Keep(batch);
    return result;
  }
  absl::StatusOr<std::shared_ptr<const PreparedEvents>> Prepare(const EventBatch& batch) override {
    return sink_.Prepare(batch);
  }
  absl::StatusOr<CommitResult> CommitPrepared(const EventBatch& batch,
                                              const PreparedEvents* prepared) override {
    absl::StatusOr<CommitResult> result = sink_.CommitPrepared(batch, prepared);
    if (scratch_ != nullptr && result.ok()) Keep(batch);
    return result;
  }
  absl::Status Finish(const SiteSettingsPatch& settings) override {
    finish_ns = Clock::System().SteadyNs();
    return sink_.Finish(settings);
  }

  int64_t finish_ns = 0;
  std::vector<RowBatch> batches;

 private:
  // Has the store's own writer make the rows again, against a copy of the store.
  void Keep(const EventBatch& batch) {
    rocksdb::WriteBatch rows = NewWriteBatch();
    const PreparedEvents prepared(batch.events, batch.robots, nullptr);
    EventWriter writer(*scratch_, house_->Version(), prepared, &rows);
    CHECK(writer.Write().ok());
    RowCollector collector;
    CHECK(rows.Iterate(&collector).ok());
    const auto meta = static_cast<uint32_t>(Table::kMeta);
    const auto rejects = static_cast<uint32_t>(Table::kRejects);
    for (const Reject& reject : batch.rejects) {
      collector.rows.push_back({rejects, false,
                                keys::RejectKey(batch.source, reject.generation, reject.line),
                                EncodeRecord(reject)});
    }
    const SourceState state = Value(sink_.Source(batch.source));
    collector.rows.push_back({meta, false, keys::SourceKey(batch.source), EncodeRecord(state)});
    collector.rows.push_back({meta, false, "version", std::string(8, '\0')});
    collector.rows.push_back({meta, false, "totals", EncodeRecord(house_->GetTotals())});
    WriteRows(*scratch_, collector.rows);
    batches.push_back(std::move(collector.rows));
  }

  WebHouse* const house_;
  StoreSink sink_;
  Db* const scratch_;
};

// The rows that deriving wrote: those of the finished store, in the same slices of persons.
std::vector<RowBatch> DerivedRows(const Db& scratch, const WebHouse& house) {
  std::vector<RowBatch> batches;
  const auto sessions = static_cast<uint32_t>(Table::kSessions);
  const auto customers = static_cast<uint32_t>(Table::kCustomers);
  const auto dirty_table = static_cast<uint32_t>(Table::kDirty);
  size_t persons = 0;
  const std::unique_ptr<rocksdb::Iterator> dirty = scratch.Scan(Table::kDirty);
  for (dirty->SeekToFirst(); dirty->Valid(); dirty->Next()) {
    if (persons++ % kPersonsPerWrite == 0) batches.emplace_back();
    RowBatch& rows = batches.back();
    const Person person = keys::ParsePerson(FromSlice(dirty->key()));
    SessionCursor cursor = house.SessionsOf(person);
    for (; cursor.Valid(); cursor.Next()) {
      rows.push_back({sessions, false, std::string(cursor.key()), EncodeRecord(cursor.value())});
    }
    CHECK(cursor.Finish().ok());
    if (person.kind == Person::Kind::kCustomer) {
      const Customer customer = Value(house.GetCustomer(person.id));
      rows.push_back({customers, false, customer.id, EncodeRecord(customer)});
    }
    rows.push_back({dirty_table, true, dirty->key().ToString(), ""});
  }
  CHECK(dirty->status().ok());
  return batches;
}

struct ImportTimes {
  double events = 0;  // until the last batch was in
  double all = 0;     // with derived rows and the sync
};

ImportTimes TimeImport(const std::string& file, const Mapping& mapping, bool audit) {
  TempDir folder;
  const auto house = Value(WebHouse::Open({.directory = folder.File("site"), .audit = audit}));
  ObservedSink sink(house.get(), nullptr);
  const int64_t start_ns = Clock::System().SteadyNs();
  ImportTimes times;
  times.all = Seconds([&] { Value(ImportFile(file, mapping, &sink, {})); });
  times.events = static_cast<double>(sink.finish_ns - start_ns) * 1e-9;
  return times;
}

ImportTimes TimeRocksDb(const std::vector<RowBatch>& events, const std::vector<RowBatch>& derived) {
  TempDir folder;
  const auto db = OpenDb(folder.File("raw"));
  const auto write_all = [&db](const std::vector<RowBatch>& batches) {
    for (const RowBatch& rows : batches) WriteRows(*db, rows);
  };
  ImportTimes times;
  times.events = Seconds([&] { write_all(events); });
  times.all = times.events + Seconds([&] {
                write_all(derived);
                CHECK(db->raw()->SyncWAL().ok());
              });
  return times;
}

// The parser by itself: lines found, lines made into valid events.
void PrintParserRates(const std::string& file, const Mapping& mapping) {
  const auto rate = [&](const char* what, const std::function<void(const Line&)>& use,
                        LineReader* reader) {
    int64_t lines = 0;
    const double seconds = Seconds([&] {
      for (Line line; reader->Next(&line); ++lines) use(line);
    });
    std::printf("  %-44s %12.0f lines/s\n", what, static_cast<double>(lines) / seconds);
  };
  const auto open = [&] { return Value(LineReader::Open(file, LineParser::Delimiter(mapping))); };
  LineReader find = open();
  rate(
      "find lines", [](const Line&) {}, &find);
  LineReader parse = open();
  LineParser parser = Value(LineParser::Create(mapping, &parse));
  Event event;
  rate(
      "find, parse and validate", [&](const Line& line) { parser.Parse(line, &event); }, &parse);
}

// Debian builds librocksdb without NDEBUG; that slows both sides.
bool RocksDbHasAsserts() {
  Dl_info info;
  if (::dladdr(reinterpret_cast<const void*>(&rocksdb::DestroyDB), &info) == 0) return false;
  const absl::StatusOr<std::string> library = ReadFile(info.dli_fname, 256 << 20);
  return library.ok() && absl::StrContains(*library, "__assert_fail");
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void PrintTimes(const char* what, const std::vector<double>& seconds, int64_t lines) {
  const auto [least, most] = std::minmax_element(seconds.begin(), seconds.end());
  const double median = Median(seconds);
  std::printf("  %-44s %12.0f lines/s  median %.2f s (%.2f to %.2f)\n", what,
              static_cast<double>(lines) / median, median, *least, *most);
}

int64_t CountRows(const std::vector<RowBatch>& batches, int64_t* bytes) {
  int64_t rows = 0;
  for (const RowBatch& batch : batches) {
    rows += static_cast<int64_t>(batch.size());
    for (const Row& row : batch) *bytes += static_cast<int64_t>(row.key.size() + row.value.size());
  }
  return rows;
}

void Run(const std::string& file, int rounds) {
  const bool is_json = absl::EndsWith(file, ".jsonl");
  const std::string toml = is_json
                               ? "format = \"json_lines\"\n"
                               : Value(ReadFile("examples/gifts.toml", limits::kConfigBytesMax));
  const Mapping mapping = Value(ParseMapping(toml, "mapping"));
  std::printf("%s\nparser alone, one core\n", is_json ? "JSON events" : "CSV order lines");
  PrintParserRates(file, mapping);

  TempDir folder;
  std::vector<RowBatch> events, derived;
  int64_t lines = 0;
  {
    const auto house = Value(WebHouse::Open({.directory = folder.File("site")}));
    const auto scratch = OpenDb(folder.File("scratch"));
    ObservedSink sink(house.get(), scratch.get());
    const ImportSummary summary = Value(ImportFile(file, mapping, &sink, {}));
    lines = summary.after.lines;
    events = std::move(sink.batches);
    derived = DerivedRows(*scratch, *house);
  }
  int64_t bytes = 0;
  const int64_t event_rows = CountRows(events, &bytes);
  const int64_t derived_rows = CountRows(derived, &bytes);
  std::printf("%ld lines become %ld rows in %zu writes, and %ld derived rows in %zu; %.1f MB\n",
              lines, event_rows, events.size(), derived_rows, derived.size(),
              static_cast<double>(bytes) * 1e-6);
  std::printf("librocksdb has asserts: %s\n", RocksDbHasAsserts() ? "yes" : "no");

  std::vector<double> import_all, import_events, plain_all, chain_cost, raw_all, raw_events;
  for (int round = 0; round < rounds; ++round) {
    // In turn, so that neither side has the warmer disk.
    const bool first = round % 2 == 0;
    ImportTimes import = TimeImport(file, mapping, first);
    ImportTimes plain = TimeImport(file, mapping, !first);
    if (!first) std::swap(import, plain);
    plain_all.push_back(plain.all);
    chain_cost.push_back(import.all / plain.all);
    const ImportTimes raw = TimeRocksDb(events, derived);
    import_all.push_back(import.all);
    import_events.push_back(import.events);
    raw_all.push_back(raw.all);
    raw_events.push_back(raw.events);
  }
  std::printf("%d rounds, alternating\n", rounds);
  PrintTimes("import: parse, write, derive, sync", import_all, lines);
  PrintTimes("RocksDB: the same rows, sync", raw_all, lines);
  PrintTimes("import: parse and write only", import_events, lines);
  PrintTimes("RocksDB: the same rows", raw_events, lines);
  PrintTimes("import without the audit chain", plain_all, lines);
  const auto [least, most] = std::minmax_element(chain_cost.begin(), chain_cost.end());
  std::printf("the audit chain makes an import %.3f times as long (median; %.3f to %.3f)\n",
              Median(chain_cost), *least, *most);
  std::printf("ratio %.2f whole, %.2f without deriving (JSON: the goal is 0.60)\n",
              Median(raw_all) / Median(import_all), Median(raw_events) / Median(import_events));
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "500000";
  int rounds = 5;
  if (argc > 2 && (!absl::SimpleAtoi(argv[2], &rounds) || rounds < 1)) {
    std::fprintf(stderr, "usage: ingest_benchmark [lines | FILE.csv | FILE.jsonl [rounds]]\n");
    return 2;
  }
  vitrine::testing::TempDir folder;
  int lines;
  if (!absl::SimpleAtoi(what, &lines)) {
    vitrine::Run(what, rounds);
    return 0;
  }
  const std::string csv = folder.File("shop.csv");
  vitrine::WriteShopFile(csv, lines);
  vitrine::Run(csv, rounds);
  const std::string json = folder.File("events.jsonl");
  vitrine::WriteJsonFile(json, lines);
  vitrine::Run(json, rounds);
  return 0;
}
