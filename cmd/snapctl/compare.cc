// diff and extract: what keys are in snapshots, db files and members.
#include <optional>
#include <ostream>

#include "session.h"
#include "truss/snaptool/diff.h"
#include "truss/tool/exit_code.h"
#include "truss/tool/report.h"

namespace truss::snapctl {
namespace {

using snaptool::Difference;

struct Arguments {
  std::string a, b, file;
  RangeOptions range;
  MemberOptions member;
  std::int64_t revision_a = 0, revision_b = 0, revision = 0;
  bool touched = false, values = false, value_only = false, keys_only = false;
  bool skip_hash_check = false;
};

constexpr const char* kSkipHelp = "don't compare with the SHA-256 behind the images";

const char* kind_name(Difference::Kind kind) {
  switch (kind) {
    case Difference::Kind::kAdded:
      return "added";
    case Difference::Kind::kRemoved:
      return "removed";
    case Difference::Kind::kChanged:
      return "changed";
    case Difference::Kind::kTouched:
      return "touched";
  }
  return "";
}

/// Writes one difference after the other, as they are found.
class DiffPrinter {
 public:
  DiffPrinter(const Session& session, bool values, std::ostream& out)
      : json_(session.json()), values_(values), out_(out) {
    if (json_) out_ << "{\"differences\":[";
  }
  Result<> show(const Difference& d) {
    json_ ? show_json(d) : show_text(d);
    first_ = false;
    if (out_) return {};
    return fail(Code::kUnknown, "writing to standard output failed");
  }
  void finish(const snaptool::DiffCounts& counts) {
    if (!json_) {
      out_ << counts.added << " added, " << counts.removed << " removed, " << counts.changed
           << " changed";
      if (counts.touched > 0) out_ << ", " << counts.touched << " touched";
      out_ << " (revision " << counts.revision_a << " -> " << counts.revision_b << ")\n";
      return;
    }
    std::string text = "],";
    tool::JsonWriter json(text);
    json.field("added", counts.added)
        .field("removed", counts.removed)
        .field("changed", counts.changed)
        .field("touched", counts.touched)
        .field("revisionA", counts.revision_a)
        .field("revisionB", counts.revision_b)
        .field("equal", counts.equal());
    out_ << text << "}\n";
  }

 private:
  void show_json(const Difference& d) {
    std::string text = first_ ? "" : ",\n";
    tool::JsonWriter json(text);
    json.begin_object().field("kind", kind_name(d.kind));
    json.bytes("key", d.kind == Difference::Kind::kAdded ? d.b.key : d.a.key);
    if (d.kind != Difference::Kind::kAdded) side(json, "a", d.a);
    if (d.kind != Difference::Kind::kRemoved) side(json, "b", d.b);
    json.end_object();
    out_ << text;
  }
  void side(tool::JsonWriter& json, const char* name, const schema::KeyValueView& kv) {
    json.key(name).begin_object();
    if (values_) {
      write_key_value(json, kv);
    } else {
      json.field("modRevision", kv.mod_revision)
          .field("version", kv.version)
          .field("lease", kv.lease)
          .field("valueBytes", kv.value.size());
    }
    json.end_object();
  }
  void show_text(const Difference& d) {
    static constexpr const char* kMarks[] = {"+", "-", "~", "="};
    const bool added = d.kind == Difference::Kind::kAdded;
    out_ << kMarks[static_cast<int>(d.kind)] << " " << tool::printable(added ? d.b.key : d.a.key);
    if (d.kind != Difference::Kind::kAdded) half(" ", d.a);
    if (d.kind == Difference::Kind::kChanged || d.kind == Difference::Kind::kTouched) out_ << " ->";
    if (d.kind != Difference::Kind::kRemoved) half(" ", d.b);
    out_ << "\n";
    if (!values_) return;
    if (!added) out_ << "    - " << tool::printable(d.a.value) << "\n";
    if (d.kind != Difference::Kind::kRemoved)
      out_ << "    + " << tool::printable(d.b.value) << "\n";
  }
  void half(const char* before, const schema::KeyValueView& kv) {
    out_ << before << "[rev " << kv.mod_revision << ", " << kv.value.size() << " B]";
  }

  const bool json_;
  const bool values_;
  std::ostream& out_;
  bool first_ = true;
};

/// Opens a file whose SHA-256, if it has one, is right.
Result<snaptool::DbFile> open_file(Session& session, const Arguments& args,
                                   const std::string& name) {
  TRUSS_ASSIGN(snaptool::DbFile file, snaptool::DbFile::open(session.files, name));
  if (args.skip_hash_check) return file;
  TRUSS_TRY(snaptool::carries_hash(file.path(), file.file_bytes(), file.db().page_size()));
  TRUSS_TRY(snaptool::check_trailer(session.files, file.path(), false));
  return file;
}

/// One side of a diff: a file or a member.
struct Side {
  std::optional<snaptool::DbFile> file;
  std::unique_ptr<client::Client> member;
  std::unique_ptr<snaptool::KeySource> keys;
};

Result<Side> open_side(Session& session, const Arguments& args, const std::string& name) {
  Side out;
  if (snaptool::names_endpoint(name) && !exists(session.files, name)) {
    TRUSS_ASSIGN(out.member, snaptool::connect(session.clock, args.member.endpoint(name)));
  } else {
    TRUSS_ASSIGN(out.file, open_file(session, args, name));
  }
  return out;
}

Result<> open_keys(Side& side, const snaptool::KeyRange& range, std::int64_t revision) {
  if (side.member) {
    TRUSS_ASSIGN(side.keys, snaptool::live_keys(*side.member, range, revision));
  } else {
    TRUSS_ASSIGN(side.keys, snaptool::file_keys(*side.file, range, revision));
  }
  return {};
}

Result<snaptool::DiffCounts> run_diff(Session& session, const Arguments& args,
                                      DiffPrinter& printer) {
  TRUSS_ASSIGN(const snaptool::KeyRange range, args.range.range());
  TRUSS_ASSIGN(Side a, open_side(session, args, args.a));
  TRUSS_ASSIGN(Side b, open_side(session, args, args.b));
  const auto show = [&](const Difference& d) { return printer.show(d); };
  if (a.file && b.file) {
    snaptool::DiffOptions options;
    options.range = range;
    options.touched = args.touched;
    options.revision_a = args.revision_a;
    options.revision_b = args.revision_b;
    return snaptool::diff_files(*a.file, *b.file, options, show);
  }
  TRUSS_TRY(open_keys(a, range, args.revision_a));
  TRUSS_TRY(open_keys(b, range, args.revision_b));
  return snaptool::diff_sources(*a.keys, *b.keys, args.touched, show);
}

int diff(Session& session, const Arguments& args, tool::Console& console) {
  DiffPrinter printer(session, args.values, console.out);
  const auto counts = run_diff(session, args, printer);
  if (!counts) return report(console, counts.error());
  printer.finish(*counts);
  return counts->equal() ? tool::kFine : tool::kFoundWrong;
}

void print_key(const Session& session, const Arguments& args, const schema::KeyValueView& kv,
               std::ostream& out) {
  if (session.json()) {
    out << json_line([&](tool::JsonWriter& json) {
      json.bytes("key", kv.key);
      write_key_value(json, kv);
    });
  } else if (args.value_only) {
    out << kv.value;
  } else if (args.keys_only) {
    out << tool::printable(kv.key) << "\n";
  } else {
    out << tool::printable(kv.key) << "\n" << tool::printable(kv.value) << "\n";
  }
}

Result<std::uint64_t> run_extract(Session& session, const Arguments& args, std::ostream& out) {
  TRUSS_ASSIGN(const snaptool::KeyRange range, args.range.range());
  if (args.value_only && args.range.key.empty()) {
    return fail(Code::kInvalidArgument, "--value-only needs --key");
  }
  TRUSS_ASSIGN(snaptool::DbFile file, open_file(session, args, args.file));
  TRUSS_ASSIGN(const auto keys, snaptool::file_keys(file, range, args.revision));
  std::uint64_t count = 0;
  TRUSS_ASSIGN(auto kv, keys->next());
  while (kv) {
    ++count;
    print_key(session, args, *kv, out);
    TRUSS_ASSIGN(kv, keys->next());
  }
  return count;
}

int extract(Session& session, const Arguments& args, tool::Console& console) {
  const auto count = run_extract(session, args, console.out);
  if (!count) {
    return report(console, count.error(),
                  snaptool::db_path_of(session.files, args.file).value_or(args.file));
  }
  return *count > 0 ? tool::kFine : tool::kFoundWrong;
}

void add_diff(tool::Command& root, Session& session, const std::shared_ptr<Arguments>& args) {
  tool::Command& command = root.command("diff", "show the keys whose values differ");
  command
      .describe(
          "Compares the keys alive in A and B, exactly, in key order: + only in B, - only in A, ~ "
          "other value. Each side is a snapshot, a db file, a data directory, or a member's end "
          "point (host:port or URL), read at one revision.")
      .argument("A", "snapshot, db file, data directory or end point", &args->a, tool::Hint::kFile)
      .argument("B", "likewise", &args->b, tool::Hint::kFile);
  args->range.add_to(command);
  command.option("--rev-a", "REVISION", "of A; 0: the newest", &args->revision_a)
      .option("--rev-b", "REVISION", "of B; 0: the newest", &args->revision_b)
      .flag("--touched", "also keys of equal value but other revision, version or lease (=)",
            &args->touched)
      .flag("--values", "show the values", &args->values)
      .flag("--skip-hash-check", kSkipHelp, &args->skip_hash_check);
  args->member.add_to(command);
  command
      .example("What changed overnight:", "snapctl diff monday.db tuesday.db --prefix /registry/")
      .example("Since the backup:", "snapctl diff backup.db 127.0.0.1:2379 -o json")
      .example("Between two revisions of one file:",
               "snapctl diff backup.db backup.db --rev-a 4000 --rev-b 4711")
      .exit_code(tool::kFoundWrong, "diff: there are differences; extract: there is no such key")
      .run([&session, args](tool::Console& c) { return diff(session, *args, c); });
}

}  // namespace

Holder add_compare_commands(tool::Command& root, Session& session) {
  auto args = std::make_shared<Arguments>();
  add_diff(root, session, args);
  tool::Command& command = root.command("extract", "print keys and values of a snapshot");
  command.argument("FILE", "snapshot, db file or data directory", &args->file, tool::Hint::kFile);
  args->range.add_to(command);
  command.option("--rev", "REVISION", "as of this revision; 0: the newest", &args->revision)
      .flag("--keys-only", "print keys alone", &args->keys_only)
      .flag("--value-only", "with --key: the value's bytes as they are", &args->value_only)
      .flag("--skip-hash-check", kSkipHelp, &args->skip_hash_check)
      .example("One object a line:", "snapctl extract backup.db --prefix /registry/pods/ -o json")
      .example("One value, as it was two revisions ago:",
               "snapctl extract backup.db --key config --rev 4709 --value-only")
      .run([&session, args](tool::Console& c) { return extract(session, *args, c); });
  return args;
}

}  // namespace truss::snapctl
