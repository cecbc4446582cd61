#pragma once

#include <absl/functional/any_invocable.h>

#include <utility>

#include "truss/common/error.h"
#include "truss/server/errors.h"

namespace truss::server {

/// A callback that is sure to run once: with its answer, or with `etcdserver: server stopped` when
/// the task that held it is dropped. Thread: one at a time.
template <class T>
class Pledge {
 public:
  using Callback = absl::AnyInvocable<void(Result<T>)>;

  explicit Pledge(Callback done) : done_(std::move(done)) {}
  Pledge(Pledge&& other) noexcept : done_(std::exchange(other.done_, nullptr)) {}
  Pledge& operator=(Pledge&&) = delete;
  ~Pledge() {
    if (done_) done_(tl::unexpected(errors::stopped()));
  }
  void operator()(Result<T> answer) { std::exchange(done_, nullptr)(std::move(answer)); }

 private:
  Callback done_;
};

}  // namespace truss::server
