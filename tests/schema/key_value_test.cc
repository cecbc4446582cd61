#include "truss/schema/key_value.h"

#include <doctest/doctest.h>

#include <string>

#include "truss/common/random.h"
#include "truss/test_support/hex.h"

using namespace truss;
using schema::decode_key_value;
using schema::encode_key_value;
using schema::KeyValueView;
using test_support::from_hex;

TEST_CASE("a KeyValue of real etcd decodes and encodes to the same bytes") {
  const std::string bytes = from_hex("0a076b65792f3030321004180420012a0776616c75652d32");
  const auto kv = decode_key_value(bytes);
  REQUIRE(kv);
  CHECK(*kv == KeyValueView{"key/002", 4, 4, 1, "value-2", 0});
  CHECK(encode_key_value(*kv).view() == bytes);
}

TEST_CASE("random KeyValues round trip") {
  SeededRandom random(7);
  for (int i = 0; i < 2000; ++i) {
    const std::string key(random.below(40), static_cast<char>(random.next()));
    const std::string value(random.below(300), static_cast<char>(random.next()));
    const auto number = [&] {
      return static_cast<std::int64_t>(random.next() >> random.below(64) >> 1);
    };
    const KeyValueView kv{key, number(), number(), number(), value, number()};
    const SharedBytes bytes = encode_key_value(kv);
    CHECK(bytes.size() == schema::key_value_size(kv));
    CHECK(decode_key_value(bytes.view()).value() == kv);
  }
}

TEST_CASE("empty bytes are the empty KeyValue; unknown fields are skipped") {
  CHECK(decode_key_value("").value() == KeyValueView{});
  CHECK(decode_key_value(from_hex("0a016b 5001")).value().key == "k");
}

TEST_CASE("no prefix or flipped byte of a KeyValue is read out of bounds") {
  const std::string bytes(
      encode_key_value({"some/key", 300, 70000, 5, std::string(200, 'v'), 1 << 20}).view());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    (void)decode_key_value(cut);
    std::string flipped = bytes;
    flipped[size] = static_cast<char>(flipped[size] ^ 0xFF);
    (void)decode_key_value(flipped);
  }
  CHECK(decode_key_value(from_hex("0a056b")).error().code == Code::kCorruption);
  CHECK(decode_key_value(from_hex("1280808080808080808080")).error().code == Code::kCorruption);
}
