#include "config_file.h"

#include <yaml-cpp/yaml.h>

namespace truss::member {
namespace {

Unexpected bad(const std::string& path, const std::string& why) {
  return fail(Code::kInvalidArgument, "config file " + path + ": " + why);
}

// A list as one comma-separated text, a scalar as it stands.
std::string text_of(const YAML::Node& node) {
  if (node.IsScalar()) return node.Scalar();
  std::string out;
  for (const auto& item : node) out += (out.empty() ? "" : ",") + item.Scalar();
  return out;
}

// Go fills a time.Duration from a number of nanoseconds.
Result<std::string> flag_text(const std::string& path, const Flag& flag, const YAML::Node& node) {
  const std::string key(flag.name);
  if (node.IsMap()) return bad(path, "key " + key + ": a map where a value is due");
  const bool list_type = flag.type == FlagType::kList || flag.type == FlagType::kUrls ||
                         flag.type == FlagType::kUrlsOrStar;
  if (node.IsSequence() && !list_type)
    return bad(path, "key " + key + ": a list where a value is due");
  std::string text = text_of(node);
  if (flag.type == FlagType::kDuration) text += "ns";
  if (auto fine = Settings::check(flag, text); !fine) {
    return bad(path,
               "key " + key + ": " + truss::quoted(text_of(node)) + ": " + fine.error().message);
  }
  return text;
}

Result<> set_flag(const std::string& path, const std::string& name, const YAML::Node& node,
                  Settings& settings) {
  const Flag* flag = find_flag(name);
  if (flag == nullptr || node.IsNull()) return {};
  TRUSS_ASSIGN(std::string text, flag_text(path, *flag, node));
  if (!text.empty()) settings.set(name, std::move(text));
  return {};
}

// `client-transport-security: {cert-file: x}` is --cert-file, in the peers' map --peer-cert-file.
Result<> set_nested(const std::string& path, const std::string& prefix, const YAML::Node& map,
                    Settings& settings) {
  if (!map.IsMap()) return {};
  for (const auto& entry : map) {
    const std::string key = entry.first.Scalar();
    std::string name = prefix + key;
    if (key == "allowed-cn") name = prefix + "cert-allowed-cn";
    if (key == "allowed-hostname")
      name = prefix + (prefix.empty() ? "client-" : "") + "cert-allowed-hostname";
    TRUSS_TRY(set_flag(path, name, entry.second, settings));
  }
  return {};
}

Result<> set_key(const std::string& path, const std::string& key, const YAML::Node& node,
                 Settings& settings) {
  if (key == "client-transport-security") return set_nested(path, "", node, settings);
  if (key == "peer-transport-security") return set_nested(path, "peer-", node, settings);
  if (key == "discovery-config") return set_nested(path, "discovery-", node, settings);
  return set_flag(path, key, node, settings);
}

}  // namespace

Result<> read_config_file(FileSystem& files, const std::string& path, Settings& settings) {
  auto bytes = read_file(files, path, 1u << 20);
  if (!bytes) return fail("config file", std::move(bytes).error());
  try {
    const YAML::Node root = YAML::Load(*bytes);
    if (root.IsNull()) return {};
    if (!root.IsMap()) return bad(path, "not a YAML map");
    for (const auto& entry : root) {
      TRUSS_TRY(set_key(path, entry.first.Scalar(), entry.second, settings));
    }
  } catch (const YAML::Exception& error) {
    return bad(path, error.what());
  }
  return {};
}

}  // namespace truss::member
