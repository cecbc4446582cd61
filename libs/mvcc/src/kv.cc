#include "truss/mvcc/kv.h"

#include "truss/common/check.h"

namespace truss::mvcc {

KeyValue KeyValue::encode(const schema::KeyValueView& kv) {
  auto wrapped = wrap(schema::encode_key_value(kv));
  TRUSS_CHECK(wrapped.has_value());
  return *std::move(wrapped);
}

Result<KeyValue> KeyValue::wrap(SharedBytes record) {
  KeyValue out;
  out.record = record.view();
  out.owner = std::move(record);
  TRUSS_ASSIGN(out.kv, schema::decode_key_value(out.record));
  return out;
}

}  // namespace truss::mvcc
