#include "command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "config_file.h"
#include "go_args.h"
#include "help.h"

namespace truss::member {
namespace {

Exit usage_error(std::string line) { return {2, "", "member: " + std::move(line) + "\n"}; }
Exit refusal(std::string line) { return {1, "", "member: " + std::move(line) + "\n"}; }

FlagKind kind_of(std::string_view name) {
  if (is_legacy_flag(name)) return FlagKind::kValue;
  const Flag* flag = find_flag(name);
  if (flag == nullptr) return FlagKind::kUnknown;
  return flag->type == FlagType::kBool ? FlagKind::kBool : FlagKind::kValue;
}

std::string bad_value(const Flag& flag, std::string_view text, const std::string& why) {
  const std::string value = truss::quoted(text);
  if (flag.type == FlagType::kBool) {
    return "invalid boolean value " + value + " for -" + std::string(flag.name) + ": " + why;
  }
  return "invalid value " + value + " for flag -" + std::string(flag.name) + ": " + why;
}

// The options as CLI11 holds them: it takes the normalised words `--name=value`, last one wins.
class Options {
 public:
  Options() {
    app_.set_help_flag();
    for (const Flag& flag : all_flags()) {
      std::string& slot = values_[std::string(flag.name)];
      app_.add_option("--" + std::string(flag.name), slot, std::string(flag.help))->take_last();
    }
  }
  Result<> parse(const GoArgs& args) {
    std::vector<std::string> words;
    for (const auto& [name, value] : args.flags) {
      if (is_legacy_flag(name)) continue;
      if (value.empty()) {  // CLI11 takes an empty value as a word of its own only
        words.insert(words.end(), {"--" + name, ""});
      } else {
        words.push_back("--" + name + "=" + value);
      }
    }
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    try {
      app_.parse(std::move(words));
    } catch (const CLI::Error& error) {
      return fail(Code::kInvalidArgument, error.what());
    }
    return {};
  }
  bool given(const Flag& flag) const { return app_.count("--" + std::string(flag.name)) > 0; }
  const std::string& value(const Flag& flag) const { return values_.at(std::string(flag.name)); }

 private:
  CLI::App app_;
  std::map<std::string, std::string> values_;
};

// `ETCD_NAME` and its value; nullopt for other variables.
std::optional<std::pair<std::string, std::string>> etcd_variable(const std::string& line) {
  const auto equals = line.find('=');
  if (!line.starts_with("ETCD_") || equals == std::string::npos) return std::nullopt;
  return std::pair(line.substr(0, equals), line.substr(equals + 1));
}

const Flag* flag_of_variable(std::string_view variable) {
  const auto flags = all_flags();
  const auto it = std::find_if(flags.begin(), flags.end(), [&](const Flag& flag) {
    return variable_name(flag.name) == variable;
  });
  return it == flags.end() ? nullptr : &*it;
}

std::optional<Exit> add_variables(Settings& settings, const std::vector<std::string>& environment) {
  for (const std::string& line : environment) {
    const auto variable = etcd_variable(line);
    if (!variable) continue;
    const auto& [name, value] = *variable;
    const Flag* flag = flag_of_variable(name);
    if (flag == nullptr || flag->name == "version") {
      settings.warnings.push_back(
          {"unrecognized environment variable", "environment-variable", line});
      continue;
    }
    if (settings.given(flag->name)) {
      return refusal("conflicting environment variable \"" + name +
                     "\" is shadowed by corresponding command-line flag (either unset environment "
                     "variable or disable flag)");
    }
    if (value.empty()) continue;
    if (auto fine = Settings::check(*flag, value); !fine) {
      return refusal("invalid value " + truss::quoted(value) + " for " + name + ": " +
                     fine.error().message);
    }
    settings.set(flag->name, value);
  }
  return std::nullopt;
}

std::optional<std::string> config_file_of(const Settings& settings,
                                          const std::vector<std::string>& environment) {
  if (settings.given("config-file")) return settings.text("config-file");
  for (const std::string& line : environment) {
    if (line.starts_with("ETCD_CONFIG_FILE=")) return line.substr(line.find('=') + 1);
  }
  return std::nullopt;
}

// A flag that the release named by --compat doesn't know is as unknown as any other.
std::optional<Exit> check_release(const Settings& settings) {
  const auto level = server::parse_compat_level(settings.text("compat"));
  if (!level) return std::nullopt;
  for (const auto& [name, value] : settings.all()) {
    const Flag* flag = find_flag(name);
    if (*level < flag->first || *level > flag->last) {
      return usage_error("flag provided but not defined: -" + name + " (not a flag of etcd " +
                         std::string(server::level_name(*level)) + ")");
    }
  }
  return std::nullopt;
}

}  // namespace

std::variant<Settings, Exit> read_settings(const std::vector<std::string>& words,
                                           const std::vector<std::string>& environment,
                                           FileSystem& files) {
  const auto args = read_go_args(words, kind_of);
  if (!args) return usage_error(args.error().message);
  if (args->help) return Exit{0, usage(), ""};
  Settings settings;
  Options options;
  for (const auto& [name, value] : args->flags) {
    if (is_legacy_flag(name)) {
      settings.warnings.push_back({"ignored a flag of the past", "flag", name});
      continue;
    }
    const Flag& flag = *find_flag(name);
    if (auto fine = Settings::check(flag, value); !fine) {
      return usage_error(bad_value(flag, value, fine.error().message));
    }
  }
  if (auto parsed = options.parse(*args); !parsed) return usage_error(parsed.error().message);
  for (const Flag& flag : all_flags()) {
    if (options.given(flag)) settings.set(flag.name, options.value(flag));
  }
  if (!args->rest.empty()) return refusal("'" + args->rest.front() + "' is not a valid flag");
  if (settings.flag("version")) {
    const auto level = server::parse_compat_level(settings.text("compat"));
    return Exit{0, version_text(level.value_or(server::kDefaultLevel)), ""};
  }
  if (const auto file = config_file_of(settings, environment)) {
    Settings from_file;
    if (auto read = read_config_file(files, *file, from_file); !read) {
      return refusal(read.error().message);
    }
    return from_file;
  }
  if (auto exit = check_release(settings)) return *std::move(exit);
  if (auto exit = add_variables(settings, environment)) return *std::move(exit);
  return settings;
}

std::string version_text(server::CompatLevel level) {
  return "etcd Version: " + std::string(server::server_version(level)) +
         "\nGit SHA: truss " TRUSS_VERSION
         "\nGo Version: none (C++20)\nGo OS/Arch: linux/" TRUSS_ARCH "\n";
}

}  // namespace truss::member
