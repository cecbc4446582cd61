#include "output_file.h"

namespace truss::bolttool {
namespace {

constexpr const char* kOriginal = ".original";

/// Copies a file under a temporary name, then moves it: the copy is whole or absent.
Result<> keep_copy(Environment& env, const std::string& from, const std::string& to) {
  TRUSS_ASSIGN(Replacement copy, Replacement::begin(env.fs, to));
  TRUSS_TRY(copy_file(env.fs, from, copy.file()));
  return copy.commit(from, env.keep_owner);
}

Result<std::string> result_name(Environment& env, const std::string& source,
                                const OutputFile& out) {
  if (out.in_place == !out.to.empty()) {
    return fail(Code::kFailedPrecondition,
                "say where the result goes: --to FILE, or --in-place to replace " + source);
  }
  if (out.in_place) {
    if (!out.discard && exists(env.fs, source + kOriginal)) {
      return fail(Code::kFailedPrecondition, source + kOriginal +
                                                 " is there already: move it away, or use "
                                                 "--discard-original");
    }
    return source;
  }
  if (exists(env.fs, out.to) && !out.force) {
    return fail(Code::kFailedPrecondition, out.to + " is there already: --force replaces it");
  }
  return out.to;
}

}  // namespace

void OutputFile::add_to(tool::Command& command) {
  command.option("--to", "FILE", "write the result to this new file", &to, tool::Hint::kFile)
      .flag("--force", "with --to: replace a file that is there", &force)
      .flag("--in-place", "replace FILE itself, in one step", &in_place)
      .flag("--discard-original", "with --in-place: keep no copy as FILE.original", &discard)
      .flag("--dry-run", "say what would be done, write nothing", &dry_run);
}

Result<Written> write_output(
    Environment& env, const std::string& source, const OutputFile& out,
    const std::function<Result<>(const std::string& path, Replacement& result)>& write) {
  const std::string path = db_path(env.fs, source);
  TRUSS_ASSIGN(Written written, result_name(env, path, out).map([](std::string name) {
    return Written{std::move(name), {}};
  }));
  TRUSS_ASSIGN(auto held, env.fs.open(path, {.write = out.in_place}));
  if (auto locked = held->try_lock(LockKind::kFlock, out.in_place); !locked) {
    if (locked.error().code != Code::kUnavailable) return tl::unexpected(locked.error());
    if (out.in_place) {
      return fail(Code::kUnavailable, "bolt " + path + ": in use" + tool::held_by(path) +
                                          ": stop that first, or write to another file (--to)");
    }
  }
  if (out.in_place && !out.discard) {
    written.original = path + kOriginal;
    TRUSS_TRY(keep_copy(env, path, written.original));
  }
  TRUSS_ASSIGN(Replacement result, Replacement::begin(env.fs, written.path));
  TRUSS_TRY(write(path, result));
  TRUSS_TRY(result.commit(path, env.keep_owner));
  return written;
}

}  // namespace truss::bolttool
