// restore: a member's data directory from a snapshot.
#include "truss/snaptool/restore.h"

#include <ostream>

#include "session.h"
#include "truss/common/log.h"
#include "truss/server/member.h"
#include "truss/tool/exit_code.h"
#include "truss/tool/report.h"

namespace truss::snapctl {
namespace {

struct Arguments {
  snaptool::RestoreOptions options;
  std::uint64_t memory_map_size = 0;
  bool dry_run = false;
};

void print(Session& session, const snaptool::Restored& made, bool dry_run, std::ostream& out) {
  tool::Record record;
  record.add("data directory", "dataDir", made.plan.data_dir)
      .add("WAL directory", "walDir", made.plan.wal_dir)
      .add("member", "memberID", server::id_text(made.plan.self))
      .add("cluster", "clusterID", server::id_text(made.plan.cluster_id))
      .add("members", "members", std::uint64_t{made.plan.members.size()});
  if (!dry_run) {
    record.add("revision", "revision", made.revision)
        .add("compacted", "compactRevision", made.compact_revision);
  }
  record.add("made", "made", !dry_run);
  out << record.render(session.format());
}

int restore(Session& session, const Arguments& args, tool::Console& console) {
  if (args.dry_run) {
    auto plan = snaptool::plan_restore(session.files, args.options);
    if (!plan) return report(console, plan.error());
    print(session, {.plan = std::move(*plan)}, true, console.out);
    return tool::kFine;
  }
  SystemProcess process;
  const auto logger = make_json_logger(LogLevel::kError, {"stderr"});
  Bar bar(session, console, "restoring");
  const auto made = snaptool::restore(session.files, process, *logger, args.options, bar.sink());
  if (!made) return report(console, made.error(), args.options.snapshot);
  print(session, *made, false, console.out);
  return tool::kFine;
}

}  // namespace

Holder add_restore_command(tool::Command& root, Session& session) {
  auto args = std::make_shared<Arguments>();
  snaptool::RestoreOptions& to = args->options;
  to.threads = processors();
  root.command("restore", "make a member's data directory from a snapshot")
      .describe(
          "Founds a new cluster that begins with the snapshot's keys. Run it once for each member, "
          "with the same file, --initial-cluster and token, and start the members then. The "
          "directory is made under another name and moved into place when it is whole and on disk.")
      .argument("FILE", "snapshot, db file or data directory", &to.snapshot, tool::Hint::kFile)
      .option("--data-dir", "DIR", "directory to make; NAME.etcd if not given", &to.data_dir,
              tool::Hint::kFolder)
      .option("--wal-dir", "DIR", "directory of the log, if apart", &to.wal_dir,
              tool::Hint::kFolder)
      .option("--name", "NAME", "this member's name", &to.name)
      .option("--initial-cluster", "NAME=URL,...",
              "all members; NAME=http://localhost:2380 if not given", &to.initial_cluster)
      .option("--initial-cluster-token", "TOKEN", "goes into the ids of members and cluster",
              &to.initial_cluster_token)
      .option("--initial-advertise-peer-urls", "URLS",
              "this member's peer URLs, as --initial-cluster has them", &to.advertise_peer_urls)
      .flag("--skip-hash-check", "take a file without SHA-256, or with a wrong one",
            &to.skip_hash_check)
      .option("--bump-revision", "N",
              "raise the newest revision by N, so that no client meets a revision twice",
              &to.bump_revision)
      .flag("--mark-compacted", "count all up to the bumped revision as compacted",
            &to.mark_compacted)
      .option("--initial-memory-map-size", "BYTES", "taken for etcdutl's sake, of no effect",
              &args->memory_map_size)
      .flag("--dry-run", "check flags and directories, show the ids, make nothing", &args->dry_run)
      .example("A cluster of one:", "snapctl restore backup.db --data-dir /var/lib/etcd/default")
      .example("One of three members:",
               "snapctl restore backup.db --name n1 --data-dir n1.etcd --initial-cluster "
               "n1=http://10.0.0.1:2380,n2=http://10.0.0.2:2380,n3=http://10.0.0.3:2380 "
               "--initial-advertise-peer-urls http://10.0.0.1:2380")
      .example("Without surprising those who watch:",
               "snapctl restore backup.db --bump-revision 1000000000 --mark-compacted")
      .run([&session, args](tool::Console& c) { return restore(session, *args, c); });
  return args;
}

}  // namespace truss::snapctl
