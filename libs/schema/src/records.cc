#include "truss/schema/records.h"

#include "json.h"
#include "truss/common/coding.h"

namespace truss::schema {

std::string encode_u64(std::uint64_t value) {
  std::string out(8, '\0');
  store_be64(out.data(), value);
  return out;
}

Result<std::uint64_t> decode_u64(ByteView bytes) {
  if (bytes.size() != 8)
    return fail(Code::kCorruption, "number of " + std::to_string(bytes.size()) + " bytes, want 8");
  return load_be64(bytes.data());
}

std::string lease_key(std::int64_t id) { return encode_u64(static_cast<std::uint64_t>(id)); }

std::string encode_lease(const LeaseRecord& lease) {
  std::string out;
  PbWriter writer(out);
  writer.field_varint(1, static_cast<std::uint64_t>(lease.id));
  writer.field_varint(2, static_cast<std::uint64_t>(lease.ttl));
  writer.field_varint(3, static_cast<std::uint64_t>(lease.remaining_ttl));
  return out;
}

Result<LeaseRecord> decode_lease(ByteView bytes) {
  LeaseRecord lease;
  PbReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        lease.id = static_cast<std::int64_t>(in.varint());
        break;
      case 2:
        lease.ttl = static_cast<std::int64_t>(in.varint());
        break;
      case 3:
        lease.remaining_ttl = static_cast<std::int64_t>(in.varint());
        break;
      default:
        break;
    }
  }
  if (!in.ok())
    return fail(Code::kCorruption, "malformed lease record " + to_hex(bytes.substr(0, 64)));
  return lease;
}

std::string encode_alarm(const Alarm& alarm) {
  std::string out;
  PbWriter writer(out);
  writer.field_varint(1, alarm.member_id);
  writer.field_varint(2, static_cast<std::uint64_t>(alarm.type));
  return out;
}

Result<Alarm> decode_alarm(ByteView bytes) {
  Alarm alarm;
  PbReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        alarm.member_id = in.varint();
        break;
      case 2:
        alarm.type = static_cast<AlarmType>(in.varint());
        break;
      default:
        break;
    }
  }
  if (!in.ok()) return fail(Code::kCorruption, "malformed alarm " + to_hex(bytes.substr(0, 64)));
  return alarm;
}

std::string encode_conf_state(const ConfState& state) {
  std::string out = "{";
  append_id_list(out, "voters", state.voters);
  append_id_list(out, "learners", state.learners);
  append_id_list(out, "voters_outgoing", state.voters_outgoing);
  append_id_list(out, "learners_next", state.learners_next);
  out += state.auto_leave ? "\"auto_leave\":true}" : "\"auto_leave\":false}";
  return out;
}

Result<ConfState> decode_conf_state(ByteView json) {
  TRUSS_ASSIGN(const auto object, JsonObject::parse(json, "confState"));
  ConfState state;
  TRUSS_ASSIGN(state.voters, object.ids("voters"));
  TRUSS_ASSIGN(state.learners, object.ids("learners"));
  TRUSS_ASSIGN(state.voters_outgoing, object.ids("voters_outgoing"));
  TRUSS_ASSIGN(state.learners_next, object.ids("learners_next"));
  TRUSS_ASSIGN(state.auto_leave, object.flag("auto_leave"));
  return state;
}

}  // namespace truss::schema
