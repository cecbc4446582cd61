#include <cstdio>
#include <cstdlib>
#include <map>

#include "truss/bolt/bolt.h"
#include "truss/bolt/check.h"
#include "truss/bolttool/compact.h"
#include "truss/bolttool/image.h"
#include "truss/bolttool/salvage.h"
#include "truss/bolttool/surgery.h"
#include "truss/common/coding.h"
#include "truss/common/testing/sim_file_system.h"

// Any bytes as a bolt file, through what boltctl does with one. Whatever it is: salvage gives a
// sound file, and of that file the same once more; check finds the same with one thread and with
// three. Of a sound file salvage and compact keep every pair. Nothing writes to the file itself.
using namespace truss;
using namespace truss::bolttool;

namespace {

constexpr std::size_t kMaxBytes = 1 << 18;

void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

template <class T>
T must(Result<T> result, const char* what) {
  expect(result.has_value(), std::string(what) + (result ? "" : ": " + result.error().message));
  return *std::move(result);
}

std::unique_ptr<File> create(FileSystem& fs, const std::string& path) {
  return must(fs.open(path, {.write = true, .create = true, .truncate = true}), "create");
}

std::uint64_t faults_of(const Image& image, unsigned threads) {
  return bolt::check_state(image.view(), image.meta(), threads, [](const std::string&) {});
}

using Pairs = std::map<std::string, std::string>;

/// `name/name#key` and its value, of all buckets; at most so many that no input takes long.
void add_pairs(const std::string& path, bolt::Bucket bucket, Pairs& out) {
  bolt::Cursor cursor = bucket.cursor();
  for (auto kv = must(cursor.first(), "first"); kv; kv = must(cursor.next(), "next")) {
    const std::string key(kv->key);
    if (kv->is_bucket) {
      out[path + "/" + key] = "";
      add_pairs(path + "/" + key, *must(bucket.bucket(key), "bucket"), out);
    } else {
      out[path + "#" + key] = std::string(kv->value);
    }
  }
}

Pairs pairs_of(FileSystem& fs, const std::string& path) {
  const auto db = must(bolt::DB::open(fs, path, {.read_only = true}), "open a sound file");
  bolt::Tx tx = must(db->begin_read(), "read");
  Pairs out;
  add_pairs("", tx.top(), out);
  return out;
}

/// Salvages `from` to `to`. False if nothing could be gathered.
bool salvaged(FileSystem& fs, const std::string& from, const std::string& to, bool stale,
              SalvageReport* report = nullptr) {
  const auto image = Image::open(fs, from, {.pages_only = true});
  if (!image) return false;
  const auto file = create(fs, to);
  auto made = salvage(*image, *file, to, {.stale = stale, .progress = {}});
  if (!made) return false;
  if (report != nullptr) *report = *std::move(made);
  return true;
}

void check_salvage(FileSystem& fs, bool sound) {
  SalvageReport first, again;
  for (const bool stale : {false, true}) {
    if (!salvaged(fs, "/db", "/out", stale, &first)) {
      expect(!sound, "a sound file can't be salvaged");
      continue;
    }
    const Image out = must(Image::open(fs, "/out", {}), "open what salvage made");
    expect(faults_of(out, 1) == 0, "salvage made a damaged file");
    expect(salvaged(fs, "/out", "/again", stale, &again), "what salvage made can't be salvaged");
    expect(again.whole(), "what salvage made has losses");
    const Pairs pairs = pairs_of(fs, "/out");
    expect(pairs == pairs_of(fs, "/again"), "a second salvage gives something else");
    expect(!sound || pairs == pairs_of(fs, "/db"), "salvage of a sound file lost something");
    expect(!sound || first.whole(), "salvage of a sound file reports losses");
  }
}

void check_compact(FileSystem& fs, const Image& image, bool sound) {
  const auto file = create(fs, "/compact");
  const auto made = compact(image, *file, "/compact", {});
  if (!made) return expect(!sound, "a sound file can't be compacted");
  expect(faults_of(must(Image::open(fs, "/compact", {}), "open the compact file"), 1) == 0,
         "compact made a damaged file");
  expect(!sound || pairs_of(fs, "/compact") == pairs_of(fs, "/db"), "compact lost something");
}

/// Surgery may leave anything behind; it must be looked at without harm.
void check_surgery(FileSystem& fs, const Image& image, const std::string& bytes, std::uint64_t by) {
  const std::uint64_t pages = image.file_pages() + 2;
  for (int kind = 0; kind < 4; ++kind) {
    const auto file = create(fs, "/cut");
    static_cast<void>(file->pwrite(bytes, 0));
    const std::uint64_t a = by % pages, b = by / pages % pages;
    const auto done = kind == 0   ? copy_page(image, *file, a, b)
                      : kind == 1 ? clear_elements(image, *file, a, b, b + 1 + by % 3)
                      : kind == 2 ? revert_meta(image, *file)
                                  : abandon_freelist(image, *file);
    if (!done) continue;
    const auto cut = Image::open(fs, "/cut", {});
    if (!cut) continue;
    const bool sound = faults_of(*cut, 1) == 0;
    expect(salvaged(fs, "/cut", "/out", true) || !sound, "sound after surgery, but not salvaged");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxBytes) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  testing::SimFileSystem fs;
  static_cast<void>(create(fs, "/db")->pwrite(bytes, 0));
  bool sound = false;
  if (const auto image = Image::open(fs, "/db", {})) {
    const std::uint64_t faults = faults_of(*image, 1);
    expect((faults_of(*image, 3) == 0) == (faults == 0), "threads find something else");
    sound = faults == 0;
    check_compact(fs, *image, sound);
    std::uint64_t by = size;
    for (const char c : bytes.substr(0, 4096)) by = by * 31 + static_cast<unsigned char>(c);
    check_surgery(fs, *image, bytes, by);
  }
  check_salvage(fs, sound);
  expect(must(read_file(fs, "/db"), "read") == bytes, "the file was written to");
  return 0;
}
