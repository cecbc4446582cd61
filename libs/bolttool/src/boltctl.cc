#include "truss/bolttool/boltctl.h"

#include "commands.h"

namespace truss::bolttool {

void add_state_option(tool::Command& command, std::int64_t* slot) {
  command.option("--state", "PAGE", "read the state of meta page 0 or 1, not the newest", slot);
}

std::unique_ptr<tool::Command> make_boltctl(Environment& env) {
  auto root = std::make_unique<tool::Command>(
      "boltctl", "look into, check, compact and mend bolt files, etcd's databases above all");
  root->describe(
      "FILE is a bolt file (bbolt's format, pages of 1 to 64 KiB), or a data directory of etcd or "
      "of our member. Commands that only read never write a byte: they take a shared lock if "
      "nobody "
      "writes the file, none otherwise, and say who writes it.");
  root->describe(
      "Commands that write make a new file (--to), or replace the old one (--in-place) in one "
      "step: "
      "whatever happens, either the old file is there or the new one.");
  tool::add_output_options(*root, env.output);
  root->exit_code(tool::kFoundWrong, "a check found faults, or the file changed while being read");
  root->example("Is this db whole, and what fills it?", "boltctl check db && boltctl top db")
      .example("Shrink the db of a member that is stopped:",
               "boltctl compact /var/lib/etcd/default --in-place");
  add_check(*root, env);
  add_info(*root, env);
  add_stats(*root, env);
  add_pairs(*root, env);
  add_pages(*root, env);
  add_top(*root, env);
  add_compact(*root, env);
  add_salvage(*root, env);
  add_surgery(*root, env);
  add_freelist(*root, env);
  add_bench(*root, env);
  add_plot(*root, env);
  return root;
}

}  // namespace truss::bolttool
