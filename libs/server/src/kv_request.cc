#include "request_reader.h"

namespace truss::server {
namespace {

/// Field number of the union member that belongs to a compare target; 0 for unknown targets.
std::uint32_t union_field_of(mvcc::CompareTarget target) {
  switch (target) {
    case mvcc::CompareTarget::kVersion:
      return 4;
    case mvcc::CompareTarget::kCreate:
      return 5;
    case mvcc::CompareTarget::kMod:
      return 6;
    case mvcc::CompareTarget::kValue:
      return 7;
    case mvcc::CompareTarget::kLease:
      return 8;
  }
  return 0;
}

void read(mvcc::Compare& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  std::uint32_t union_field = 0;
  std::int64_t number = 0;
  ByteView value;
  while (in.next()) {
    switch (in.field()) {
      case 1:
        out.result = mvcc::CompareResult{in.int32()};
        break;
      case 2:
        out.target = mvcc::CompareTarget{in.int32()};
        break;
      case 3:
        out.key = in.bytes();
        break;
      case 4:
      case 5:
      case 6:
      case 8:
        number = in.int64();
        union_field = in.field();
        break;
      case 7:
        value = in.bytes();
        union_field = 7;
        break;
      case 64:
        out.range_end = in.bytes();
        break;
      default:
        break;
    }
  }
  if (union_field != union_field_of(out.target)) return;
  if (union_field == 7) {
    out.value = value;
  } else {
    out.number = number;
  }
}

template <class T>
void read_member(mvcc::RequestOp& out, FieldReader& in) {
  if (!std::holds_alternative<T>(out.op)) out.op = T{};
  read(std::get<T>(out.op), in.bytes(), in);
}

void read(mvcc::RequestOp& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        read_member<mvcc::RangeRequest>(out, in);
        break;
      case 2:
        read_member<mvcc::PutRequest>(out, in);
        break;
      case 3:
        read_member<mvcc::DeleteRangeRequest>(out, in);
        break;
      case 4:
        read_member<mvcc::TxnRequest>(out, in);
        break;
      default:
        break;
    }
  }
}

}  // namespace

void read(mvcc::RangeRequest& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        out.key = in.bytes();
        break;
      case 2:
        out.range_end = in.bytes();
        break;
      case 3:
        out.limit = in.int64();
        break;
      case 4:
        out.revision = in.int64();
        break;
      case 5:
        out.sort_order = mvcc::SortOrder{in.int32()};
        break;
      case 6:
        out.sort_target = mvcc::SortTarget{in.int32()};
        break;
      case 7:
        out.serializable = in.flag();
        break;
      case 8:
        out.keys_only = in.flag();
        break;
      case 9:
        out.count_only = in.flag();
        break;
      case 10:
        out.min_mod_revision = in.int64();
        break;
      case 11:
        out.max_mod_revision = in.int64();
        break;
      case 12:
        out.min_create_revision = in.int64();
        break;
      case 13:
        out.max_create_revision = in.int64();
        break;
      default:
        break;
    }
  }
}

void read(mvcc::PutRequest& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        out.key = in.bytes();
        break;
      case 2:
        out.value = in.bytes();
        break;
      case 3:
        out.lease = mvcc::LeaseId{in.int64()};
        break;
      case 4:
        out.prev_kv = in.flag();
        break;
      case 5:
        out.ignore_value = in.flag();
        break;
      case 6:
        out.ignore_lease = in.flag();
        break;
      default:
        break;
    }
  }
}

void read(mvcc::DeleteRangeRequest& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        out.key = in.bytes();
        break;
      case 2:
        out.range_end = in.bytes();
        break;
      case 3:
        out.prev_kv = in.flag();
        break;
      default:
        break;
    }
  }
}

void read(mvcc::TxnRequest& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        read(out.compare.emplace_back(), in.bytes(), in);
        break;
      case 2:
        read(out.success.emplace_back(), in.bytes(), in);
        break;
      case 3:
        read(out.failure.emplace_back(), in.bytes(), in);
        break;
      default:
        break;
    }
  }
}

}  // namespace truss::server
