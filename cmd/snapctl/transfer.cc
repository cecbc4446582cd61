// save and cut: where snapshots come from.
#include <ostream>

#include "session.h"
#include "truss/snaptool/cut.h"
#include "truss/snaptool/save.h"
#include "truss/tool/exit_code.h"
#include "truss/tool/report.h"

namespace truss::snapctl {
namespace {

struct Arguments {
  std::string from = "127.0.0.1:2379";
  std::string source;
  std::string path;
  std::uint64_t retries = 0;
  bool in_use = false;
  MemberOptions member;
};

std::string hex(const snap::ImageHash& hash) { return to_hex({hash.data(), hash.size()}); }

int save(Session& session, const Arguments& args, tool::Console& console) {
  Bar bar(session, console, "saving");
  const auto saved = snaptool::save(
      session.files, session.clock,
      {args.member.endpoint(args.from), args.path, args.retries, processors()}, bar.sink());
  if (!saved) return report(console, saved.error());
  tool::Record record;
  record.add("saved", "path", args.path)
      .add("from", "endpoint", args.from)
      .add("image bytes", "imageBytes", saved->image_bytes)
      .add("sha256", "sha256", hex(saved->hash))
      .add("storage version", "version", saved->version)
      .add("broken transfers", "brokenTransfers", saved->broken);
  console.out << record.render(session.format());
  return tool::kFine;
}

int cut(Session& session, const Arguments& args, tool::Console& console) {
  Bar bar(session, console, "copying");
  const auto made = snaptool::cut(session.files, {args.source, args.path, args.in_use}, bar.sink());
  if (!made) {
    Error error = made.error();
    const std::string db = snaptool::db_path_of(session.files, args.source).value_or(args.source);
    if (error.code == Code::kUnavailable && !args.in_use) {
      report(console, error, db);
      console.err << "snapctl: `snapctl save` asks the member that serves it; --in-use copies it "
                     "from under its owner if nothing is committed meanwhile\n";
      return tool::kRefused;
    }
    return report(console, error, db);
  }
  tool::Record record;
  record.add("made", "path", args.path)
      .add("from", "source", args.source)
      .add("image bytes", "imageBytes", made->image_bytes)
      .add("sha256", "sha256", hex(made->hash))
      .add("revision", "revision", made->revision)
      .add("consistent index", "consistentIndex", made->consistent_index)
      .add("tries", "tries", made->tries);
  console.out << record.render(session.format());
  return tool::kFine;
}

}  // namespace

Holder add_transfer_commands(tool::Command& root, Session& session) {
  auto args = std::make_shared<Arguments>();
  tool::Command& save_command = root.command("save", "save a snapshot of a running member");
  save_command
      .describe(
          "The member's SHA-256 is compared with that of the bytes as they come; the file gets its "
          "name when it is whole and on disk. etcd's protocol can't go on in the middle: a "
          "transfer that breaks off starts over (--retries), and leaves no file if it never ends.")
      .argument("FILE", "snapshot to make; an older one is replaced", &args->path,
                tool::Hint::kFile)
      .option("--endpoints,--endpoint", "ADDRESS", "the one member to ask", &args->from)
      .option("--retries", "N", "start over that often when the transfer breaks off",
              &args->retries)
      .example("From the member on this machine:", "snapctl save backup.db")
      .example("From another, with patience:",
               "snapctl save backup.db --endpoints 10.0.0.1:2379 --retries 3")
      .run([&session, args](tool::Console& c) { return save(session, *args, c); });
  args->member.add_to(save_command);
  root.command("cut", "make a snapshot of a db that no member serves")
      .describe(
          "Copies the newest commit and puts a SHA-256 behind it; the pages are checked first. "
          "What "
          "the log holds beyond the db's consistent index is not in it. A db that a process has "
          "locked is refused, unless --in-use: then a copy is kept if no commit came while it was "
          "made, which proves it whole.")
      .argument("SOURCE", "data directory, or db file", &args->source, tool::Hint::kFile)
      .argument("FILE", "snapshot to make; an older one is replaced", &args->path,
                tool::Hint::kFile)
      .flag("--in-use", "also from under a running process, if the copy can be proven whole",
            &args->in_use)
      .example("After the quorum is lost:", "snapctl cut /var/lib/etcd/default backup.db")
      .run([&session, args](tool::Console& c) { return cut(session, *args, c); });
  return args;
}

}  // namespace truss::snapctl
