#include "truss/bolt/meta.h"

#include "support.h"
#include "truss/common/coding.h"

using namespace truss;
using namespace truss::bolt;

namespace {

std::string two_metas(std::uint32_t page_size, std::uint64_t first_txid,
                      std::uint64_t second_txid) {
  std::string head(2 * page_size, '\0');
  Meta meta{.page_size = page_size, .root = 3, .high_water = 11};
  meta.txid = first_txid;
  encode_meta(meta, 0, head.data());
  meta.txid = second_txid;
  encode_meta(meta, 1, head.data() + page_size);
  return head;
}

}  // namespace

TEST_CASE("bolt meta: the bytes of a real etcd file") {
  Meta meta{.page_size = 4096, .root = 10, .freelist = kNoFreelist, .high_water = 11, .txid = 4};
  std::string page(4096, '\0');
  encode_meta(meta, 0, page.data());
  CHECK(to_hex(ByteView(page).substr(0, 80)) ==
        "00000000000000000400000000000000edda0ced0200000000100000000000000a000000000000000000000000"
        "000000ffffffffffffffff0b000000000000000400000000000000f6f09a7d29b636a6");
  const auto decoded = decode_meta(page);
  REQUIRE(decoded.has_value());
  CHECK(decoded->root == 10);
  CHECK(decoded->txid == 4);
  CHECK(decoded->freelist == kNoFreelist);
}

TEST_CASE("bolt meta: any flipped bit of the record is found") {
  for (std::size_t bit = 0; bit < 64 * 8; ++bit) {
    std::string head = two_metas(4096, 4, 3);
    head[kHeaderBytes + bit / 8] =
        static_cast<char>(head[kHeaderBytes + bit / 8] ^ (1 << (bit % 8)));
    CHECK(!decode_meta(head).has_value());
  }
}

TEST_CASE("bolt meta: a checksum of zero is taken, as bbolt 1.3.6 does") {
  std::string head = two_metas(4096, 4, 3);
  store_le<std::uint64_t>(head.data() + kHeaderBytes + 56, 0);
  CHECK(decode_meta(head).has_value());
}

TEST_CASE("bolt meta: the higher txid wins, the other is the fallback") {
  for (std::uint32_t size = kMinPageSize; size <= kMaxPageSize; size *= 2) {
    std::string head = two_metas(size, 4, 5);
    CHECK(choose_meta(head, "f")->slot == 1);
    CHECK(choose_meta(two_metas(size, 6, 5), "f")->slot == 0);
    head[kHeaderBytes] = 'x';
    auto choice = choose_meta(head, "f");
    REQUIRE(choice.has_value());
    CHECK(choice->slot == 1);
    CHECK(choice->meta.page_size == size);
    CHECK(!choice->other_valid);
    head[size + kHeaderBytes] = 'x';
    choice = choose_meta(head, "f");
    CHECK(choice.error().code == Code::kCorruption);
    CHECK(choice.error().message.find("bolt f: meta page 0 at offset 0") == 0);
  }
}

TEST_CASE("bolt meta: short input and foreign bytes are refused") {
  const std::string head = two_metas(4096, 4, 5);
  for (const std::size_t size : {0, 1, 79}) CHECK(!choose_meta(head.substr(0, size), "f"));
  CHECK(choose_meta(head.substr(0, 80), "f").has_value());
  CHECK(!choose_meta(std::string(8192, 'z'), "f"));
}

TEST_CASE("bolt meta: fields that can't be are refused though the checksum fits") {
  const auto refused = [](Meta meta) {
    std::string page(4096, '\0');
    encode_meta(meta, 0, page.data());
    return !decode_meta(page).has_value();
  };
  const Meta good{.page_size = 4096, .root = 3, .freelist = 2, .high_water = 4, .txid = 1};
  CHECK(!refused(good));
  Meta m = good;
  m.root = 4;
  CHECK(refused(m));
  m.root = 1;
  CHECK(refused(m));
  m = good;
  m.page_size = 4095;
  CHECK(refused(m));
  m.page_size = 512;
  CHECK(refused(m));
  m = good;
  m.freelist = 4;
  CHECK(refused(m));
  m = good;
  m.high_water = std::uint64_t{1} << 60;
  CHECK(refused(m));
}

TEST_CASE("bolt meta: the next commit never overwrites the current meta page") {
  CHECK(next_txid(4, 0) == 5);
  CHECK(next_txid(5, 1) == 6);
  CHECK(next_txid(3, 0) == 5);  // a snapshot image has an odd txid in page 0
  CHECK(next_txid(2, 1) == 4);
}
