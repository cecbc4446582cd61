#include "truss/schema/records.h"

#include <doctest/doctest.h>

#include "truss/schema/membership.h"
#include "truss/test_support/hex.h"

using namespace truss;
using namespace truss::schema;

TEST_CASE("numbers are big-endian") {
  CHECK(to_hex(encode_u64(0x0102)) == "0000000000000102");
  CHECK(decode_u64(encode_u64(UINT64_MAX)).value() == UINT64_MAX);
  CHECK_FALSE(decode_u64("1234567"));
}

TEST_CASE("leases and alarms round trip, zeros left out") {
  const LeaseRecord lease{0x694d81417acd4709, 60, 0};
  CHECK(decode_lease(encode_lease(lease)).value() == lease);
  CHECK(to_hex(encode_lease({1, 2, 0})) == "08011002");
  CHECK(to_hex(lease_key(1)) == "0000000000000001");
  const Alarm alarm{0xd906e0ff60cc6fb6, AlarmType::kNoSpace};
  CHECK(decode_alarm(encode_alarm(alarm)).value() == alarm);
  CHECK_FALSE(decode_alarm("\x08"));
  CHECK_FALSE(decode_lease("\xff"));
}

TEST_CASE("confState is the JSON of etcd 3.5") {
  const ConfState state{{15638434143535919030U, 2}, {}, {}, {}, false};
  CHECK(encode_conf_state(state) == R"({"voters":[15638434143535919030,2],"auto_leave":false})");
  CHECK(decode_conf_state(encode_conf_state(state)).value() == state);
  CHECK(decode_conf_state(R"({"voters":[1],"learners":[3]})").value() ==
        ConfState{{1}, {3}, {}, {}, false});
  CHECK_FALSE(decode_conf_state(R"({"voters":[1.5]})"));
  CHECK_FALSE(decode_conf_state(R"({"voters":[1)"));
}

TEST_CASE("a member is the JSON of etcd, ids in full") {
  const Member member{15638434143535919030U, {"http://127.0.0.1:24801"}, false, "s1", {}};
  const std::string json =
      R"({"id":15638434143535919030,"peerURLs":["http://127.0.0.1:24801"],"name":"s1"})";
  CHECK(encode_member(member) == json);
  CHECK(decode_member(json).value() == member);
  CHECK(encode_member({7, {}, true, "", {"a"}}) ==
        R"({"id":7,"peerURLs":null,"isLearner":true,"clientURLs":["a"]})");
  CHECK(decode_member(R"({"id":7,"peerURLs":null,"isPromote":true})").value().id == 7);
  CHECK_FALSE(decode_member(R"({"id":-7})"));
  CHECK_FALSE(decode_member("[]"));
  CHECK_FALSE(decode_member(std::string(100000, '[')));
}

TEST_CASE("text that is no UTF-8 is read as Go reads it") {
  const auto name = [](const std::string& text) {
    return decode_member("{\"name\":\"" + text + "\"}").value().name;
  };
  CHECK(name("\\ud83d\\ude00") == "😀");
  CHECK(name("a\\ude00b") == "a\uFFFDb");
  CHECK(name("a\xff\xfe") == "a\uFFFD\uFFFD");
}

TEST_CASE("member keys are lower-case hex without leading zeros") {
  CHECK(member_key(0xd906e0ff60cc6fb6) == "d906e0ff60cc6fb6");
  CHECK(member_key(0x0a) == "a");
  CHECK(parse_member_key("d906e0ff60cc6fb6").value() == 0xd906e0ff60cc6fb6);
  for (const char* bad : {"", "xyz", "D9", "0x1", "d906e0ff60cc6fb61", "-1"})
    CHECK_FALSE(parse_member_key(bad));
}

TEST_CASE("downgrade info round trips") {
  const Downgrade downgrade{"3.5.0", true};
  CHECK(encode_downgrade(downgrade) == R"({"target-version":"3.5.0","enabled":true})");
  CHECK(decode_downgrade(encode_downgrade(downgrade)).value() == downgrade);
}
