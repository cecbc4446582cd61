// A throwaway member whose only other voter is this process.
#include <signal.h>

#include <deque>
#include <future>

#include "drive.h"
#include "driving_rig.h"
#include "numbers.h"
#include "raft_leader.h"
#include "scratch_folder.h"
#include "truss/common/coding.h"
#include "truss/peer/queries.h"
#include "truss/peer/text.h"
#include "truss/tool/child_process.h"

namespace truss::peertool {
namespace {

using raft::MessageType;
using namespace std::chrono_literals;

constexpr Duration kStartPatience = 30s;
constexpr Duration kStopPatience = 5s;
constexpr Duration kTick = 100ms;
constexpr Duration kPoll = 20ms;
/// Fields of etcdserverpb.InternalRaftRequest, RequestHeader and PutRequest.
constexpr std::uint32_t kPutField = 4;
constexpr std::uint32_t kHeaderField = 100;
constexpr std::uint32_t kIdField = 1;
constexpr std::uint32_t kKeyField = 1;
constexpr std::uint32_t kValueField = 2;
constexpr std::uint64_t kRequestId = 1;

/// A put of one key, since the member applies what it is sent.
SharedBytes put_entry(std::size_t value_bytes) {
  std::string put;
  PbWriter(put).put_bytes(kKeyField, "peerbench");
  PbWriter(put).put_bytes(kValueField, std::string(value_bytes, 'x'));
  std::string header;
  PbWriter(header).put_varint(kIdField, kRequestId);
  std::string request;
  PbWriter(request).put_bytes(kPutField, put);
  PbWriter(request).put_bytes(kHeaderField, header);
  return SharedBytes::copy(request);
}

class MemberRig final : public DrivingRig {
 public:
  MemberRig(Runtime& runtime, MemberRigOptions options)
      : DrivingRig(runtime, options, inbox_),
        options_(std::move(options)),
        queries_(station_.thread(), runtime) {}

  ~MemberRig() override {
    queries_.stop();
    // Timers look at alive_ on that thread, so none touches us after this.
    station_.thread().post([this] { alive_.reset(); });
    stop_driving();
    stop_member();
  }

  Result<> start() {
    TRUSS_TRY(folder_.make(options_.temp_dir));
    if (options_.keep) folder_.keep();
    TRUSS_TRY(check_room());
    TRUSS_TRY(station_.listen());
    TRUSS_TRY(start_member());
    TRUSS_ASSIGN(const auto members, ask_members());
    TRUSS_TRY(learn_ids(members));
    TRUSS_ASSIGN(const peer::Versions versions, ask_version());
    version_ = versions.server;
    start_transports(members.cluster);
    TRUSS_TRY(win_election());
    return {};
  }

  std::string subject() const override {
    return options_.program.substr(options_.program.rfind('/') + 1) + " " + version_;
  }
  std::string measured() const override { return "round trip"; }
  void send(Channel channel, std::uint64_t line, std::uint64_t index,
            std::size_t payload_bytes) override {
    const std::uint64_t number = number_of(line, index);
    if (channel == Channel::kMsgApp) return append(number, payload_bytes);
    raft::Message message = plain(MessageType::kHeartbeat);
    message.commit = leader_->committed();
    message.context = context_of(channel, number);
    send_small(channel, std::move(message));
  }

  /// Of an index that the member has committed: it saves the database under that name (once), and
  /// its raft passes over it.
  void send_snapshot(std::uint64_t bytes, std::function<void(bool)> done) override {
    send_filler(plain(MessageType::kSnap),
                {.conf_state = {.voters = {std::min(self_, target_), std::max(self_, target_)}},
                 .index = snapshot_index_,
                 .term = leader_->term()},
                bytes, std::move(done));
  }

  std::size_t wire_bytes(Channel channel, std::size_t payload_bytes) const override {
    if (channel == Channel::kMsgApp) {
      raft::Entry entry{raft::Term(2), raft::Index(1000), raft::EntryType::kNormal,
                        payload_bytes == 0 ? SharedBytes() : put_entry(payload_bytes)};
      return 1 + 8 + 8 + raft::encoded_size(entry) + 8;
    }
    raft::Message message;
    message.type = MessageType::kHeartbeat;
    message.to = target_;
    message.from = self_;
    message.term = raft::Term(2);
    message.commit = raft::Index(1000);
    message.context = context_of(channel, 0);
    return raft::encoded(message, form_).size() + 8;
  }

 private:
  /// What the member sends to its leader. Thread: the station's.
  class Answers final : public Inbox {
   public:
    explicit Answers(MemberRig& rig) : rig_(rig) {}
    void receive(raft::Message message) override { rig_.receive(std::move(message)); }
    void report_unreachable(raft::NodeId id) override {
      if (rig_.leader_) rig_.leader_->unreachable(id);
    }

   private:
    MemberRig& rig_;
  };

  Result<> check_room() const {
    const std::uint64_t wanted = 2 * options_.snapshot_bytes + (256u << 20);
    TRUSS_ASSIGN(const std::uint64_t free, folder_.free_bytes());
    if (free >= wanted) return {};
    return fail(Code::kResourceExhausted,
                folder_.path() + ": " + std::to_string(free >> 20) + " MiB free, " +
                    std::to_string(wanted >> 20) +
                    " MiB wanted; choose a smaller snapshot or another --temp-dir");
  }

  Result<> start_member() {
    const std::string client = "http://127.0.0.1:" + std::to_string(tool::free_port());
    target_url_ = "http://127.0.0.1:" + std::to_string(tool::free_port());
    // It must not stand for election while we do, nor when a heartbeat of ours is late.
    return child_.start(
        {options_.program, "--name=target", "--data-dir=" + folder_.path() + "/data",
         "--listen-client-urls=" + client, "--advertise-client-urls=" + client,
         "--listen-peer-urls=" + target_url_, "--initial-advertise-peer-urls=" + target_url_,
         "--initial-cluster=target=" + target_url_ + ",peerbench=" + station_.url(),
         "--initial-cluster-token=peerbench-" + peer::id_text(entropy64()),
         "--initial-cluster-state=new", "--heartbeat-interval=1000", "--election-timeout=20000",
         "--initial-election-tick-advance=false", "--logger=zap", "--log-level=error"},
        log());
  }
  std::string log() const { return folder_.path() + "/log"; }
  void stop_member() {
    child_.signal(SIGTERM);
    if (!child_.wait(kStopPatience)) child_.kill9();
  }

  /// Asks until there is an answer, the member dies, patience ends or we are told to give up.
  template <class T, class Ask>
  Result<T> ask(Ask ask_once) {
    const MonoTime until = clock_.now() + kStartPatience;
    for (;;) {
      auto answer = std::make_shared<std::promise<Result<T>>>();
      auto future = answer->get_future();
      ask_once([answer](Result<T> got) { answer->set_value(std::move(got)); });
      Result<T> got = future.get();
      if (got) return got;
      if (stopped()) return fail(Code::kCanceled, "interrupted");  // a terminal's Ctrl-C ends both
      if (!child_.alive()) return died();
      if (clock_.now() > until) return fail(options_.program + " at " + target_url_, got.error());
      pause(station_.thread(), clock_, kPoll);
    }
  }
  Unexpected died() const {
    return fail(Code::kUnavailable, options_.program + " ended: " + last_words(log()));
  }

  /// A member that is about to found its cluster may answer with an empty list.
  Result<peer::Queries::Members> ask_members() {
    using Members = peer::Queries::Members;
    return ask<Members>([this](auto done) {
      queries_.members(target_url_, 1s, [done](Result<Members> got) {
        if (got && got->members.size() < 2) got = fail(Code::kUnavailable, "no members yet");
        done(std::move(got));
      });
    });
  }
  Result<peer::Versions> ask_version() {
    return ask<peer::Versions>(
        [this](auto done) { queries_.version(target_url_, 1s, std::move(done)); });
  }

  Result<> learn_ids(const peer::Queries::Members& members) {
    for (const peer::MemberInfo& member : members.members) {
      if (member.peer_urls == std::vector<std::string>{station_.url()}) self_ = member.id;
      if (member.peer_urls == std::vector<std::string>{target_url_}) target_ = member.id;
    }
    if (self_ != raft::kNoNode && target_ != raft::kNoNode) return {};
    return fail(Code::kUnavailable, options_.program + ": its cluster has other members than told");
  }

  void start_transports(peer::ClusterId cluster) {
    const auto version = peer::parse_semver(version_);
    const bool older = version && version->major == 3 && version->minor < 6;
    form_ = older ? raft::MessageForm::k34 : raft::MessageForm::k36;
    const peer::Identity who{.self = self_,
                             .cluster = cluster,
                             .server_version = version ? version_ : "3.4.23",
                             .form = form_,
                             .peer_urls = {station_.url()}};
    start_driving(who, target_, target_url_);
  }

  Result<> win_election() {
    std::promise<Result<>> won;
    auto future = won.get_future();
    station_.thread().post([this, &won] {
      auto leader = RaftLeader::create(self_, target_, [this](std::vector<raft::Message> out) {
        station_.transport().send(std::move(out));
      });
      if (!leader) return won.set_value(tl::unexpected(leader.error()));
      leader_ = std::move(*leader);
      campaign(clock_.now() + kStartPatience, won);
    });
    Result<> out = future.get();
    if (!out && !stopped() && !child_.alive()) return died();
    return out;
  }

  /// Stands for election every second until it leads and both streams are dialled.
  void campaign(MonoTime until, std::promise<Result<>>& won) {
    if (leader_->leads() && streams_attached()) {
      snapshot_index_ = leader_->committed();
      tick();
      return won.set_value({});
    }
    if (stopped()) return won.set_value(fail(Code::kCanceled, "interrupted"));
    if (clock_.now() > until) {
      return won.set_value(fail(Code::kUnavailable, options_.program + " at " + target_url_ +
                                                        " doesn't follow: no vote or no stream"));
    }
    if (!leader_->leads() && clock_.now() >= next_campaign_) {
      next_campaign_ = clock_.now() + 1s;
      leader_->campaign();
    }
    later(kPoll, [this, until, &won] { campaign(until, won); });
  }

  void tick() {
    leader_->tick();
    later(kTick, [this] { tick(); });
  }

  template <class Body>
  void later(Duration delay, Body body) {
    station_.thread().post_at(clock_.now() + delay,
                              [alive = std::weak_ptr(alive_), body = std::move(body)] {
                                if (alive.lock()) body();
                              });
  }

  void receive(raft::Message message) {
    if (!leader_) return;
    const MonoTime now = clock_.now();
    if (message.type == MessageType::kHeartbeatResp) {
      if (const auto number = number_in(message.context.view())) {
        return lines_.arrived(*number, now);
      }
    }
    const bool acknowledged = message.type == MessageType::kAppResp && !message.reject;
    const raft::Index index = message.index;
    leader_->step(std::move(message));
    if (acknowledged) acknowledge(index, now);
  }

  void append(std::uint64_t number, std::size_t payload_bytes) {
    if (payload_bytes > 0 && payload_of_ != payload_bytes) {
      payload_ = put_entry(payload_bytes);
      payload_of_ = payload_bytes;
    }
    const auto index = leader_->propose(payload_bytes == 0 ? SharedBytes() : payload_);
    if (index) appends_.emplace_back(*index, number);
  }

  void acknowledge(raft::Index index, MonoTime at) {
    while (!appends_.empty() && appends_.front().first <= index) {
      const std::uint64_t number = appends_.front().second;
      appends_.pop_front();
      lines_.arrived(number, at);
    }
  }

  raft::Message plain(MessageType type) const {
    raft::Message out;
    out.type = type;
    out.from = self_;
    out.to = target_;
    out.term = leader_->term();
    return out;
  }

  const MemberRigOptions options_;
  ScratchFolder folder_;
  tool::ChildProcess child_;
  Answers inbox_{*this};
  peer::Queries queries_;
  std::string target_url_;
  std::string version_;
  raft::NodeId self_;
  raft::NodeId target_;
  raft::MessageForm form_ = raft::MessageForm::k36;

  // Thread: the station's.
  std::unique_ptr<RaftLeader> leader_;
  raft::Index snapshot_index_;
  MonoTime next_campaign_{};
  SharedBytes payload_;
  std::size_t payload_of_ = 0;
  std::deque<std::pair<raft::Index, std::uint64_t>> appends_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

Result<std::unique_ptr<Rig>> make_member_rig(Runtime& runtime, const MemberRigOptions& options) {
  TRUSS_TRY(tool::find_program(options.program));
  auto rig = std::make_unique<MemberRig>(runtime, options);
  TRUSS_TRY(rig->start());
  return rig;
}

}  // namespace truss::peertool
