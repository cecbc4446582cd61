#include "driving_rig.h"

#include "drive.h"
#include "filler.h"

namespace truss::peertool {

peer::Options transport_options(const RigOptions& options) {
  peer::Options out;
  out.snapshot_bytes_per_second = options.snapshot_bytes_per_second;
  return out;
}

DrivingRig::DrivingRig(Runtime& runtime, const RigOptions& options, Inbox& inbox)
    : clock_(runtime.clock()),
      go_on_(options.go_on),
      inbox_(inbox),
      meter_(clock_),
      station_(runtime, logger_, "drive", transport_options(options)),
      pipeline_(station_.thread(), runtime, logger_, transport_options(options)) {}

void DrivingRig::start_driving(const peer::Identity& who, raft::NodeId target,
                               const std::string& url) {
  station_.transport().observe(meter_);
  pipeline_.observe(meter_);
  station_.local().set({who.server_version, "", std::nullopt}, "[]");
  station_.start(who, inbox_);
  pipeline_.identify(who);
  pipeline_.start(inbox_, station_.local());
  pipeline_.add_remote(target, {url});
  station_.transport().add_peer(target, {url});
}

void DrivingRig::stop_driving() {
  pipeline_.stop();
  station_.stop();
  on_rig(*this, [] { return true; });
}

void DrivingRig::send_small(Channel channel, raft::Message message) {
  std::vector<raft::Message> one;
  one.push_back(std::move(message));
  (channel == Channel::kPipeline ? pipeline_ : station_.transport()).send(std::move(one));
}

void DrivingRig::send_filler(raft::Message message, raft::SnapshotMetadata metadata,
                             std::uint64_t bytes, std::function<void(bool)> done) {
  inbox_.snapshot_done_ = std::move(done);
  message.type = raft::MessageType::kSnap;
  message.has_snapshot = true;
  message.snapshot.data = SharedBytes::copy("{}");
  message.snapshot.metadata = std::move(metadata);
  station_.transport().send_snapshot(std::move(message), std::make_unique<Filler>(bytes));
}

}  // namespace truss::peertool
