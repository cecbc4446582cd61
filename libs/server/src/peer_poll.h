#pragma once

#include <absl/functional/any_invocable.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/server/member.h"

namespace truss::server {

/// Asks every member the same question, all at the same time, each at its URLs one after the other
/// until one gives an answer. `done` gets the answers in the order of the members, the last URL's
/// error where none gave one; it runs on a thread of whoever answers, maybe inside the call, and
/// must only post. Thread: any, under its lock.
template <class T>
class PeerPoll final : public std::enable_shared_from_this<PeerPoll<T>> {
 public:
  using Answer = absl::AnyInvocable<void(Result<T>)>;
  using Question = std::function<void(const std::string& url, Answer)>;
  using Done = absl::AnyInvocable<void(std::vector<Result<T>>)>;

  static void begin(std::vector<Member> members, Question question, Done done) {
    if (members.empty()) return done({});
    const auto poll =
        std::make_shared<PeerPoll>(std::move(members), std::move(question), std::move(done));
    for (std::size_t i = 0; i < poll->members_.size(); ++i) poll->ask(i, 0);
  }

  PeerPoll(std::vector<Member> members, Question question, Done done)
      : members_(std::move(members)),
        question_(std::move(question)),
        done_(std::move(done)),
        answers_(members_.size(), fail(Code::kUnavailable, "it has no peer URL")),
        open_(members_.size()) {}

 private:
  void ask(std::size_t member, std::size_t url) {
    const auto& urls = members_[member].peer_urls;
    if (url == urls.size()) return settle();
    question_(urls[url], [self = this->shared_from_this(), member, url](Result<T> answer) {
      const bool again = !answer && answer.error().code != Code::kCanceled;
      {
        std::lock_guard lock(self->mutex_);
        self->answers_[member] = std::move(answer);
      }
      again ? self->ask(member, url + 1) : self->settle();
    });
  }

  void settle() {
    {
      std::lock_guard lock(mutex_);
      if (--open_ > 0) return;
    }
    done_(std::move(answers_));
  }

  const std::vector<Member> members_;
  const Question question_;
  Done done_;
  std::mutex mutex_;
  std::vector<Result<T>> answers_;
  std::size_t open_;
};

}  // namespace truss::server
