#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "membership.h"
#include "pledge.h"
#include "progress.h"
#include "truss/common/executor.h"
#include "truss/server/errors.h"

namespace truss::server {

/// What every LeaderAsk of a member uses. Outlives them.
struct LeaderDesk {
  Executor& executor;
  Clock& clock;
  const Progress& progress;
  const Membership& membership;
  Duration election_timeout;
  Duration request_timeout;

  /// Peer URLs of the leader; empty while there is none, or it isn't in the membership (yet).
  std::vector<std::string> leader_urls() const {
    const raft::NodeId leader(progress.leader.load());
    const auto list = membership.members();
    const auto it = std::find_if(list->begin(), list->end(),
                                 [leader](const Member& m) { return m.id == leader; });
    return it == list->end() ? std::vector<std::string>{} : it->peer_urls;
  }
};

/// A question that only the leader can answer: asked here while this member leads, otherwise at the
/// leader's peer URLs one after the other; again after 50 ms, maybe of another leader, until the
/// request time-out is over.
///
/// Lives on: the desk's executor; begin() may be called from any thread.
template <class T>
class LeaderAsk final : public std::enable_shared_from_this<LeaderAsk<T>> {
 public:
  using Callback = absl::AnyInvocable<void(Result<T>)>;
  struct Question {
    std::function<void(Callback)> here;
    std::function<void(const std::string& url, Duration timeout, Callback)> there;
    /// What a refusal means to the client; nullopt: somebody else may know better.
    std::function<std::optional<Error>(const Error&)> final_here;
    std::function<std::optional<Error>(const Error&)> final_there;
  };

  static void begin(const LeaderDesk& desk, Question question, Callback done) {
    const auto ask = std::make_shared<LeaderAsk>(desk, std::move(question), std::move(done));
    desk.executor.post([ask] { ask->round(); });
  }

  LeaderAsk(const LeaderDesk& desk, Question question, Callback done)
      : desk_(desk),
        question_(std::move(question)),
        done_(std::move(done)),
        deadline_(desk.clock.now() + desk.request_timeout) {}

 private:
  static constexpr Duration kPause = std::chrono::milliseconds(50);

  void round() {
    if (desk_.clock.now() >= deadline_) return give_up();
    had_leader_ = true;
    if (desk_.progress.is_leader) return question_.here(answer_to(question_.final_here, {}));
    auto urls = desk_.leader_urls();
    had_leader_ = !urls.empty();
    if (!had_leader_) return again(desk_.election_timeout);
    ask(std::move(urls));
  }

  /// Asks the first of `urls`; the others if that fails.
  void ask(std::vector<std::string> urls) {
    if (urls.empty()) return again(kPause);
    const std::string url = urls.front();
    urls.erase(urls.begin());
    question_.there(url, std::max(deadline_ - desk_.clock.now(), Duration(1)),
                    answer_to(question_.final_there, std::move(urls)));
  }

  Callback answer_to(const std::function<std::optional<Error>(const Error&)>& verdict,
                     std::vector<std::string> others) {
    return [self = this->shared_from_this(), &verdict,
            others = std::move(others)](Result<T> answer) mutable {
      Executor& executor = self->desk_.executor;
      executor.post([self = std::move(self), &verdict, others = std::move(others),
                     answer = std::move(answer)]() mutable {
        if (answer) return self->done_(std::move(answer));
        if (auto error = verdict(answer.error())) {
          return self->done_(tl::unexpected(*std::move(error)));
        }
        self->ask(std::move(others));
      });
    };
  }

  void again(Duration pause) {
    const MonoTime when = std::min(desk_.clock.now() + pause, deadline_);
    desk_.executor.post_at(when, [self = this->shared_from_this()] { self->round(); });
  }

  void give_up() { done_(tl::unexpected(had_leader_ ? errors::timeout() : errors::no_leader())); }

  const LeaderDesk& desk_;
  const Question question_;
  Pledge<T> done_;
  const MonoTime deadline_;
  bool had_leader_ = true;
};

}  // namespace truss::server
