#include <stdio.h>
#include <stdlib.h>

#include "support.h"
#include "truss/common/crc32c.h"
#include "truss/common/random.h"

// Files go both ways between us and the real bbolt 1.3.6, which a small Go program drives.
using namespace truss;
using namespace truss::bolt;
using namespace truss::bolt::testing;

namespace {

int shell(const std::string& command) { return std::system(command.c_str()); }

/// The oracle program, built once; empty, with the reason printed, if that can't be.
const std::string& oracle() {
  static const std::string program = []() -> std::string {
    if (shell("command -v go >/dev/null 2>&1") != 0) {
      printf("SKIPPED: no Go, so no bbolt to compare with\n");
      return {};
    }
    const std::string out = TRUSS_BBOLT_BUILD "/bbolt";
    const std::string log = TRUSS_BBOLT_BUILD "/build.log";
    if (shell("cd " TRUSS_BBOLT_SOURCE " && go mod download >" + log + " 2>&1") != 0) {
      printf("SKIPPED: Go module proxy not reachable, so no bbolt to compare with\n");
      return {};
    }
    INFO("see " << log);
    REQUIRE(shell("cd " TRUSS_BBOLT_SOURCE " && go build -o " + out + " . >" + log + " 2>&1") == 0);
    return out;
  }();
  return program;
}

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[65536];
  for (std::size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
  INFO(command << "\n" << out);
  REQUIRE(::pclose(pipe) == 0);
  return out;
}

void dump(std::string& out, int depth, ByteView name, Bucket bucket) {
  char line[64];
  out += std::to_string(depth) + " bucket " + to_hex(name) + " " +
         std::to_string(bucket.sequence()) + "\n";
  Cursor cursor = bucket.cursor();
  for (auto kv = must(cursor.first()); kv; kv = must(cursor.next())) {
    if (kv->is_bucket) {
      dump(out, depth + 1, kv->key, *must(bucket.bucket(kv->key)));
      continue;
    }
    snprintf(line, sizeof line, " %zu %08x\n", kv->value.size(), crc32c(kv->value));
    out += std::to_string(depth) + " pair " + to_hex(kv->key) + line;
  }
}

/// What the oracle's dump prints, by our own reader.
std::string our_dump(DB& db) {
  Tx tx = must(db.begin_read());
  std::string out;
  Cursor top = tx.cursor();
  for (auto kv = must(top.first()); kv; kv = must(top.next())) {
    dump(out, 0, kv->key, bucket_of(tx, kv->key));
  }
  return out;
}

/// Random changes in forty transactions, as the oracle's `write`.
void our_writes(DB& db, SeededRandom& random) {
  for (int i = 0; i < 40; ++i) {
    Tx tx = must(db.begin_write());
    Bucket b = must(tx.create_bucket_if_absent("ours-" + std::to_string(random.below(3))));
    for (int depth = 0; depth < 3 && random.below(3) == 0; ++depth) {
      b = must(b.create_bucket_if_absent("nested-" + std::to_string(depth)));
    }
    must(b.next_sequence());
    b.set_fill_percent(0.3 + static_cast<double>(random.below(8)) / 10);
    for (auto n = random.below(400); n > 0; --n) {
      const std::string key = "key " + key_of(static_cast<int>(random.below(3000)));
      if (random.below(3) == 0) {
        must(b.remove(key));
        continue;
      }
      const auto size = random.below(100) == 0 ? random.below(30000) : random.below(80);
      must(b.put(key, std::string(size, static_cast<char>(random.below(256)))));
    }
    must(tx.commit());
  }
}

struct Form {
  std::uint32_t page_size;
  FreelistType type;
  bool unsynced;

  Options options() const {
    return {.no_freelist_sync = unsynced,
            .freelist_type = type,
            .page_size = page_size,
            .no_sync = true};
  }
  std::string arguments() const {
    return " " + std::to_string(page_size) +
           (type == FreelistType::kArray ? " array" : " hashmap") +
           (unsynced ? " rebuilt" : " stored");
  }
};

std::vector<Form> forms() {
  std::vector<Form> out;
  for (const std::uint32_t page_size : {1024, 4096, 65536}) {
    for (const auto type : {FreelistType::kArray, FreelistType::kHashMap}) {
      for (const bool unsynced : {false, true}) out.push_back({page_size, type, unsynced});
    }
  }
  return out;
}

void both_agree(const std::string& file, const Form& form) {
  std::string ours;
  {
    PosixFileSystem fs;
    auto db = open_db(fs, file, form.options());
    check_sound(*db);
    ours = our_dump(*db);
  }
  CHECK(output_of(oracle() + " dump " + file) == ours);
  CHECK(output_of(oracle() + " check " + file).empty());
}

}  // namespace

TEST_CASE("bolt interop: bbolt reads and checks what we wrote") {
  if (oracle().empty()) return;
  std::uint64_t seed = 1;
  for (const Form& form : forms()) {
    CAPTURE(form.arguments());
    TempDir dir;
    SeededRandom random(seed++);
    our_writes(*open_db(dir.fs, dir.file("db"), form.options()), random);
    both_agree(dir.file("db"), form);
  }
}

TEST_CASE("bolt interop: we read and check what bbolt wrote") {
  if (oracle().empty()) return;
  int seed = 1;
  for (const Form& form : forms()) {
    CAPTURE(form.arguments());
    TempDir dir;
    output_of(oracle() + " write " + dir.file("db") + " " + std::to_string(seed++) +
              form.arguments());
    both_agree(dir.file("db"), form);
  }
}

TEST_CASE("bolt interop: both write the same file in turn") {
  if (oracle().empty()) return;
  std::uint64_t seed = 100;
  for (const Form& form : forms()) {
    CAPTURE(form.arguments());
    TempDir dir;
    SeededRandom random(seed++);
    for (int turn = 0; turn < 3; ++turn) {
      output_of(oracle() + " write " + dir.file("db") + " " + std::to_string(seed++) +
                form.arguments());
      our_writes(*open_db(dir.fs, dir.file("db"), form.options()), random);
    }
    both_agree(dir.file("db"), form);
  }
}

TEST_CASE("bolt interop: bbolt opens, checks and changes an image that write_to gave") {
  if (oracle().empty()) return;
  TempDir dir;
  SeededRandom random(5);
  const Form form{4096, FreelistType::kHashMap, true};
  std::string ours;
  {
    auto db = open_db(dir.fs, dir.file("db"), form.options());
    our_writes(*db, random);
    Tx tx = must(db->begin_read());
    auto file = must(dir.fs.open(dir.file("image"), {.write = true, .create = true}));
    std::uint64_t at = 0;
    must(tx.write_to([&](ByteView piece) -> Result<> {
      at += piece.size();
      return file->pwrite(piece, at - piece.size());
    }));
    ours = our_dump(*db);
  }
  CHECK(output_of(oracle() + " dump " + dir.file("image")) == ours);
  CHECK(output_of(oracle() + " check " + dir.file("image")).empty());
  output_of(oracle() + " write " + dir.file("image") + " 9" + form.arguments());
  our_writes(*open_db(dir.fs, dir.file("image"), form.options()), random);
  both_agree(dir.file("image"), form);
}
