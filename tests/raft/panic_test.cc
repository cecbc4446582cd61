#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "cluster.h"
#include "log.h"

using namespace truss::raft;

/// Broken invariants end the process: each is provoked in a child of its own.

namespace {

/// What `body` said on stderr before it aborted; empty if it did not abort.
std::string last_words(const std::function<void()>& body) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    ::dup2(ends[1], STDERR_FILENO);
    body();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said;
  char buffer[512];
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    said.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? said : "";
}

bool says(const std::string& words, const char* what) {
  return words.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a commit index past the end of the log ends the process") {
  MemoryStorage storage;
  Log log(storage, kNoLimit);
  CHECK(says(last_words([&] { log.commit_to(Index{1}); }), "past the end of the log"));
}

TEST_CASE("an append that would replace a committed entry ends the process") {
  MemoryStorage storage;
  Log log(storage, kNoLimit);
  Entry first[] = {entry(1, 1), entry(1, 2)};
  REQUIRE(log.try_append(Index{}, Term{}, Index{2}, first));
  Entry again[] = {entry(1, 1), entry(1, 2)};
  REQUIRE(
      log.try_append(Index{}, Term{}, Index{2}, again));  // a matching prefix is never rewritten
  Entry other[] = {entry(2, 2)};
  CHECK(says(last_words([&] { (void)log.try_append(Index{1}, Term{1}, Index{2}, other); }),
             "a committed raft entry would be replaced"));
}

TEST_CASE("an empty proposal, two Readys in a row and a lone advance end the process") {
  Cluster cluster(1);
  RawNode& node = *cluster[1].raft;
  CHECK(says(last_words([&] { (void)node.propose(std::span<truss::SharedBytes>()); }),
             "empty raft proposal"));
  CHECK(says(last_words([&] {
               (void)node.ready();
               (void)node.ready();
             }),
             "without advance()"));
  CHECK(says(last_words([&] { node.advance(); }), "without a raft Ready"));
}

TEST_CASE("a gap in the stored log ends the process") {
  MemoryStorage storage;
  const Entry entries[] = {entry(1, 2)};
  CHECK(says(last_words([&] { storage.append(entries); }), "gap in the raft log"));
}

TEST_CASE("a peer that needs a snapshot, and a storage without one, end the process") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.isolate(3);
  cluster.propose(1, "a");
  REQUIRE(cluster[1].storage.compact(cluster[1].commit()).has_value());
  cluster.heal();
  CHECK(says(last_words([&] { cluster.tick(1, 3); }), "storage has an empty one"));
}
