#include "datadriven.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace truss::conformance {

namespace {

std::string_view trimmed(std::string_view s) {
  const auto first = s.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t\r\n") - first + 1);
}

class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  std::size_t number() const { return number_; }

  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    ++number_;
    const auto end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
  std::string_view peek() const { return rest_.substr(0, rest_.find('\n')); }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

Unexpected bad(std::size_t line, std::string what) {
  return fail(Code::kInvalidArgument, "line " + std::to_string(line) + ": " + std::move(what));
}

/// Splits at commas outside of parentheses; spaces around values are dropped.
std::vector<std::string> split_values(std::string_view text) {
  std::vector<std::string> out;
  std::size_t depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '(') ++depth;
    if (i < text.size() && text[i] == ')') --depth;
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      out.emplace_back(trimmed(text.substr(start, i - start)));
      start = i + 1;
    }
  }
  if (out.size() == 1 && out.front().empty()) out.clear();
  return out;
}

/// Words at spaces outside of parentheses. Fails on a parenthesis left open.
std::optional<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  int depth = 0;
  for (char c : text) {
    if (c == '(') ++depth;
    if (c == ')' && --depth < 0) return std::nullopt;
    if (c == ' ' && depth == 0) {
      if (!word.empty()) out.push_back(std::exchange(word, {}));
    } else {
      word += c;
    }
  }
  if (!word.empty()) out.push_back(word);
  if (depth != 0) return std::nullopt;
  return out;
}

Arg parse_arg(const std::string& word) {
  const auto equals = word.find('=');
  if (equals == std::string::npos) return {word, {}};
  std::string_view value = std::string_view(word).substr(equals + 1);
  if (value.starts_with('(') && value.ends_with(')')) {
    return {word.substr(0, equals), split_values(value.substr(1, value.size() - 2))};
  }
  return {word.substr(0, equals), {std::string(value)}};
}

/// The directive that starts with `first`, continuation lines joined.
std::string directive(std::string_view first, Lines& lines) {
  std::string out(trimmed(first));
  while (out.ends_with('\\')) {
    out.pop_back();
    const auto more = lines.next();
    if (!more) break;
    out += trimmed(*more);
  }
  return out;
}

Result<> read_input(Lines& lines, Case& c) {
  while (const auto line = lines.next()) {
    if (*line == "----") {
      c.input = trimmed(c.input);
      return {};
    }
    c.input += std::string(*line) + "\n";
  }
  return bad(c.line, "a command without ----");
}

Result<> read_expected(Lines& lines, Case& c) {
  const bool fenced = lines.peek() == "----";
  if (fenced) lines.next();
  while (const auto line = lines.next()) {
    if (fenced && *line == "----" && lines.peek() == "----") {
      lines.next();
      return {};
    }
    if (!fenced && trimmed(*line).empty()) return {};
    c.expected += std::string(*line) + "\n";
  }
  if (fenced) return bad(c.line, "an expected answer without its closing ---- lines");
  return {};
}

bool is_log_line(std::string_view line) {
  line = trimmed(line);
  for (std::string_view word : {"DEBUG ", "INFO ", "WARN ", "ERROR "}) {
    if (line.starts_with(word) || line == word.substr(0, word.size() - 1)) return true;
  }
  return false;
}

std::string without_log_lines(const std::string& text) {
  std::string out;
  Lines lines(text);
  while (const auto line = lines.next()) {
    if (!is_log_line(*line)) out += std::string(*line) + "\n";
  }
  return out.empty() ? "ok\n" : out;
}

bool needs_fence(const std::string& answer) {
  return answer.starts_with("\n") || answer.find("\n\n") != std::string::npos;
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::size_t fence_lines(const std::string& answer) { return needs_fence(answer) ? 3 : 0; }

/// The text with other answers in the places of those it has.
std::string with_answers(std::string_view text, const std::vector<Case>& cases,
                         const std::map<std::size_t, std::string>& answers) {
  std::string out;
  Lines lines(text);
  for (const Case& c : cases) {
    while (lines.number() + 1 < c.answer_line) out += std::string(*lines.next()) + "\n";
    while (lines.number() + 1 < c.end_line) lines.next();
    const std::string& answer = answers.at(c.line);
    const bool fenced = needs_fence(answer);
    out += (fenced ? "----\n" : "") + answer + (fenced ? "----\n----\n" : "");
  }
  while (const auto line = lines.next()) out += std::string(*line) + "\n";
  return out;
}

/// `line 12: want "x", got "y"` at the first line that differs.
std::string difference(const Case& c, const std::string& want, const std::string& got) {
  Lines a(want);
  Lines b(got);
  for (;;) {
    const auto w = a.next();
    const auto g = b.next();
    if (w && g && *w == *g) continue;
    const auto shown = [](const std::optional<std::string_view>& line) {
      return line ? "\"" + std::string(*line) + "\"" : std::string("end of output");
    };
    return "line " + std::to_string(c.line) + " (" + c.command + "), output line " +
           std::to_string(a.number() + (w ? 0 : 1)) + ": want " + shown(w) + ", got " + shown(g);
  }
}

}  // namespace

const Arg* Case::find(std::string_view key) const {
  for (const Arg& arg : args) {
    if (arg.key == key) return &arg;
  }
  return nullptr;
}

std::string Case::value(std::string_view key, std::string_view fallback) const {
  const Arg* arg = find(key);
  return arg != nullptr && arg->values.size() == 1 ? arg->values.front() : std::string(fallback);
}

Result<std::vector<Case>> parse(std::string_view text) {
  std::vector<Case> out;
  Lines lines(text);
  while (const auto line = lines.next()) {
    if (trimmed(*line).empty() || trimmed(*line).starts_with('#')) continue;
    Case c;
    c.line = lines.number();
    const auto words = split_words(directive(*line, lines));
    if (!words || words->empty()) return bad(c.line, "a malformed command");
    c.command = words->front();
    for (std::size_t i = 1; i < words->size(); ++i) c.args.push_back(parse_arg((*words)[i]));
    TRUSS_TRY(read_input(lines, c));
    c.answer_line = lines.number() + 1;
    TRUSS_TRY(read_expected(lines, c));
    c.end_line = c.answer_line + lines_of(c.expected) + fence_lines(c.expected);
    out.push_back(std::move(c));
  }
  return out;
}

Result<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(Code::kInvalidArgument, "not a number: " + std::string(text));
  }
  return out;
}

Result<bool> parse_bool(std::string_view text) {
  if (text == "true" || text == "1" || text == "t") return true;
  if (text == "false" || text == "0" || text == "f") return false;
  return fail(Code::kInvalidArgument, "not a boolean: " + std::string(text));
}

Outcome run(std::string_view text, bool skip_log_lines, const Handler& handler,
            std::string* rewritten) {
  Outcome out;
  const Result<std::vector<Case>> cases = parse(text);
  if (!cases) {
    out.difference = cases.error().message;
    return out;
  }
  std::map<std::size_t, std::string> answers;  // by the line of the command
  for (const Case& c : *cases) {
    ++out.cases;
    Result<std::string> got = handler(c);
    if (!got) {
      out.difference = "line " + std::to_string(c.line) + ": " + got.error().message;
      return out;
    }
    if (!got->empty() && !got->ends_with('\n')) *got += '\n';
    const std::string want = skip_log_lines ? without_log_lines(c.expected) : c.expected;
    if (skip_log_lines) *got = without_log_lines(*got);
    if (rewritten != nullptr) answers[c.line] = *got;
    if (*got == want || rewritten != nullptr) continue;
    out.difference = difference(c, want, *got);
    return out;
  }
  if (rewritten != nullptr) *rewritten = with_answers(text, *cases, answers);
  return out;
}

}  // namespace truss::conformance
