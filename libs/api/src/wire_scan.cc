#include "wire_scan.h"

#include <google/protobuf/descriptor.h>

#include "truss/common/text.h"

namespace truss::api {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

Unexpected malformed(std::string text) { return fail(Code::kInternal, std::move(text)); }

// `range_end` as the Go struct has it: `RangeEnd`.
std::string go_name(const std::string& proto_name) {
  std::string out;
  bool upper = true;
  for (const char c : proto_name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return out;
}

}  // namespace

/// Walks one message. Invariant: p_ <= end_.
class WireSchema::Scan {
 public:
  Scan(const WireSchema& schema, ByteView bytes, int depth)
      : schema_(schema), p_(bytes.data()), end_(bytes.data() + bytes.size()), depth_(depth) {}

  Result<bool> run() {
    while (p_ != end_) TRUSS_TRY(one_field());
    return canonical_;
  }

 private:
  Result<std::uint64_t> varint() {
    std::uint64_t v = 0;
    const char* start = p_;
    for (int shift = 0;; shift += 7) {
      if (shift >= 64) return malformed("proto: integer overflow");
      if (p_ == end_) return malformed("unexpected EOF");
      const auto byte = static_cast<unsigned char>(*p_++);
      v |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (varint_size(v) != static_cast<std::size_t>(p_ - start)) canonical_ = false;
    // The tenth byte may hold one bit only.
    if (p_ - start == 10 && static_cast<unsigned char>(p_[-1]) > 1) canonical_ = false;
    return v;
  }

  Result<ByteView> bytes() {
    TRUSS_ASSIGN(const std::uint64_t size, varint());
    if (size > static_cast<std::uint64_t>(INT64_MAX)) {
      return malformed("proto: negative length found during unmarshaling");
    }
    if (size > static_cast<std::uint64_t>(end_ - p_)) return malformed("unexpected EOF");
    const ByteView out(p_, size);
    p_ += size;
    return out;
  }

  Result<> one_field() {
    TRUSS_ASSIGN(const std::uint64_t tag, varint());
    const auto number = static_cast<std::int32_t>(tag >> 3);
    const auto wire = static_cast<unsigned>(tag & 7);
    if (wire == 4) {
      return malformed("proto: " + schema_.name_ + ": wiretype end group for non-group");
    }
    if (number <= 0) {
      return malformed("proto: " + schema_.name_ + ": illegal tag " + std::to_string(number) +
                       " (wire type " + std::to_string(tag) + ")");
    }
    if (tag >> 3 > 0x1fffffff) canonical_ = false;
    const Field* f = schema_.field(static_cast<std::uint32_t>(number));
    if (f == nullptr) {
      canonical_ = false;
      return skip(wire, 0);
    }
    note_order(number, *f);
    return value(*f, wire);
  }

  void note_order(std::int32_t number, const Field& f) {
    if (number < last_ || (number == last_ && !f.repeated)) canonical_ = false;
    last_ = number;
    if (f.oneof < 0) return;
    if (oneofs_ & (1u << f.oneof)) canonical_ = false;
    oneofs_ |= 1u << f.oneof;
  }

  Result<> value(const Field& f, unsigned wire) {
    if (f.wire == WireType::kVarint) {
      if (f.repeated && wire == 2) return packed(f);
      if (wire != 0) return wrong_wire(f, wire);
      if (f.repeated) canonical_ = false;  // the canonical form is packed
      TRUSS_ASSIGN(const std::uint64_t v, varint());
      return number(f, v), Result<>{};
    }
    if (wire != 2) return wrong_wire(f, wire);
    TRUSS_ASSIGN(const ByteView v, bytes());
    if (f.value == Value::kMessage) {
      TRUSS_ASSIGN(const bool child, f.child->scan(v, depth_ + 1));
      if (!child) canonical_ = false;
      return {};
    }
    if (v.empty() && !f.repeated && !f.presence) canonical_ = false;
    if (f.value == Value::kUtf8 && !valid_utf8(v)) {
      return malformed("string field contains invalid UTF-8");
    }
    return {};
  }

  void number(const Field& f, std::uint64_t v) {
    if (v == 0 && !f.presence && !f.repeated) canonical_ = false;
    if (f.value == Value::kBool && v > 1) canonical_ = false;
    if (f.value == Value::kUint32 && v > UINT32_MAX) canonical_ = false;
    if (f.value == Value::kInt32) {
      const auto narrow = static_cast<std::int32_t>(v);
      if (static_cast<std::uint64_t>(static_cast<std::int64_t>(narrow)) != v) canonical_ = false;
    }
  }

  Result<> packed(const Field& f) {
    TRUSS_ASSIGN(const ByteView run, bytes());
    if (run.empty()) canonical_ = false;
    const char* const after = p_;
    const char* const outer_end = end_;
    p_ = run.data();
    end_ = run.data() + run.size();
    // Two runs of one field would merge into one.
    if (packed_ == &f) canonical_ = false;
    packed_ = &f;
    while (p_ != end_) {
      TRUSS_ASSIGN(const std::uint64_t v, varint());
      number(f, v);
    }
    p_ = after;
    end_ = outer_end;
    return {};
  }

  Result<> skip(unsigned wire, int groups) {
    switch (wire) {
      case 0:
        return varint().map([](std::uint64_t) {});
      case 1:
        return skip_bytes(8);
      case 2:
        return bytes().map([](ByteView) {});
      case 3:
        return skip_group(groups + 1);
      case 5:
        return skip_bytes(4);
      default:
        return malformed("proto: illegal wireType " + std::to_string(wire));
    }
  }

  Result<> skip_bytes(std::ptrdiff_t n) {
    if (end_ - p_ < n) return malformed("unexpected EOF");
    p_ += n;
    return {};
  }

  Result<> skip_group(int groups) {
    if (groups > kMaxDepth) return malformed("proto: unexpected end of group");
    while (true) {
      TRUSS_ASSIGN(const std::uint64_t tag, varint());
      if ((tag & 7) == 4) return {};
      TRUSS_TRY(skip(static_cast<unsigned>(tag & 7), groups));
    }
  }

  Unexpected wrong_wire(const Field& f, unsigned wire) {
    return malformed("proto: wrong wireType = " + std::to_string(wire) + " for field " + f.go_name);
  }

  const WireSchema& schema_;
  const char* p_;
  const char* end_;
  int depth_;
  bool canonical_ = true;
  std::int32_t last_ = 0;
  std::uint32_t oneofs_ = 0;
  const Field* packed_ = nullptr;
};

Result<bool> WireSchema::scan(ByteView bytes, int depth) const {
  if (depth >= kMaxDepth) return malformed("proto: message nested too deeply");
  return Scan(*this, bytes, depth).run();
}

const WireSchema::Field* WireSchema::field(std::uint32_t number) const {
  if (number >= fields_.size() || !fields_[number].known) return nullptr;
  return &fields_[number];
}

WireSchema::Field WireSchemas::make_field(const FieldDescriptor& f) {
  using Value = WireSchema::Value;
  WireSchema::Field out;
  out.known = true;
  out.repeated = f.is_repeated();
  out.presence = f.has_presence();
  if (f.containing_oneof()) out.oneof = f.containing_oneof()->index();
  out.go_name = go_name(f.name());
  switch (f.type()) {
    case FieldDescriptor::TYPE_MESSAGE:
      out.value = Value::kMessage;
      out.child = &of(f.message_type());
      break;
    case FieldDescriptor::TYPE_STRING:
      out.value = Value::kUtf8;
      break;
    case FieldDescriptor::TYPE_BYTES:
      out.value = Value::kBytes;
      break;
    case FieldDescriptor::TYPE_BOOL:
      out.value = Value::kBool;
      break;
    case FieldDescriptor::TYPE_ENUM:
      out.value = Value::kInt32;
      break;
    case FieldDescriptor::TYPE_UINT32:
      out.value = Value::kUint32;
      break;
    default:
      out.value = Value::kInt;
      break;
  }
  const bool delimited =
      out.value == Value::kMessage || out.value == Value::kUtf8 || out.value == Value::kBytes;
  out.wire = delimited ? WireType::kBytes : WireType::kVarint;
  return out;
}

const WireSchema& WireSchemas::of(const Descriptor* type) {
  auto& slot = schemas_[type];
  if (slot) return *slot;
  slot = std::make_unique<WireSchema>();
  WireSchema& schema = *slot;  // entered before its fields: types may hold themselves
  schema.name_ = type->name();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor& f = *type->field(i);
    const auto number = static_cast<std::size_t>(f.number());
    if (schema.fields_.size() <= number) schema.fields_.resize(number + 1);
    schema.fields_[number] = make_field(f);
  }
  return schema;
}

}  // namespace truss::api
