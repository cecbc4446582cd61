#include "truss/mvcc/request_codec.h"

namespace truss::mvcc {
namespace {

/// Field number of the union member that belongs to a compare target; 0 for unknown targets.
std::uint32_t union_field_of(CompareTarget target) {
  switch (target) {
    case CompareTarget::kVersion:
      return 4;
    case CompareTarget::kCreate:
      return 5;
    case CompareTarget::kMod:
      return 6;
    case CompareTarget::kValue:
      return 7;
    case CompareTarget::kLease:
      return 8;
  }
  return 0;
}

void read(Compare& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  std::uint32_t union_field = 0;
  std::int64_t number = 0;
  ByteView value;
  while (in.next()) {
    switch (in.field()) {
      case 1:
        out.result = CompareResult{in.int32()};
        break;
      case 2:
        out.target = CompareTarget{in.int32()};
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
void read_member(RequestOp& out, FieldReader& in) {
  if (!std::holds_alternative<T>(out.op)) out.op = T{};
  read(std::get<T>(out.op), in.bytes(), in);
}

void read(RequestOp& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        read_member<RangeRequest>(out, in);
        break;
      case 2:
        read_member<PutRequest>(out, in);
        break;
      case 3:
        read_member<DeleteRangeRequest>(out, in);
        break;
      case 4:
        read_member<TxnRequest>(out, in);
        break;
      default:
        break;
    }
  }
}

}  // namespace

void read(RangeRequest& out, ByteView bytes, FieldReader& outer) {
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
        out.sort_order = SortOrder{in.int32()};
        break;
      case 6:
        out.sort_target = SortTarget{in.int32()};
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

void read(PutRequest& out, ByteView bytes, FieldReader& outer) {
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
        out.lease = LeaseId{in.int64()};
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

void read(DeleteRangeRequest& out, ByteView bytes, FieldReader& outer) {
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

void read(TxnRequest& out, ByteView bytes, FieldReader& outer) {
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

}  // namespace truss::mvcc
