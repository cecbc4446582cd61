#include "random_message.h"

#include <google/protobuf/descriptor.h>

namespace truss::api {
namespace {

using google::protobuf::FieldDescriptor;

std::string random_bytes(Random& random, bool text) {
  std::string out;
  for (auto n = random.below(12); n > 0; --n) {
    out += text ? static_cast<char>(' ' + random.below(95)) : static_cast<char>(random.below(256));
  }
  return out;
}

std::uint64_t random_number(Random& random) { return random.next() >> random.below(64); }

void fill_field(google::protobuf::Message& m, const FieldDescriptor& f, Random& random, int depth) {
  const auto& r = *m.GetReflection();
  const auto bytes = [&] { return random_bytes(random, f.type() == FieldDescriptor::TYPE_STRING); };
  const auto enumerator = [&] {
    return f.enum_type()->value(
        static_cast<int>(random.below(static_cast<std::uint64_t>(f.enum_type()->value_count()))));
  };
  switch (f.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (depth == 0) return;
      return fill_randomly(f.is_repeated() ? *r.AddMessage(&m, &f) : *r.MutableMessage(&m, &f),
                           random, depth - 1);
    case FieldDescriptor::CPPTYPE_STRING:
      return f.is_repeated() ? r.AddString(&m, &f, bytes()) : r.SetString(&m, &f, bytes());
    case FieldDescriptor::CPPTYPE_ENUM:
      return f.is_repeated() ? r.AddEnum(&m, &f, enumerator()) : r.SetEnum(&m, &f, enumerator());
    case FieldDescriptor::CPPTYPE_BOOL:
      return r.SetBool(&m, &f, random.below(2) == 1);
    case FieldDescriptor::CPPTYPE_INT64:
      return r.SetInt64(&m, &f, static_cast<std::int64_t>(random_number(random)));
    case FieldDescriptor::CPPTYPE_UINT64:
      return r.SetUInt64(&m, &f, random_number(random));
    case FieldDescriptor::CPPTYPE_UINT32:
      return r.SetUInt32(&m, &f, static_cast<std::uint32_t>(random_number(random)));
    default:
      return;
  }
}

}  // namespace

void fill_randomly(google::protobuf::Message& message, Random& random, int depth) {
  const auto& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& f = *type.field(i);
    for (auto n = random.below(f.is_repeated() ? 4 : 2); n > 0; --n) {
      fill_field(message, f, random, depth);
    }
  }
}

}  // namespace truss::api
