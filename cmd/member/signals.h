#pragma once

namespace truss::member {

/// Blocks SIGINT and SIGTERM in this thread and all it starts; ignores SIGPIPE. Call first.
void block_stop_signals();
/// Waits for SIGINT or SIGTERM; returns it.
int wait_for_stop_signal();
/// Makes wait_for_stop_signal return SIGTERM. Thread: any.
void raise_stop_signal();
/// Ends the process as the signal would have (exit code 130 or 143 in a shell); process 1 exits 0.
[[noreturn]] void die_of(int signal);

}  // namespace truss::member
