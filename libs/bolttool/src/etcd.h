#pragma once

#include <optional>
#include <string>
#include <vector>

#include "truss/bolt/bolt.h"
#include "truss/tool/json_writer.h"

namespace truss::bolttool {

/// A pair's key and value for people: decoded where the bucket is one of etcd's and the bytes are
/// what etcd writes there, printable bytes otherwise.
struct PairText {
  std::string key;
  std::string value;
};
PairText pair_text(const std::vector<ByteView>& buckets, const bolt::KeyValue& kv);

/// Adds the fields of a decoded pair to an open JSON object, nothing for bytes it doesn't know.
void write_decoded(tool::JsonWriter& json, const std::vector<ByteView>& buckets,
                   const bolt::KeyValue& kv);

/// The bytes of a key as a user writes it: in etcd's bucket `key` a revision (`12`, `12_3`,
/// `12_3t`), in `lease` a hex number, otherwise the text itself, with `\xNN` for odd bytes.
/// `hex`: pairs of hex digits in any bucket. Errors: kInvalidArgument.
Result<std::string> parse_key(const std::vector<ByteView>& buckets, const std::string& text,
                              bool hex);

}  // namespace truss::bolttool
