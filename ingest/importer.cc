#include "ingest/importer.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "ingest/batch_reader.h"
#include "ingest/formats/byte_source.h"
#include "store/base/atomic_file.h"
#include "store/base/clock.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kFirstRejects = 10;

absl::StatusOr<std::string> SourceName(const std::string& path, const ImportOptions& options) {
  if (!options.source_name.empty()) return options.source_name;
  if (path == kStandardInput) return "stdin";
  std::error_code error;
  const std::filesystem::path canonical = std::filesystem::canonical(path, error);
  if (error) return ErrnoStatus("cannot open", path, error.value());
  return canonical.string();
}

// Which file a path or a descriptor is, and how long.
struct FileFacts {
  dev_t device = 0;
  ino_t inode = 0;
  int64_t bytes = 0;
  int64_t modified_ns = 0;
  bool regular = false;

  bool IsSameFile(const FileFacts& other) const {
    return device == other.device && inode == other.inode;
  }
};

FileFacts FactsOf(const struct stat& s) {
  return {.device = s.st_dev,
          .inode = s.st_ino,
          .bytes = s.st_size,
          .modified_ns = s.st_mtim.tv_sec * int64_t{1'000'000'000} + s.st_mtim.tv_nsec,
          .regular = S_ISREG(s.st_mode)};
}

// None: there is no such file.
std::optional<FileFacts> Look(const std::string& path) {
  struct stat s;
  if (::stat(path.c_str(), &s) != 0) return std::nullopt;
  return FactsOf(s);
}

absl::StatusOr<FileFacts> Look(const ByteSource& source) {
  struct stat s;
  if (::fstat(source.descriptor(), &s) != 0) {
    return ErrnoStatus("cannot look at", "the file that is followed", errno);
  }
  return FactsOf(s);
}

absl::string_view Unpacked(absl::string_view name) {
  if (!absl::ConsumeSuffix(&name, ".gz")) absl::ConsumeSuffix(&name, ".zst");
  return name;
}

// Whether a rotation calls the old `name` so: access.log.1, access.log-20260131.gz.
bool IsRotation(absl::string_view name, absl::string_view other) {
  other = Unpacked(other);
  if (!absl::ConsumePrefix(&other, name) || other.size() < 2) return false;
  return std::all_of(other.begin(), other.end(), [](char c) {
    return absl::ascii_isdigit(c) || absl::string_view(".-_T").find(c) != absl::string_view::npos;
  });
}

class Import {
 public:
  Import(const Mapping& mapping, BatchSink* sink, const ImportOptions& options,
         FollowWaiter* waiter)
      : options_(options), waiter_(waiter) {
    origin_.mapping = &mapping;
    origin_.sink = sink;
    origin_.batch_events = options.batch_events;
    origin_.robots = options.robots;
  }

  absl::StatusOr<ImportSummary> Run(const std::string& path) {
    const int64_t start_ns = Clock::System().SteadyNs();
    origin_.path = path;
    ASSIGN_OR_RETURN(origin_.name, SourceName(path, options_));
    ASSIGN_OR_RETURN(summary_.before, origin_.sink->Source(origin_.name));
    lines_in_ = summary_.before.lines;
    if (waiter_ == nullptr) {
      RETURN_IF_ERROR(ReadWhole(origin_));
    } else {
      RETURN_IF_ERROR(Follow());
    }
    RETURN_IF_ERROR(SayWhatIsIn(Finish()));
    ASSIGN_OR_RETURN(summary_.after, origin_.sink->Source(origin_.name));
    summary_.seconds = static_cast<double>(Clock::System().SteadyNs() - start_ns) * 1e-9;
    return std::move(summary_);
  }

 private:
  // Reads a file that does not grow to its end.
  absl::Status ReadWhole(const BatchReader::Origin& origin) {
    ASSIGN_OR_RETURN(BatchReader reader, BatchReader::Open(origin));
    return ReadOn(&reader);
  }

  // Reads what there is, and commits it.
  absl::Status ReadOn(BatchReader* reader) {
    summary_.format = reader->FormatDescription();
    lines_in_ = reader->state().lines;
    const int64_t lines_before = lines_in_;
    ASSIGN_OR_RETURN(const int64_t bytes_total, reader->lines().source().FileSize());
    const auto take = [&](const CutBatch& cut) -> absl::StatusOr<bool> {
      RETURN_IF_ERROR(origin_.sink->CommitPrepared(cut.batch, cut.prepared.get()).status());
      lines_in_ = cut.batch.to_lines;
      unfinished_ = true;
      for (const Reject& reject : cut.batch.rejects) {
        if (summary_.first_rejects.size() == kFirstRejects) break;
        summary_.first_rejects.push_back(reject);
      }
      if (options_.on_progress) {
        options_.on_progress({cut.file_bytes, bytes_total, lines_in_ - lines_before});
      }
      return !Stopped();
    };
    return SayWhatIsIn(PumpBatches(reader, origin_.sink, take));
  }

  bool Stopped() const { return waiter_ != nullptr && waiter_->Stopped(); }

  absl::Status Finish() {
    unfinished_ = false;
    return origin_.sink->Finish(origin_.mapping->site);
  }

  // --- Following ---

  // Reads the file and what it grows by; when another takes its name, the rest of it and then the
  // other.
  absl::Status Follow() {
    if (LineParser::Delimiter(*origin_.mapping).has_value()) {
      return absl::InvalidArgumentError("only files of lines can be followed, no CSV");
    }
    while (!Stopped()) {
      ASSIGN_OR_RETURN(const bool has_line, WaitForALine());
      if (!has_line) return absl::OkStatus();
      RETURN_IF_ERROR(FinishPredecessors());
      ASSIGN_OR_RETURN(BatchReader reader, BatchReader::Open(origin_));
      if (!reader.lines().source().IsPlain()) {
        return absl::InvalidArgumentError(
            absl::StrCat(origin_.path, " is packed: only a plain file grows by lines"));
      }
      RETURN_IF_ERROR(FollowOne(&reader));
    }
    return absl::OkStatus();
  }

  // Waits until the file is there and holds a whole line, by which a format can be recognised.
  // False: told to stop before.
  absl::StatusOr<bool> WaitForALine() {
    while (true) {
      if (Look(origin_.path).has_value()) {
        ASSIGN_OR_RETURN(const LineReader reader, LineReader::Open(origin_.path, std::nullopt));
        if (absl::StrContains(reader.Ahead(), "\n") || !reader.source().IsPlain()) return true;
      }
      if (!waiter_->Wait()) return false;
    }
  }

  // Until the file is over, or we are told to stop.
  absl::Status FollowOne(BatchReader* reader) {
    constexpr int kQuietRounds = 2;  // a server takes a moment to let go of the old file
    reader->lines().SetGrowing(true);
    int quiet = 0;
    tail_.clear();
    tail_end_ = 0;
    while (true) {
      // Looked at before anything is read: what stands in a file that was truncated is none of the
      // old one's.
      ASSIGN_OR_RETURN(const Change change, ChangeOf(reader->lines().source()));
      if (change == Change::kTruncated) return absl::OkStatus();
      const int64_t before = reader->state().bytes;
      reader->lines().LookAgain();
      RETURN_IF_ERROR(ReadOn(reader));
      tail_end_ = reader->lines().source().FilePosition();
      tail_ = TailAt(reader->lines().source(), tail_end_);
      if (Stopped()) return absl::OkStatus();
      if (unfinished_) RETURN_IF_ERROR(SayWhatIsIn(Finish()));
      if (reader->state().bytes > before) {
        quiet = 0;
        continue;
      }
      quiet = change == Change::kReplaced ? quiet + 1 : 0;
      if (quiet > kQuietRounds) {
        reader->lines().SetGrowing(false);  // a last line without line end is one
        reader->lines().LookAgain();
        return ReadOn(reader);
      }
      if (!waiter_->Wait()) return absl::OkStatus();
    }
  }

  enum class Change { kNone, kTruncated, kReplaced };

  // What became of the file that is followed since it was last read.
  absl::StatusOr<Change> ChangeOf(const ByteSource& source) const {
    ASSIGN_OR_RETURN(const FileFacts ours, Look(source));
    if (ours.bytes < source.FilePosition() || TailAt(source, tail_end_) != tail_) {
      return Change::kTruncated;
    }
    const std::optional<FileFacts> named = Look(origin_.path);
    if (!named.has_value() || named->IsSameFile(ours)) return Change::kNone;
    return Change::kReplaced;
  }

  // The last bytes of the file before `end`: they change if it was truncated and has grown again
  // beyond what we had read.
  static std::string TailAt(const ByteSource& source, int64_t end) {
    constexpr int64_t kTailBytes = 256;
    const int64_t begin = std::max<int64_t>(0, end - kTailBytes);
    std::string tail(static_cast<size_t>(end - begin), '\0');
    const ssize_t got = ::pread(source.descriptor(), tail.data(), tail.size(), begin);
    tail.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
    return tail;
  }

  // If the file is not the one that was read, a rotated one beside it (access.log.1, perhaps
  // packed) may be: its rest comes first, and then whole those that came after it.
  absl::Status FinishPredecessors() {
    ASSIGN_OR_RETURN(const SourceState state, origin_.sink->Source(origin_.name));
    if (state.bytes == 0) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::optional<BatchReader> same, BatchReader::OpenIfItGoesOn(origin_));
    if (same.has_value()) return absl::OkStatus();
    bool found = false;
    for (const std::string& path : RotatedFiles()) {
      BatchReader::Origin rotated = origin_;
      rotated.path = path;
      if (!found) {
        // One that cannot be read at all is none of ours.
        absl::StatusOr<std::optional<BatchReader>> reader = BatchReader::OpenIfItGoesOn(rotated);
        if (!reader.ok() || !reader->has_value()) continue;
        found = true;
        RETURN_IF_ERROR(ReadOn(&**reader));
      } else {
        RETURN_IF_ERROR(ReadWhole(rotated));
      }
      if (Stopped()) break;
    }
    return absl::OkStatus();
  }

  // Files beside ours that a rotation has named, oldest first.
  std::vector<std::string> RotatedFiles() const {
    const std::filesystem::path ours = std::filesystem::path(origin_.path);
    const auto folder = ours.has_parent_path() ? ours.parent_path() : std::filesystem::path(".");
    std::vector<std::pair<int64_t, std::string>> files;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      const std::string path = entry.path().string();
      const std::optional<FileFacts> facts = Look(path);
      if (!IsRotation(ours.filename().string(), entry.path().filename().string()) ||
          !facts.has_value() || !facts->regular || facts->bytes == 0) {
        continue;
      }
      // While it is being packed, the packed one is not whole yet.
      if (const absl::string_view plain = Unpacked(path);
          plain != path && Look(std::string(plain)).has_value()) {
        continue;
      }
      files.emplace_back(facts->modified_ns, path);
    }
    std::sort(files.begin(), files.end());
    std::vector<std::string> paths;
    for (auto& [modified_ns, path] : files) paths.push_back(std::move(path));
    return paths;
  }

  absl::Status SayWhatIsIn(const absl::Status& status) const {
    if (status.ok()) return status;
    const char* const cure = absl::IsResourceExhausted(status) ? "free space and run"
                             : absl::IsDataLoss(status)        ? "mend the file and run"
                                                               : "run";
    return absl::Status(status.code(), absl::StrCat(origin_.path, ": ", status.message(), "; ",
                                                    lines_in_, " lines of it are in: ", cure,
                                                    " the same command again to go on from there"));
  }

  BatchReader::Origin origin_;
  const ImportOptions& options_;
  FollowWaiter* const waiter_;  // null: the file is read to its end, once
  ImportSummary summary_;
  int64_t lines_in_ = 0;     // lines of the source that the sink has taken
  bool unfinished_ = false;  // something was committed since the last Finish
  std::string tail_;         // what the followed file held before byte `tail_end_`
  int64_t tail_end_ = 0;
};

}  // namespace

absl::StatusOr<ImportSummary> ImportFile(const std::string& path, const Mapping& mapping,
                                         BatchSink* sink, const ImportOptions& options) {
  return Import(mapping, sink, options, nullptr).Run(path);
}

absl::StatusOr<ImportSummary> FollowFile(const std::string& path, const Mapping& mapping,
                                         BatchSink* sink, const ImportOptions& options,
                                         FollowWaiter* waiter) {
  return Import(mapping, sink, options, waiter).Run(path);
}

}  // namespace vitrine
