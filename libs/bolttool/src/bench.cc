#include "bench.h"

#include <algorithm>
#include <deque>

#include "truss/common/coding.h"
#include "truss/common/random.h"

namespace truss::bolttool {
namespace {

constexpr ByteView kBucket = "key";

/// Key i: 17 bytes, as etcd's revisions.
std::string key_of(std::uint64_t i) {
  std::string key(17, '\0');
  store_be64(key.data(), i);
  key[8] = '_';
  return key;
}

double milliseconds(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

/// The run: commits and the readers that come and go between them.
class Churn {
 public:
  Churn(bolt::DB& db, Clock& clock, const ChurnOptions& options)
      : db_(db), clock_(clock), options_(options), value_(options.value_bytes, 'v') {}

  Result<> commit(std::uint64_t n) {
    TRUSS_TRY(turn_readers(n));
    const MonoTime start = clock_.now();
    TRUSS_ASSIGN(bolt::Tx tx, db_.begin_write());
    TRUSS_ASSIGN(bolt::Bucket bucket, tx.create_bucket_if_absent(kBucket));
    for (std::uint64_t i = 0; i < options_.batch; ++i) {
      value_[0] = static_cast<char>('a' + n % 26);
      TRUSS_TRY(bucket.put(key_of(random_.below(options_.keys)), value_));
    }
    TRUSS_TRY(tx.commit());
    latencies_.push_back(milliseconds(clock_.now() - start));
    return {};
  }

  ChurnWindow window(std::uint64_t commits, MonoTime start) {
    const bolt::Stats stats = db_.stats();
    ChurnWindow w;
    w.commits = commits;
    w.seconds = milliseconds(clock_.now() - start) / 1000;
    w.file_bytes = stats.size_bytes;
    w.free_pages = stats.free_pages;
    w.pending_pages = stats.pending_pages;
    w.pages_per_commit = static_cast<double>(stats.pages_written - pages_before_) /
                         static_cast<double>(std::max<std::size_t>(1, latencies_.size()));
    pages_before_ = stats.pages_written;
    w.p50_ms = percentile(latencies_, 0.5);
    w.p99_ms = percentile(latencies_, 0.99);
    latencies_.clear();
    return w;
  }

 private:
  /// Readers end in turn, each after `hold` commits.
  Result<> turn_readers(std::uint64_t n) {
    if (options_.readers == 0) return {};
    const std::uint64_t gap = std::max<std::uint64_t>(1, options_.hold / options_.readers);
    if (n % gap != 0) return {};
    if (readers_.size() == options_.readers) readers_.pop_front();
    TRUSS_ASSIGN(bolt::Tx tx, db_.begin_read());
    readers_.push_back(std::move(tx));
    return {};
  }

  bolt::DB& db_;
  Clock& clock_;
  const ChurnOptions& options_;
  std::string value_;
  SeededRandom random_{1};
  std::deque<bolt::Tx> readers_;
  std::vector<double> latencies_;
  std::uint64_t pages_before_ = 0;
};

}  // namespace

Result<> fill_file(FileSystem& fs, const std::string& path, std::uint64_t keys,
                   std::uint64_t value_bytes, bolt::Options options) {
  constexpr std::uint64_t kBatch = 10000;
  if (exists(fs, path)) return fail(Code::kAlreadyExists, path + " is there already");
  options.no_sync = true;
  TRUSS_ASSIGN(auto db, bolt::DB::open(fs, path, options));
  const std::string value(value_bytes, 'v');
  for (std::uint64_t i = 0; i < keys;) {
    TRUSS_ASSIGN(bolt::Tx tx, db->begin_write());
    TRUSS_ASSIGN(bolt::Bucket bucket, tx.create_bucket_if_absent(kBucket));
    bucket.set_fill_percent(0.9);
    for (const std::uint64_t end = std::min(keys, i + kBatch); i < end; ++i) {
      TRUSS_TRY(bucket.put(key_of(i), value));
    }
    TRUSS_TRY(tx.commit());
  }
  return {};
}

Result<std::vector<ChurnWindow>> run_churn(FileSystem& fs, Clock& clock, const std::string& path,
                                           const ChurnOptions& options,
                                           const std::function<void(const ChurnWindow&)>& each) {
  TRUSS_TRY(fill_file(fs, path, options.keys, options.value_bytes, options.bolt));
  TRUSS_ASSIGN(auto db, bolt::DB::open(fs, path, options.bolt));
  Churn churn(*db, clock, options);
  std::vector<ChurnWindow> out;
  const std::uint64_t part =
      std::max<std::uint64_t>(1, options.commits / std::max<std::uint64_t>(1, options.windows));
  const MonoTime start = clock.now();
  for (std::uint64_t n = 0; n < options.commits; ++n) {
    TRUSS_TRY(churn.commit(n));
    if ((n + 1) % part != 0 && n + 1 != options.commits) continue;
    out.push_back(churn.window(n + 1, start));
    each(out.back());
  }
  return out;
}

Result<MapRun> run_map(FileSystem& fs, Clock& clock, const std::string& path, bool populate,
                       std::uint64_t keys, std::uint64_t reads,
                       const std::function<std::string()>& resident) {
  MapRun run;
  const MonoTime start = clock.now();
  TRUSS_ASSIGN(auto db, bolt::DB::open(fs, path, {.read_only = true, .map_populate = populate}));
  run.open_ms = milliseconds(clock.now() - start);
  TRUSS_ASSIGN(bolt::Tx tx, db->begin_read());
  TRUSS_ASSIGN(const auto bucket, tx.bucket(kBucket));
  if (!bucket) return fail(Code::kNotFound, path + ": no bucket key");
  for (const bool first : {true, false}) {
    SeededRandom random(2);
    std::vector<double> latencies;
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < reads; ++i) {
      const std::string key = key_of(random.below(keys));
      const MonoTime before = clock.now();
      TRUSS_ASSIGN(const auto value, bucket->get(key));
      if (!value) return fail(Code::kNotFound, path + ": a key is missing");
      for (std::size_t at = 0; at < value->size(); at += 64) {
        sum += static_cast<unsigned char>((*value)[at]);
      }
      latencies.push_back(milliseconds(clock.now() - before) * 1000 + (sum == 1 ? 1e-9 : 0));
    }
    (first ? run.first_p50_us : run.again_p50_us) = percentile(latencies, 0.5);
    (first ? run.first_p99_us : run.again_p99_us) = percentile(latencies, 0.99);
  }
  if (resident) run.resident = resident();
  return run;
}

}  // namespace truss::bolttool
