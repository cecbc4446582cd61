// Clients that write down what they see, until SIGTERM or SIGINT; then the history is checked.
//   truss_cluster_load --endpoints A,B,C --out FILE [--clients N] [--keys N] [--prefix P]
//   truss_cluster_load --check FILE
// Exit codes: 0 linearizable, 1 not, 2 usage, 3 the file.

#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "linearizability.h"
#include "load.h"

namespace truss::cluster {
namespace {

struct Options {
  LoadOptions load;
  int keys = 12;
  std::string prefix = "load/";
  std::string out;
  std::string check;
};

int check(const History& history) {
  std::size_t writes = 0;
  for (const Operation& op : history) writes += op.revision > 0 && op.kind != Kind::kGet;
  const Verdict verdict = check_linearizable(history);
  std::printf("%zu calls, %zu acknowledged writes, %llu writes without verdict: %s\n",
              history.size(), writes, static_cast<unsigned long long>(verdict.unknown),
              verdict.linearizable ? "linearizable" : verdict.complaint.c_str());
  return verdict.linearizable && writes > 0 ? 0 : 1;
}

int complain(const Error& error) {
  std::fprintf(stderr, "truss_cluster_load: %s\n", error.message.c_str());
  return 3;
}

int run(const Options& options) {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);  // before any thread: all inherit it
  SystemClock clock;
  Load load(clock, options.load);
  std::vector<std::string> keys;
  for (int i = 0; i < options.keys; ++i) keys.push_back(options.prefix + std::to_string(i));
  load.start(keys);
  int number = 0;
  ::sigwait(&signals, &number);
  load.stop();
  for (std::size_t i = 0; i < options.load.endpoints.size(); ++i) load.read_all(i);
  load.stop();
  const History history = load.take();
  if (auto saved = save_history(history, options.out); !saved) return complain(saved.error());
  return check(history);
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> out;
  std::istringstream in(list);
  for (std::string part; std::getline(in, part, ',');) out.push_back(part);
  return out;
}

bool parse(int argc, char** argv, Options& out) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    const std::string value = argv[i + 1];
    if (flag == "--endpoints")
      out.load.endpoints = split(value);
    else if (flag == "--out")
      out.out = value;
    else if (flag == "--check")
      out.check = value;
    else if (flag == "--prefix")
      out.prefix = value;
    else if (flag == "--clients")
      out.load.clients = std::atoi(value.c_str());
    else if (flag == "--keys")
      out.keys = std::atoi(value.c_str());
    else
      return false;
  }
  return argc % 2 == 1 && (!out.check.empty() || (!out.load.endpoints.empty() && !out.out.empty()));
}

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: truss_cluster_load --endpoints A,B,C --out FILE [--clients N] [--keys N] "
                 "[--prefix P]\n       truss_cluster_load --check FILE\n");
    return 2;
  }
  if (options.check.empty()) return run(options);
  const auto history = load_history(options.check);
  return history ? check(*history) : complain(history.error());
}

}  // namespace
}  // namespace truss::cluster

int main(int argc, char** argv) { return truss::cluster::main(argc, argv); }
