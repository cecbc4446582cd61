// status, hashkv, verify: what a snapshot is and whether it would restore.
#include <algorithm>
#include <ostream>

#include "session.h"
#include "truss/snaptool/hash_kv.h"
#include "truss/snaptool/status.h"
#include "truss/snaptool/verify.h"
#include "truss/tool/exit_code.h"
#include "truss/tool/report.h"

namespace truss::snapctl {
namespace {

struct Arguments {
  std::string file;
  bool skip_hash_check = false;
  bool check_hash = false;
  std::int64_t revision = 0;
};

std::string hex(std::uint32_t hash) {
  char text[16];
  std::snprintf(text, sizeof text, "%x", hash);
  return text;
}

std::string db_of(Session& session, const std::string& path) {
  return snaptool::db_path_of(session.files, path).value_or(path);
}

std::string status_text(const snaptool::Status& s) {
  tool::Record record;
  record.add("hash", "hash", hex(s.hash))
      .add("revision", "revision", s.revision)
      .add("total keys", "totalKey", s.total_keys)
      .add("live keys", "liveKeys", s.live_keys)
      .add("total size", "totalSize", si_bytes(s.total_bytes))
      .add("storage version", "version", s.version.empty() ? "before 3.6" : s.version)
      .add("sha256", "sha256", s.hashed ? "right" : "not checked");
  return record.text();
}

std::string status_json(const snaptool::Status& s) {
  return json_line([&](tool::JsonWriter& json) {
    json.field("hash", s.hash)
        .field("revision", s.revision)
        .field("totalKey", s.total_keys)
        .field("totalSize", s.total_bytes)
        .field("liveKeys", s.live_keys)
        .field("version", s.version)
        .field("hashChecked", s.hashed);
  });
}

/// As etcdctl draws it: all to the right.
std::string status_table(const snaptool::Status& s) {
  const std::vector<std::string> titles = {"HASH", "REVISION", "TOTAL KEYS", "TOTAL SIZE"};
  const std::vector<std::string> cells = {hex(s.hash), std::to_string(s.revision),
                                          std::to_string(s.total_keys), si_bytes(s.total_bytes)};
  std::string line = "+", head = "|", row = "|";
  for (std::size_t i = 0; i < titles.size(); ++i) {
    const std::size_t width = std::max(titles[i].size(), cells[i].size());
    const std::size_t left = (width - titles[i].size()) / 2;
    line += std::string(width + 2, '-') + "+";
    head += std::string(left + 1, ' ') + titles[i] +
            std::string(width - titles[i].size() - left + 1, ' ') + "|";
    row += std::string(width - cells[i].size() + 1, ' ') + cells[i] + " |";
  }
  return line + "\n" + head + "\n" + line + "\n" + row + "\n" + line + "\n";
}

int status(Session& session, const Arguments& args, tool::Console& console) {
  Bar bar(session, console, "checking");
  const snaptool::StatusOptions options{
      .check_hash = args.check_hash, .any_size = args.skip_hash_check, .threads = processors()};
  const auto got = snaptool::read_status(session.files, args.file, options, bar.sink());
  if (!got) return report(console, got.error(), db_of(session, args.file));
  switch (session.format()) {
    case tool::Format::kText:
      console.out << status_text(*got);
      break;
    case tool::Format::kJson:
      console.out << status_json(*got);
      break;
    case tool::Format::kTable:
      console.out << status_table(*got);
      break;
  }
  return tool::kFine;
}

Result<snaptool::HashKv> read_hash(Session& session, const Arguments& args, Bar& bar) {
  TRUSS_ASSIGN(auto file, snaptool::DbFile::open(session.files, args.file));
  TRUSS_ASSIGN(const bool hashed,
               snaptool::carries_hash(file.path(), file.file_bytes(), file.db().page_size()));
  if (hashed && !args.skip_hash_check) {
    TRUSS_TRY(snaptool::check_trailer(session.files, file.path(), true, bar.sink()));
  }
  return snaptool::hash_kv(file.tx(), args.revision);
}

int hash_kv(Session& session, const Arguments& args, tool::Console& console) {
  Bar bar(session, console, "checking");
  const auto got = read_hash(session, args, bar);
  if (!got) return report(console, got.error(), db_of(session, args.file));
  tool::Record record;
  record.add("hash", "hash", std::uint64_t{got->hash})
      .add("hash revision", "hashRevision", got->hash_revision)
      .add("compact revision", "compactRevision", got->compact_revision)
      .add("current revision", "currentRevision", got->current_revision);
  console.out << record.render(session.format());
  return tool::kFine;
}

struct Fault {
  std::string place;
  std::string what;
};

void write_json(std::ostream& out, const snaptool::Inventory& found,
                const std::vector<Fault>& faults) {
  out << json_line([&](tool::JsonWriter& json) {
    json.field("sound", found.faults == 0)
        .field("faults", found.faults)
        .field("hashChecked", found.hashed)
        .field("imageBytes", found.image_bytes)
        .field("pageBytes", found.page_bytes)
        .field("records", found.records)
        .field("tombstones", found.tombstones)
        .field("keys", found.keys)
        .field("liveKeys", found.live_keys)
        .field("leases", found.leases)
        .field("members", found.members)
        .field("revision", found.revision)
        .field("compactRevision", found.compact_revision);
    json.key("found").begin_array();
    for (const Fault& fault : faults) {
      json.begin_object().field("place", fault.place).field("what", fault.what).end_object();
    }
    json.end_array();
  });
}

void write_text(std::ostream& out, tool::Format format, const snaptool::Inventory& found,
                const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) out << fault.place << ": " << fault.what << "\n";
  if (found.faults > faults.size()) {
    out << "... and " << found.faults - faults.size() << " more\n";
  }
  tool::Record record;
  record.add("verdict", "sound", found.faults == 0 ? "sound" : "damaged")
      .add("faults", "faults", found.faults)
      .add("sha256", "hashChecked", found.hashed ? "right" : "not checked, wrong or missing")
      .add("image", "imageBytes", tool::human_bytes(found.image_bytes))
      .add("records", "records", found.records)
      .add("tombstones", "tombstones", found.tombstones)
      .add("live keys", "liveKeys", found.live_keys)
      .add("leases", "leases", found.leases)
      .add("members", "members", found.members)
      .add("revision", "revision", found.revision)
      .add("compacted", "compactRevision", found.compact_revision);
  out << (format == tool::Format::kTable ? record.box() : record.text());
}

int verify(Session& session, const Arguments& args, tool::Console& console) {
  constexpr std::size_t kShown = 100;
  std::vector<Fault> faults;
  Bar bar(session, console, "checking");
  const auto found = snaptool::verify(
      session.files, args.file, args.skip_hash_check,
      [&](std::string_view place, const std::string& what) {
        if (faults.size() < kShown) faults.push_back({std::string(place), what});
      },
      bar.sink());
  if (!found) return report(console, found.error(), db_of(session, args.file));
  if (session.json()) {
    write_json(console.out, *found, faults);
  } else {
    write_text(console.out, session.format(), *found, faults);
  }
  return found->faults == 0 ? tool::kFine : tool::kFoundWrong;
}

constexpr const char* kFileHelp = "snapshot, db file or data directory";
constexpr const char* kSkipHelp = "don't compare with the SHA-256 behind the image";

}  // namespace

Holder add_inspect_commands(tool::Command& root, Session& session) {
  auto args = std::make_shared<Arguments>();
  root.command("status", "show hash, revision, number of keys and size")
      .describe(
          "The numbers are those of `etcdctl snapshot status`: totalKey counts the entries of all "
          "buckets, as etcdctl 3.4 and 3.5 do; liveKeys the keys that have a value, as etcdutl "
          "3.6. The page structure is checked on the way; the SHA-256 behind the image only if "
          "asked "
          "for, as etcd's tools do it: `snapctl verify` always does.")
      .argument("FILE", kFileHelp, &args->file, tool::Hint::kFile)
      .flag("--check-hash", "compare with the SHA-256 behind the image", &args->check_hash)
      .flag("--skip-hash-check", "read a file that was cut off or appended to, too",
            &args->skip_hash_check)
      .example("As a box:", "snapctl status backup.db -o table")
      .example("For scripts:", "snapctl status backup.db -o json | jq .revision")
      .run([&session, args](tool::Console& c) { return status(session, *args, c); });
  root.command("hashkv", "compute what a member serving this db would answer to HashKV")
      .argument("FILE", kFileHelp, &args->file, tool::Hint::kFile)
      .option("--rev", "REVISION", "as of this revision; 0: the newest", &args->revision)
      .flag("--skip-hash-check", kSkipHelp, &args->skip_hash_check)
      .example("Compare with `etcdctl endpoint hashkv`:", "snapctl hashkv backup.db --rev 4711")
      .run([&session, args](tool::Console& c) { return hash_kv(session, *args, c); });
  root.command("verify", "prove that a restore from this file would work")
      .describe(
          "Checks the SHA-256, reaches every page once, decodes every key of every bucket, holds "
          "revisions, versions and leases against each other, and rebuilds the key index. A file "
          "without SHA-256 fails unless --skip-hash-check says that it need not have one.")
      .argument("FILE", kFileHelp, &args->file, tool::Hint::kFile)
      .flag("--skip-hash-check", kSkipHelp, &args->skip_hash_check)
      .example("After every backup:", "snapctl verify backup.db || alert")
      .example("A stopped member's db:", "snapctl verify /var/lib/etcd/default --skip-hash-check")
      .exit_code(tool::kFoundWrong, "verify: the file is damaged")
      .run([&session, args](tool::Console& c) { return verify(session, *args, c); });
  return args;
}

}  // namespace truss::snapctl
