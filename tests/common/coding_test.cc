#include "truss/common/coding.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "truss/common/plain_fields.h"
#include "truss/common/random.h"

using namespace truss;

namespace {

std::string varint(std::uint64_t v) {
  char buffer[10];
  return std::string(buffer, write_varint(buffer, v));
}

/// True if all fields of `bytes` decode.
bool reads(ByteView bytes) {
  PbReader in(bytes);
  while (in.next()) {
  }
  return in.ok();
}

}  // namespace

TEST_CASE("fixed-width integers keep their byte order") {
  char p[8];
  store_be64(p, 0x0102030405060708);
  CHECK(ByteView(p, 8) == ByteView("\x01\x02\x03\x04\x05\x06\x07\x08", 8));
  CHECK(load_be64(p) == 0x0102030405060708);
  CHECK(load_le<std::uint64_t>(p) == 0x0807060504030201);
  store_be32(p, 0xa0b0c0d0);
  CHECK(load_be32(p) == 0xa0b0c0d0);
  CHECK(static_cast<unsigned char>(p[0]) == 0xa0);
}

TEST_CASE("varint_size is the length that write_varint writes") {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const std::uint64_t v : {(std::uint64_t{1} << bit) - 1, std::uint64_t{1} << bit}) {
      CAPTURE(v);
      CHECK(varint(v).size() == varint_size(v));
    }
  }
  CHECK(varint_size(UINT64_MAX) == 10);
}

TEST_CASE("PbWriter's bytes are the wire format's") {
  std::string out;
  PbWriter w(out);
  w.put_varint(1, 150);
  w.put_bytes(2, "testing");
  w.field_varint(3, 0);
  w.field_bytes(4, "");
  w.put_varint(5, 0);
  w.put_bytes(16, "");
  CHECK(out == std::string("\x08\x96\x01\x12\x07testing\x28\x00\x82\x01\x00", 17));
}

TEST_CASE("PbReader gives back what PbWriter wrote") {
  SeededRandom random(7);
  for (int round = 0; round < 200; ++round) {
    std::string out;
    PbWriter w(out);
    const std::uint64_t number = random.next() >> random.below(64);
    const std::string text(random.below(300), 'x');
    w.put_varint(1, number);
    w.put_bytes(536870911, text);  // the largest field number
    PbReader in(out);
    REQUIRE(in.next());
    CHECK(in.field() == 1);
    CHECK(in.type() == WireType::kVarint);
    CHECK(in.varint() == number);
    REQUIRE(in.next());
    CHECK(in.field() == 536870911);
    CHECK(in.bytes() == text);
    CHECK_FALSE(in.next());
    CHECK(in.ok());
  }
}

TEST_CASE("PbReader reads fixed fields and skips groups") {
  const std::string bytes(
      "\x09\x01\x02\x03\x04\x05\x06\x07\x08"  // 1: fixed64
      "\x15\x01\x00\x00\x00"                  // 2: fixed32
      "\x1b\x08\x05\x23\x24\x1c"              // 3: group {1: 5, group 4 {}}
      "\x28\x07",                             // 5: varint
      9 + 5 + 6 + 2);
  PbReader in(bytes);
  REQUIRE(in.next());
  CHECK(in.varint() == 0x0807060504030201);
  REQUIRE(in.next());
  CHECK(in.varint() == 1);
  REQUIRE(in.next());
  CHECK(in.field() == 3);
  CHECK(in.type() == WireType::kGroup);
  REQUIRE(in.next());
  CHECK(in.field() == 5);
  CHECK(in.varint() == 7);
  CHECK_FALSE(in.next());
  CHECK(in.ok());
}

TEST_CASE("PbReader refuses malformed input") {
  CHECK(reads(""));
  CHECK(reads(std::string("\x08\x00", 2)));
  CHECK_FALSE(reads("\x08"));      // value missing
  CHECK_FALSE(reads("\x08\x80"));  // varint cut off
  CHECK_FALSE(
      reads("\x12\x05"
            "abcd"));                                                  // bytes cut off
  CHECK_FALSE(reads(std::string("\x00\x01", 2)));                      // field 0
  CHECK_FALSE(reads("\x0c"));                                          // end of no group
  CHECK_FALSE(reads("\x0b\x14"));                                      // wrong end of group
  CHECK_FALSE(reads("\x0b\x08\x01"));                                  // group never ends
  CHECK_FALSE(reads("\x0e\x01"));                                      // wire type 6
  CHECK_FALSE(reads("\x09\x01\x02\x03"));                              // fixed64 cut off
  CHECK_FALSE(reads("\x0d\x01\x02"));                                  // fixed32 cut off
  CHECK_FALSE(reads("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));  // 65 bits
  CHECK_FALSE(reads("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));  // length overflows
  CHECK_FALSE(reads(std::string("\x80\x80\x80\x80\x10\x01", 6)));      // field over 2^29-1
  CHECK_FALSE(reads(std::string(1000, '\x0b')));                       // groups too deep
}

TEST_CASE("a field read as the wrong type marks the input malformed") {
  PbReader number("\x08\x05");
  REQUIRE(number.next());
  CHECK(number.bytes().empty());
  CHECK_FALSE(number.ok());
  PbReader text("\x0a\x01x");
  REQUIRE(text.next());
  CHECK(text.varint() == 0);
  CHECK_FALSE(text.ok());
  CHECK_FALSE(text.next());
}

TEST_CASE("no input makes PbReader read outside of it") {
  // Exact-size heap copies let ASan see any byte read too far.
  SeededRandom random(11);
  int good = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<char> bytes(random.below(24));
    for (char& c : bytes) c = static_cast<char>(random.next() >> (random.below(2) * 4 + 56));
    PbReader in(ByteView(bytes.data(), bytes.size()));
    while (in.next()) {
      const ByteView v = in.type() == WireType::kBytes ? in.bytes() : ByteView();
      if (!v.empty()) CHECK(v.data() + v.size() <= bytes.data() + bytes.size());
    }
    good += in.ok();
  }
  CHECK(good > 100);
}

namespace {

struct Three {
  std::uint64_t a = 0, b = 0;
  std::string c;
  bool operator==(const Three&) const = default;
};

std::optional<Three> plainly(ByteView bytes) {
  Three out;
  ByteView c;
  PlainFields in(bytes);
  in.varint(1, out.a);
  in.varint(2, out.b);
  in.bytes(3, c);
  if (!in.whole()) return std::nullopt;
  out.c = c;
  return out;
}

std::optional<Three> generally(ByteView bytes) {
  Three out;
  PbReader in(bytes);
  while (in.next()) {
    if (in.field() == 1) out.a = in.varint();
    if (in.field() == 2) out.b = in.varint();
    if (in.field() == 3) out.c = in.bytes();
  }
  if (!in.ok()) return std::nullopt;
  return out;
}

}  // namespace

TEST_CASE("plain fields: a message as it is written, and what is left to PbReader") {
  const std::string id = varint(300), text = "some bytes";
  const std::string whole = "\x08" + id + "\x10" + varint(7) + "\x1a" + varint(text.size()) + text;
  CHECK(plainly(whole) == Three{300, 7, text});
  CHECK(plainly("\x08" + id) == Three{300, 0, ""});
  CHECK(plainly("") == Three{});
  CHECK(plainly("\x08" + varint(UINT64_MAX >> 1)) == Three{UINT64_MAX >> 1, 0, ""});
  CHECK_FALSE(plainly("\x08" + varint(UINT64_MAX)));       // ten bytes
  CHECK_FALSE(plainly("\x10" + id + "\x08" + id));         // out of order
  CHECK_FALSE(plainly("\x08" + id + "\x08" + id));         // twice
  CHECK_FALSE(plainly("\x08" + id + "\x20" + id));         // unknown
  CHECK_FALSE(plainly("\x1a" + varint(5) + "four"));       // cut short
  CHECK_FALSE(plainly(whole.substr(0, 2)));                // inside a number
  CHECK_FALSE(plainly("\x1a" + varint(UINT64_MAX >> 1)));  // a length beyond all memory
}

TEST_CASE("plain fields: what they read, PbReader reads alike") {
  SeededRandom random(17);
  int read = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes;
    for (int field = 1; field <= 3; ++field) {
      if (random.below(4) == 0) continue;
      bytes += static_cast<char>(field << 3 | (field == 3 ? 2 : 0));
      const std::uint64_t n = field == 3 ? random.below(6) : random.next() >> random.below(64);
      bytes += varint(n);
      if (field == 3) bytes += std::string(n, 'x');
    }
    if (!bytes.empty() && random.below(2) == 0) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    const auto plain = plainly(bytes);
    if (!plain) continue;
    ++read;
    if (plain != generally(bytes)) REQUIRE_MESSAGE(false, "round " << round);
  }
  CHECK(read > 50'000);
}
