#include "signals.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

namespace truss::member {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

void block_stop_signals() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

int wait_for_stop_signal() {
  const sigset_t set = stop_signals();
  int got = 0;
  while (sigwait(&set, &got) != 0) {
  }
  return got;
}

void raise_stop_signal() { kill(getpid(), SIGTERM); }

void die_of(int signal_number) {
  if (getpid() == 1) std::exit(0);
  signal(signal_number, SIG_DFL);
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  raise(signal_number);
  std::abort();  // not reached
}

}  // namespace truss::member
