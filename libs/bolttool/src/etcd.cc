#include "etcd.h"

#include <charconv>
#include <cinttypes>
#include <cstdio>

#include "truss/common/coding.h"
#include "truss/common/text.h"
#include "truss/schema/buckets.h"
#include "truss/schema/key_value.h"
#include "truss/schema/records.h"
#include "truss/schema/revision.h"

namespace truss::bolttool {
namespace {

std::string hex16(std::uint64_t n) {
  char text[17];
  std::snprintf(text, sizeof text, "%016" PRIx64, n);
  return text;
}

std::string revision_text(const schema::DecodedRevision& r) {
  return std::to_string(r.revision.main) + "_" + std::to_string(r.revision.sub) +
         (r.tombstone ? "t" : "");
}

struct Revised {
  schema::DecodedRevision revision;
  schema::KeyValueView kv;
};

std::optional<Revised> key_record(const bolt::KeyValue& kv) {
  auto revision = schema::decode_revision(kv.key);
  auto value = schema::decode_key_value(kv.value);
  if (!revision || !value) return std::nullopt;
  return Revised{*revision, *value};
}

bool is_number_key(ByteView key) {
  return key == schema::kConsistentIndexKey || key == schema::kTermKey ||
         key == schema::kAuthRevisionKey;
}

bool is_revision_key(ByteView key) {
  return key == schema::kScheduledCompactKey || key == schema::kFinishedCompactKey;
}

/// Values of the small buckets, as text; nullopt if unknown.
std::optional<std::string> small_value(ByteView bucket, const bolt::KeyValue& kv) {
  if ((bucket == "meta" || bucket == "auth") && is_number_key(kv.key)) {
    if (const auto n = schema::decode_u64(kv.value)) return std::to_string(*n);
  }
  if (bucket == "meta" && is_revision_key(kv.key)) {
    if (const auto r = schema::decode_revision(kv.value)) return std::to_string(r->revision.main);
  }
  if (bucket == "auth" && kv.key == schema::kAuthEnabledKey && kv.value.size() == 1) {
    return kv.value[0] == 1 ? "true" : "false";
  }
  if (bucket == "lease") {
    if (const auto l = schema::decode_lease(kv.value)) {
      return "TTL " + std::to_string(l->ttl) + " s" +
             (l->remaining_ttl == 0 ? ""
                                    : ", remaining " + std::to_string(l->remaining_ttl) + " s");
    }
  }
  return std::nullopt;
}

std::optional<std::string> small_key(ByteView bucket, const bolt::KeyValue& kv) {
  if (bucket == "lease" && kv.key.size() == 8) return hex16(load_be64(kv.key.data()));
  if (bucket == "alarm") {
    if (const auto a = schema::decode_alarm(kv.key)) {
      const char* type = a->type == schema::AlarmType::kNoSpace   ? "NOSPACE"
                         : a->type == schema::AlarmType::kCorrupt ? "CORRUPT"
                                                                  : "NONE";
      return std::string(type) + " on member " + hex16(a->member_id);
    }
  }
  return std::nullopt;
}

std::string record_text(const Revised& r) {
  const schema::KeyValueView& kv = r.kv;
  if (r.revision.tombstone) return "deleted " + quoted(kv.key);
  std::string out = quoted(kv.key) + " = " + quoted(kv.value) + " (created " +
                    std::to_string(kv.create_revision) + ", modified " +
                    std::to_string(kv.mod_revision) + ", version " + std::to_string(kv.version);
  if (kv.lease != 0) out += ", lease " + hex16(static_cast<std::uint64_t>(kv.lease));
  return out + ")";
}

Result<std::string> unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    const auto digit = [&](std::size_t at) {
      return at < text.size() ? hex_digit_value(text[at]) : -1;
    };
    if (next == 'x' && digit(i + 2) >= 0 && digit(i + 3) >= 0) {
      out += static_cast<char>(digit(i + 2) * 16 + digit(i + 3));
      i += 3;
    } else if (next == '\\' || next == '"') {
      out += next;
      ++i;
    } else if (next == 'n' || next == 't' || next == 'r') {
      out += next == 'n' ? '\n' : next == 't' ? '\t' : '\r';
      ++i;
    } else {
      return fail(Code::kInvalidArgument,
                  "key " + quoted(text) + ": unknown escape at character " + std::to_string(i + 1));
    }
  }
  return out;
}

Result<std::string> from_hex(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = hex_digit_value(text[i]), low = hex_digit_value(text[i + 1]);
    if (high < 0 || low < 0) break;
    out += static_cast<char>(high * 16 + low);
  }
  if (out.size() * 2 == text.size()) return out;
  return fail(Code::kInvalidArgument, "key " + quoted(text) + " is not pairs of hex digits");
}

std::optional<std::string> parse_revision(const std::string& text) {
  schema::Revision revision;
  const char* end = text.data() + text.size();
  auto [at, bad] = std::from_chars(text.data(), end, revision.main);
  if (bad != std::errc{} || revision.main < 0) return std::nullopt;
  if (at != end && *at == '_') {
    const auto sub = std::from_chars(at + 1, end, revision.sub);
    if (sub.ec != std::errc{} || revision.sub < 0) return std::nullopt;
    at = sub.ptr;
  }
  const bool tombstone = at != end && *at == 't';
  if (tombstone) ++at;
  if (at != end) return std::nullopt;
  return std::string(schema::RevisionKey(revision, tombstone).view());
}

}  // namespace

PairText pair_text(const std::vector<ByteView>& buckets, const bolt::KeyValue& kv) {
  PairText out{tool::printable(kv.key), kv.is_bucket ? "(bucket)" : tool::printable(kv.value)};
  if (buckets.size() != 1 || kv.is_bucket) return out;
  if (buckets[0] == "key") {
    if (const auto record = key_record(kv)) {
      out = {revision_text(record->revision), record_text(*record)};
    }
    return out;
  }
  if (auto key = small_key(buckets[0], kv)) out.key = *std::move(key);
  if (auto value = small_value(buckets[0], kv)) out.value = *std::move(value);
  return out;
}

void write_decoded(tool::JsonWriter& json, const std::vector<ByteView>& buckets,
                   const bolt::KeyValue& kv) {
  if (buckets.size() != 1 || kv.is_bucket) return;
  if (buckets[0] == "key") {
    const auto record = key_record(kv);
    if (!record) return;
    json.field("revision", record->revision.revision.main)
        .field("sub", record->revision.revision.sub)
        .field("tombstone", record->revision.tombstone);
    json.key("keyValue").begin_object();
    json.bytes("key", record->kv.key);
    if (!record->revision.tombstone) {
      json.field("createRevision", record->kv.create_revision)
          .field("modRevision", record->kv.mod_revision)
          .field("version", record->kv.version)
          .bytes("value", record->kv.value)
          .field("lease", record->kv.lease);
    }
    json.end_object();
    return;
  }
  if (const auto key = small_key(buckets[0], kv)) json.field("decodedKey", *key);
  if (const auto value = small_value(buckets[0], kv)) json.field("decodedValue", *value);
}

Result<std::string> parse_key(const std::vector<ByteView>& buckets, const std::string& text,
                              bool hex) {
  if (hex) return from_hex(text);
  if (buckets.size() == 1 && buckets[0] == "key") {
    if (auto revision = parse_revision(text)) return *std::move(revision);
  }
  if (buckets.size() == 1 && buckets[0] == "lease") {
    std::uint64_t id = 0;
    const auto [at, bad] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
    if (bad == std::errc{} && at == text.data() + text.size()) {
      return schema::lease_key(static_cast<std::int64_t>(id));
    }
  }
  return unescape(text);
}

}  // namespace truss::bolttool
