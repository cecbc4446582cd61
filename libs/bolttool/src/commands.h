#pragma once

#include "context.h"

/// Each adds one command (or a few of a kind) to `root`.
namespace truss::bolttool {

void add_check(tool::Command& root, Environment& env);
void add_info(tool::Command& root, Environment& env);
void add_stats(tool::Command& root, Environment& env);
void add_pairs(tool::Command& root, Environment& env);
void add_pages(tool::Command& root, Environment& env);
void add_compact(tool::Command& root, Environment& env);
void add_top(tool::Command& root, Environment& env);
void add_freelist(tool::Command& root, Environment& env);
void add_surgery(tool::Command& root, Environment& env);
void add_salvage(tool::Command& root, Environment& env);
void add_bench(tool::Command& root, Environment& env);
void add_plot(tool::Command& root, Environment& env);

/// The option `--state 0|1` of commands that read.
void add_state_option(tool::Command& command, std::int64_t* slot);

}  // namespace truss::bolttool
