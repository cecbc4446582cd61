#include "truss/tool/command.h"

#include <algorithm>

namespace truss::tool {
namespace {

std::string part_of(const std::string& names, bool want_long) {
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t end = std::min(names.find(',', at), names.size());
    const std::string name = names.substr(at, end - at);
    if (name.starts_with("--") == want_long) return name.substr(want_long ? 2 : 1);
    at = end + 1;
  }
  return {};
}

std::string number_text(auto value) { return value == 0 ? "" : std::to_string(value); }

struct DefaultText {
  std::string operator()(const std::string* to) const { return *to; }
  std::string operator()(const std::uint64_t* to) const { return number_text(*to); }
  std::string operator()(const std::int64_t* to) const { return number_text(*to); }
  std::string operator()(const double* to) const {
    if (*to == 0) return {};
    std::string text = std::to_string(*to);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
  }
  std::string operator()(const auto*) const { return {}; }
};

}  // namespace

std::string Option::long_name() const { return part_of(names, true); }
std::string Option::short_name() const { return part_of(names, false); }

Command::Command(std::string name, std::string summary)
    : name_(std::move(name)), summary_(std::move(summary)) {}

Command& Command::describe(std::string text) {
  paragraphs_.push_back(std::move(text));
  return *this;
}

Command& Command::argument(std::string name, std::string help, std::string* to, Hint hint) {
  arguments_.push_back({std::move(name), std::move(help), to, 1, hint});
  return *this;
}

Command& Command::optional_argument(std::string name, std::string help, std::string* to,
                                    Hint hint) {
  arguments_.push_back({std::move(name), std::move(help), to, 0, hint});
  return *this;
}

Command& Command::arguments(std::string name, std::string help, std::vector<std::string>* to,
                            std::size_t at_least, Hint hint) {
  arguments_.push_back({std::move(name), std::move(help), to, at_least, hint});
  return *this;
}

Command& Command::flag(std::string names, std::string help, bool* to) {
  options_.push_back(
      {std::move(names), "", std::move(help), to, {}, Hint::kNone, *to ? "true" : ""});
  return *this;
}

Command& Command::option(std::string names, std::string value_name, std::string help, Target to,
                         Hint hint) {
  options_.push_back({std::move(names),
                      std::move(value_name),
                      std::move(help),
                      to,
                      {},
                      hint,
                      std::visit(DefaultText(), to)});
  return *this;
}

Command& Command::choice(std::string names, std::string value_name, std::string help,
                         std::string* to, std::vector<std::string> words) {
  options_.push_back({std::move(names), std::move(value_name), std::move(help), Target(to),
                      std::move(words), Hint::kNone, *to});
  return *this;
}

Command& Command::parsed(std::string names, std::string value_name, std::string help,
                         std::function<Result<>(const std::string&)> parse,
                         std::string default_text) {
  options_.push_back({std::move(names),
                      std::move(value_name),
                      std::move(help),
                      std::move(parse),
                      {},
                      Hint::kNone,
                      std::move(default_text)});
  return *this;
}

Command& Command::example(std::string what, std::string command) {
  examples_.push_back({std::move(what), std::move(command)});
  return *this;
}

Command& Command::command(std::string name, std::string summary) {
  commands_.push_back(std::make_unique<Command>(std::move(name), std::move(summary)));
  return *commands_.back();
}

Command& Command::run(std::function<int(Console&)> body) {
  body_ = std::move(body);
  return *this;
}

Command& Command::exit_code(int code, std::string meaning) {
  exit_codes_.emplace_back(code, std::move(meaning));
  return *this;
}

}  // namespace truss::tool
