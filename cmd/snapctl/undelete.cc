// undelete: keys of a snapshot back into a running cluster.
#include "truss/snaptool/undelete.h"

#include <ostream>

#include "session.h"
#include "truss/tool/exit_code.h"
#include "truss/tool/report.h"

namespace truss::snapctl {
namespace {

using snaptool::UndeleteStep;

struct Arguments {
  std::string from;
  std::string to = "127.0.0.1:2379";
  std::string if_changed = "refuse";
  std::int64_t revision = 0;
  bool dry_run = false;
  RangeOptions range;
  MemberOptions member;
};

const char* kind_name(UndeleteStep::Kind kind) {
  switch (kind) {
    case UndeleteStep::Kind::kRestore:
      return "restore";
    case UndeleteStep::Kind::kOverwrite:
      return "overwrite";
    case UndeleteStep::Kind::kChanged:
      return "changed";
    case UndeleteStep::Kind::kRaced:
      return "raced";
  }
  return "";
}

snaptool::IfChanged policy(const std::string& word) {
  if (word == "skip") return snaptool::IfChanged::kSkip;
  if (word == "overwrite") return snaptool::IfChanged::kOverwrite;
  return snaptool::IfChanged::kRefuse;
}

/// Text: a line a step. JSON: the steps are collected, and one object printed.
class Printer {
 public:
  Printer(const Session& session, std::ostream& out) : json_(session.json()), out_(out) {}

  void step(const UndeleteStep& step) {
    if (!json_) {
      out_ << kind_name(step.kind) << " " << tool::printable(step.key) << " [" << step.value_bytes
           << " B" << (step.present_mod_revision == 0 ? "" : ", the member has revision ")
           << (step.present_mod_revision == 0 ? "" : std::to_string(step.present_mod_revision))
           << "]\n";
      return;
    }
    if (!steps_.empty()) steps_ += ",";
    std::string text;
    tool::JsonWriter json(text);
    json.begin_object().field("step", kind_name(step.kind)).bytes("key", step.key);
    json.field("valueBytes", step.value_bytes)
        .field("presentModRevision", step.present_mod_revision)
        .end_object();
    steps_ += text;
  }
  void finish(const snaptool::UndeleteCounts& c, bool dry_run) {
    if (json_) {
      out_ << json_line([&](tool::JsonWriter& json) {
        json.key("steps").raw("[" + steps_ + "]");
        json.field("dryRun", dry_run)
            .field("refused", c.refused)
            .field("restored", c.restored)
            .field("overwritten", c.overwritten)
            .field("changed", c.changed)
            .field("raced", c.raced)
            .field("withoutLease", c.had_lease)
            .field("transactions", c.transactions)
            .field("revision", c.revision);
      });
      return;
    }
    if (c.refused) {
      out_ << c.changed << " keys have other values at the member: nothing "
           << (dry_run ? "would be" : "was")
           << " written (--if-changed=skip leaves them, --if-changed=overwrite replaces them)\n";
      return;
    }
    out_ << (dry_run ? "to restore: " : "restored: ") << c.restored
         << ", overwritten: " << c.overwritten << ", left as changed: " << c.changed
         << ", written by others meanwhile: " << c.raced << "\n";
    if (c.had_lease > 0) out_ << c.had_lease << " of them had a lease, and come back without it\n";
  }

 private:
  const bool json_;
  std::ostream& out_;
  std::string steps_;
};

Result<snaptool::UndeleteCounts> run_undelete(Session& session, const Arguments& args,
                                              Printer& printer) {
  TRUSS_ASSIGN(const snaptool::KeyRange range, args.range.range());
  if (args.range.prefix.empty() && args.range.key.empty()) {
    return fail(Code::kInvalidArgument, "say which keys: --prefix or --key");
  }
  TRUSS_TRY(snaptool::db_path_of(session.files, args.from));
  TRUSS_TRY(snaptool::check_trailer(session.files, *snaptool::db_path_of(session.files, args.from),
                                    false));
  TRUSS_ASSIGN(snaptool::DbFile file, snaptool::DbFile::open(session.files, args.from));
  TRUSS_ASSIGN(const auto member, snaptool::connect(session.clock, args.member.endpoint(args.to)));
  const snaptool::UndeleteOptions options{range, args.revision, policy(args.if_changed),
                                          args.dry_run};
  return snaptool::undelete(file, *member, options,
                            [&](const UndeleteStep& step) { printer.step(step); });
}

int undelete(Session& session, const Arguments& args, tool::Console& console) {
  Printer printer(session, console.out);
  const auto counts = run_undelete(session, args, printer);
  if (!counts) return report(console, counts.error(), args.from);
  printer.finish(*counts, args.dry_run);
  if (counts->refused) return tool::kRefused;
  return counts->raced > 0 ? tool::kFoundWrong : tool::kFine;
}

}  // namespace

Holder add_undelete_command(tool::Command& root, Session& session) {
  auto args = std::make_shared<Arguments>();
  tool::Command& command =
      root.command("undelete", "put keys of a snapshot back into a running cluster");
  command.describe(
      "Keys that the member lacks are written again, in transactions that count only if the "
      "member still lacks them. Keys with another value there are refused, all or nothing, "
      "unless --if-changed says otherwise; an overwrite counts only if the key still has the "
      "revision that was compared. Leases don't come back.");
  args->range.add_to(command);
  command
      .option("--from", "FILE", "snapshot, db file or data directory", &args->from,
              tool::Hint::kFile)
      .option("--to", "ADDRESS", "a member of the cluster", &args->to)
      .option("--rev", "REVISION", "values as of this revision of FILE; 0: the newest",
              &args->revision)
      .choice("--if-changed", "WHAT", "about keys that have another value now", &args->if_changed,
              {"refuse", "skip", "overwrite"})
      .flag("--dry-run", "show what would be done", &args->dry_run);
  args->member.add_to(command);
  command
      .example("Look first:",
               "snapctl undelete --prefix /registry/configmaps/ --from backup.db --dry-run")
      .example("Then do it:",
               "snapctl undelete --prefix /registry/configmaps/ --from backup.db --to "
               "10.0.0.1:2379")
      .exit_code(tool::kFoundWrong, "undelete: others wrote some of the keys meanwhile")
      .run([&session, args](tool::Console& c) { return undelete(session, *args, c); });
  return args;
}

}  // namespace truss::snapctl
