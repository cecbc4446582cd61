#include "help.h"

#include "flag_table.h"

namespace truss::member {
namespace {

struct Example {
  std::string_view what;
  std::string_view command;
};
constexpr Example kExamples[] = {
    {"A cluster of one, on localhost:2379, with its data in a folder:",
     "member --data-dir /var/lib/truss"},
    {"In place of etcd 3.4, on the directory that it left:",
     "member --data-dir /var/lib/etcd/default --compat 3.4"},
    {"Reached from other machines:",
     "member --listen-client-urls http://10.0.0.1:2379 --advertise-client-urls "
     "http://10.0.0.1:2379"},
    {"Keep an hour of history, and at most 8 GiB:",
     "member --auto-compaction-retention 1 --quota-backend-bytes 8589934592"},
    {"By variables, as in a container:", "ETCD_NAME=s1 ETCD_DATA_DIR=/data member"},
};

// What the words `[flag] TYPE` call the value.
std::string_view value_name(FlagType type) {
  switch (type) {
    case FlagType::kBool:
      return "bool";
    case FlagType::kInt:
    case FlagType::kUint:
      return "number";
    case FlagType::kDuration:
      return "duration";
    case FlagType::kUrls:
    case FlagType::kUrlsOrStar:
      return "urls";
    case FlagType::kList:
      return "list";
    default:
      return "text";
  }
}

std::string remarks(const Flag& flag) {
  std::string out;
  if (const std::string releases = releases_of(flag); !releases.empty()) {
    out += " (etcd " + releases + ")";
  }
  if (flag.use == FlagUse::kRefused) out += " (not supported yet)";
  if (flag.use == FlagUse::kWarned) out += " (accepted, no effect yet)";
  return out;
}

// Text for troff: `\` and `-` escaped, no line that starts with a control character.
std::string roff(std::string_view text) {
  std::string out = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

void append_flag(std::string& out, const Flag& flag) {
  out += ".TP\n\\fB\\-\\-" + roff(flag.name) + "\\fR \\fI" + std::string(value_name(flag.type)) +
         "\\fR";
  if (!flag.default_value.empty()) out += " (default \\fB" + roff(flag.default_value) + "\\fR)";
  out += "\n" + roff(flag.help) + roff(remarks(flag)) + "\n";
}

constexpr std::string_view kManHead = R"(.\" Made from the flag table; see docs/testing.md.
.TH MEMBER 1 "" "Truss" "User Commands"
.SH NAME
member \- a member of an etcd cluster
.SH SYNOPSIS
.B member
[\fIflags\fR]
.br
.B member \-\-config\-file
.I FILE
.br
.B member \-\-version
.br
.B member \-\-help
.SH DESCRIPTION
.B member
serves etcd's v3 API on etcd's data directory.
It takes etcd's flags, its variables and the keys of its config file, by Go's rules:
.BR "\-name x" ", " "\-\-name=x" " and " "\-\-name x"
are the same, and a flag that is on or off takes its value only after an equals sign
.RB ( \-\-pre\-vote=false ).
Every flag may be given as a variable,
.B ETCD_DATA_DIR
for
.BR \-\-data\-dir ;
a flag and its variable together are refused.
With
.B \-\-config\-file
all other flags and variables are ignored.
.PP
It logs JSON lines to standard error.
A data directory that is locked, damaged, newer or needs what it can't honour yet is refused with one
line and left as it is.
.SH OPTIONS
)";

constexpr std::string_view kManTail = R"(.SH FILES
.TP
.I DATA_DIR/member/wal
The write\-ahead log.
.TP
.I DATA_DIR/member/snap
The database
.RI ( db )
and the snapshots of the log.
.SH EXIT STATUS
.TP
.B 0
.BR \-\-help " or " \-\-version .
.TP
.B 1
A value that can't be, a refused data directory, or a failed write or sync.
.TP
.B 2
An unknown flag, or a value that is malformed.
.PP
Stopped by SIGINT or SIGTERM it ends by that signal.
)";

}  // namespace

std::string variable_name(std::string_view flag) {
  std::string out = "ETCD_";
  for (const char c : flag) {
    out += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

std::string usage() {
  std::string out =
      "Usage:\n\n  member [flags]\n    Start a member of an etcd cluster.\n\n"
      "  member --version\n    Show the version.\n\n  member -h | --help\n    Show this text.\n\n"
      "  member --config-file\n    Path of a configuration file; other flags and variables are "
      "then ignored.\n\nEach flag may also be given as a variable: ETCD_DATA_DIR for "
      "--data-dir.\n";
  for (const FlagGroup& group : flag_groups()) {
    out += "\n" + std::string(group.title) + ":\n";
    for (const Flag& flag : group.flags) {
      out += "  --" + std::string(flag.name) + " '" + std::string(flag.default_value) + "'\n    " +
             std::string(flag.help) + remarks(flag) + "\n";
    }
  }
  out += "\nEXAMPLES\n";
  for (const Example& example : kExamples) {
    out += "  " + std::string(example.what) + "\n    " + std::string(example.command) + "\n";
  }
  return out;
}

std::string man_page() {
  std::string out(kManHead);
  for (const FlagGroup& group : flag_groups()) {
    out += ".SS " + roff(group.title) + "\n";
    for (const Flag& flag : group.flags) append_flag(out, flag);
  }
  out += kManTail;
  out += ".SH EXAMPLES\n";
  for (const Example& example : kExamples) {
    out +=
        ".PP\n" + roff(example.what) + "\n.PP\n.nf\n.RS\n" + roff(example.command) + "\n.RE\n.fi\n";
  }
  return out + ".SH SEE ALSO\n.BR etcdctl (1)\n";
}

}  // namespace truss::member
