#include "alarms.h"

#include "truss/schema/buckets.h"
#include "truss/schema/records.h"

namespace truss::server {
namespace {

std::string key_of(const AlarmMember& alarm) {
  return schema::encode_alarm(
      {alarm.member.value(), schema::AlarmType{static_cast<std::int32_t>(alarm.alarm)}});
}

}  // namespace

std::string alarm_text(const AlarmMember& alarm) {
  std::string out;
  if (alarm.member != raft::kNoNode) {
    out += "memberID:" + std::to_string(alarm.member.value()) + " ";
  }
  switch (alarm.alarm) {
    case AlarmType::kNone:
      break;
    case AlarmType::kNoSpace:
      out += "alarm:NOSPACE ";
      break;
    case AlarmType::kCorrupt:
      out += "alarm:CORRUPT ";
      break;
    default:
      out += "alarm:" + std::to_string(static_cast<int>(alarm.alarm)) + " ";
      break;
  }
  return out;
}

Result<> Alarms::load(mvcc::Backend& backend) {
  backend_ = &backend;
  std::lock_guard lock(mutex_);
  on_.clear();
  TRUSS_TRY(backend.for_each(schema::BucketId::kAlarm, [&](ByteView key, ByteView) -> Result<> {
    TRUSS_ASSIGN(const schema::Alarm alarm, schema::decode_alarm(key));
    on_.insert({raft::NodeId(alarm.member_id), AlarmType{static_cast<std::int32_t>(alarm.type)}});
    return {};
  }));
  count();
  return {};
}

std::vector<AlarmMember> Alarms::activate(const AlarmMember& alarm) {
  if (alarm.alarm == AlarmType::kNone) return {};
  std::lock_guard lock(mutex_);
  if (on_.insert(alarm).second) {
    backend_->put(schema::BucketId::kAlarm, key_of(alarm), {});
    count();
  }
  return {alarm};
}

std::vector<AlarmMember> Alarms::deactivate(const AlarmMember& alarm) {
  std::lock_guard lock(mutex_);
  if (on_.erase(alarm) == 0) return {};
  backend_->remove(schema::BucketId::kAlarm, key_of(alarm));
  count();
  return {alarm};
}

std::vector<AlarmMember> Alarms::list(AlarmType type) const {
  std::lock_guard lock(mutex_);
  std::vector<AlarmMember> out;
  for (const AlarmMember& alarm : on_) {
    if (type == AlarmType::kNone || alarm.alarm == type) out.push_back(alarm);
  }
  return out;
}

void Alarms::count() {
  for (auto& c : counts_) c.store(0, std::memory_order_relaxed);
  for (const AlarmMember& alarm : on_) ++counts_[static_cast<std::size_t>(alarm.alarm)];
}

}  // namespace truss::server
