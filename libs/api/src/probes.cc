#include "probes.h"

#include <algorithm>
#include <string>
#include <vector>

#include "http_text.h"
#include "truss/mvcc/store.h"

namespace truss::api {
namespace {

// What a check found: empty, or the failure.
using Verdict = std::string;

Verdict data_corruption(const Context& context) {
  const auto alarms = context.server.alarms();
  const bool corrupt = std::any_of(alarms.begin(), alarms.end(), [](const auto& alarm) {
    return alarm.alarm == server::AlarmType::kCorrupt;
  });
  return corrupt ? "alarm activated: CORRUPT" : "";
}

Verdict serializable_read(const Context& context) {
  mvcc::RangeRequest request;
  request.key = ByteView("\0", 1);
  request.limit = 1;
  request.keys_only = true;
  const auto result = context.server.store().range(request);
  return result ? "" : "range error: " + result.error().message;
}

Verdict non_learner(const Context& context) {
  return context.is_learner() ? "not supported for learner" : "";
}

// One request: its checks in order, at most one of them waiting for the cluster.
class Probe : public std::enable_shared_from_this<Probe> {
 public:
  Probe(Context& context, const net::HttpRequest& request, net::HttpReply reply)
      : context_(context),
        reply_(std::move(reply)),
        excluded_(request.query_values("exclude")),
        verbose_(request.query.find("verbose") != std::string::npos) {
    checks_ = request.path.starts_with("/livez")
                  ? std::vector<std::string>{"serializable_read"}
                  : std::vector<std::string>{"data_corruption", "serializable_read",
                                             "linearizable_read", "non_learner"};
    select(request.path);
  }

  void run() {
    if (checks_.empty()) return http_error(reply_, 404, "404 page not found");
    next();
  }

 private:
  // `/readyz/NAME` runs that check alone.
  void select(const std::string& path) {
    const auto slash = path.find('/', 1);
    if (slash == std::string::npos) return;
    const std::string name = path.substr(slash + 1);
    std::erase_if(checks_, [&](const auto& check) { return check != name; });
  }

  void next() {
    while (at_ < checks_.size()) {
      const std::string& name = checks_[at_];
      if (std::find(excluded_.begin(), excluded_.end(), name) != excluded_.end()) {
        lines_ += "[+]" + name + " excluded: ok\n";
        ++at_;
        continue;
      }
      if (name == "linearizable_read") return wait_for_quorum();
      record(name == "data_corruption"     ? data_corruption(context_)
             : name == "serializable_read" ? serializable_read(context_)
                                           : non_learner(context_));
    }
    answer();
  }

  void wait_for_quorum() {
    context_.server.linearizable_read_notify([self = shared_from_this()](Result<> ready) {
      self->record(ready ? "" : "range error: " + ready.error().message);
      self->next();
    });
  }

  void record(const Verdict& verdict) {
    const std::string& name = checks_[at_++];
    if (verdict.empty()) {
      lines_ += "[+]" + name + " ok\n";
    } else {
      lines_ += "[-]" + name + " failed: " + verdict + "\n";
      failed_ = true;
    }
  }

  void answer() {
    if (failed_) return http_error(reply_, 503, lines_);
    http_error(reply_, 200, (verbose_ ? lines_ : "") + "ok");
  }

  Context& context_;
  net::HttpReply reply_;
  std::vector<std::string> excluded_;
  bool verbose_;
  std::vector<std::string> checks_;
  std::size_t at_ = 0;
  std::string lines_;
  bool failed_ = false;
};

}  // namespace

void run_probe(Context& context, const net::HttpRequest& request, net::HttpReply reply) {
  std::make_shared<Probe>(context, request, std::move(reply))->run();
}

}  // namespace truss::api
