#include "commands.h"

#include "durations.h"

namespace truss::peerbench {
namespace {

using tool::Command;
using tool::Hint;

std::string duration_text(Duration d) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
}
std::string size_text(std::uint64_t bytes) {
  return bytes % (1u << 30) == 0 ? std::to_string(bytes >> 30) + "GiB"
                                 : std::to_string(bytes >> 20) + "MiB";
}

void add_duration(Command& command, const std::string& names, const std::string& help,
                  Duration* to) {
  command.parsed(
      names, "TIME", help,
      [to](const std::string& text) -> Result<> {
        TRUSS_ASSIGN(*to, parse_duration(text));
        return {};
      },
      duration_text(*to));
}

void add_bytes(Command& command, const std::string& names, const std::string& help,
               std::uint64_t* to) {
  command.parsed(
      names, "SIZE", help,
      [to](const std::string& text) -> Result<> {
        TRUSS_ASSIGN(*to, parse_bytes(text));
        return {};
      },
      *to == 0 ? "" : size_text(*to));
}

void add_rate(Command& command, const std::string& names, const std::string& help, double* to,
              const std::string& default_text) {
  command.parsed(
      names, "NUMBER", help,
      [to](const std::string& text) -> Result<> {
        TRUSS_ASSIGN(*to, parse_rate(text));
        return {};
      },
      default_text);
}

void add_count(Command& command, const std::string& names, const std::string& value_name,
               const std::string& help, std::uint64_t* to, Bounds bounds) {
  command.parsed(
      names, value_name, help,
      [to, bounds](const std::string& text) -> Result<> {
        TRUSS_ASSIGN(*to, parse_count(text, bounds));
        return {};
      },
      std::to_string(*to));
}

/// Whom to drive.
void add_rig(Command& command, Settings& s) {
  command.flag("--self", "a sink of our own on loopback, which touches no data (the default)",
               &s.self);
  command.option("--against", "PROGRAM",
                 "start this server (etcd, or our member) as a throwaway member in a temporary "
                 "directory, whose only other voter is peerbench",
                 &s.rig.program, Hint::kFile);
  command.option("--temp-dir", "DIR", "where that directory is made (default: $TMPDIR or /tmp)",
                 &s.rig.temp_dir, Hint::kFolder);
  command.flag("--keep", "leave that directory behind", &s.rig.keep);
  add_bytes(command, "--snapshot-rate", "send snapshots no quicker than this a second",
            &s.rig.snapshot_bytes_per_second);
}

void add_channels(Command& root, Settings& s, Runtime& runtime, const std::string& line) {
  Command& command = root.command("channels", "measure the four channels between members");
  command
      .describe(
          "Drives the message stream, the msgapp stream, the pipeline and the snapshot channel one "
          "after the other: rates, queue wait, drops, head-of-line time, and latencies from the "
          "moment a message was due (no coordinated omission), with the naive closed-loop figure "
          "of the same answers beside them.")
      .describe(
          "Streams are long-lived, dialled by the receiver, and carry everything small; the "
          "pipeline is short POSTs, used only while no stream is attached; every database snapshot "
          "has a POST of its own.")
      .describe(
          "With --target only what can't disturb a live member is done (probing, version, members, "
          "metrics, connection set-up), and the channels that were not driven are named.");
  add_rig(command, s);
  command.parsed("--target", "URL", "a live member's peer or client URL; harmless requests only",
                 [&s](const std::string& text) -> Result<> {
                   TRUSS_ASSIGN(s.target.url, parse_url(text));
                   return {};
                 });
  add_rate(command, "--rate",
           "messages a second on each stream; a tenth of it through the pipeline; at most 50 "
           "with --target",
           &s.channels.per_second, "1000");
  add_duration(command, "--duration", "measured time of each channel", &s.channels.duration);
  add_duration(command, "--warm-up", "driven before that, and not counted", &s.channels.warm_up);
  add_duration(command, "--saturation", "how long each channel is tried for the most it takes",
               &s.channels.saturation);
  add_count(command, "--append-bytes", "BYTES", "payload of an append's entry",
            &s.channels.append_bytes, {0, 1u << 20});
  add_bytes(command, "--snapshot-size", "of one snapshot", &s.channels.snapshot_bytes);
  add_count(command, "--snapshots", "NUMBER", "how many", &s.channels.snapshots, {1, 100'000});
  command.flag("--limits",
               "measure instead what the tool itself can do: its codec on one processor, its "
               "snapshot channel beside a plain copy over loopback",
               &s.measure_limits);
  command.example("Our own channels on this machine:", "peerbench channels");
  command.example("Real etcd's, as JSON to compare later:",
                  "peerbench channels --against etcd -o json >etcd.json");
  command.example("A live member, without disturbing it:",
                  "peerbench channels --target http://10.0.0.1:2380");
  command.run([&s, &runtime, line](tool::Console& console) {
    return run_channels(s, runtime, console, line);
  });
}

void add_heartbeat(Command& root, Settings& s, Runtime& runtime, const std::string& line) {
  Command& command =
      root.command("heartbeat", "see whether heartbeats feel a snapshot that is being sent");
  command
      .describe(
          "Measures the gaps between heartbeats on the message stream while snapshots go through "
          "their own channel, without one, and, for contrast, with both on one connection. The "
          "transfer is repeated until enough gaps were seen.")
      .describe(
          "Verdicts: unaffected, delayed (99.9 % of the gaps exceed two intervals), at risk (a gap "
          "reached the election time-out; exit code 1), unknown (interrupted before enough gaps "
          "were seen).");
  add_rig(command, s);
  add_bytes(command, "--during-snapshot", "size of the snapshot", &s.heartbeat.snapshot_bytes);
  add_duration(command, "--interval", "between two heartbeats", &s.heartbeat.interval);
  add_count(command, "--gaps", "NUMBER", "how many gaps to see at least", &s.heartbeat.least_gaps,
            {20, 10'000'000});
  add_duration(command, "--election-timeout", "a gap of this length is an outage",
               &s.heartbeat.election_timeout);
  command.flag("--no-contrast", "leave out the test with both on one connection", &s.no_contrast);
  command.option("--plot", "FILE", "draw the distributions into this SVG file", &s.plot,
                 Hint::kFile);
  command.example("Real etcd while it takes in 1 GiB, with a picture:",
                  "peerbench heartbeat --against etcd --during-snapshot 1GiB --plot gaps.svg");
  command.exit_code(1, "the verdict is `at risk`");
  command.run([&s, &runtime, line](tool::Console& console) {
    return run_heartbeat(s, runtime, console, line);
  });
}

void add_mix(Command& root, Settings& s, Runtime& runtime, const std::string& line) {
  Command& command = root.command("mix", "drive all channels at once, with sizes from a profile");
  command
      .describe(
          "An open loop: messages leave when they are due, whatever became of the ones before. A "
          "profile is a JSON object; `recorded` takes the sizes from the entries of a WAL, which "
          "is only "
          "read and may be in use.")
      .describe(
          "A profile: {\"heartbeats_per_second\": 10, \"appends_per_second\": 1000, "
          "\"posts_per_second\": 0, "
          "\"append_sizes\": [{\"bytes\": 256, \"weight\": 9}, {\"bytes\": 65536, \"weight\": "
          "1}]}.")
      .describe("The report says whether the run was steady, or still warming up.");
  add_rig(command, s);
  command.option("--profile", "FILE|recorded", "the profile (default: 256 bytes, 1000 a second)",
                 &s.profile, Hint::kFile);
  command.option("--data-dir", "DIR", "with `recorded`: a data, member or wal directory",
                 &s.wal_dir, Hint::kFolder);
  add_rate(command, "--rate", "appends a second (default: the profile's)", &s.mix.rate, "");
  add_duration(command, "--duration", "measured time", &s.mix.duration);
  add_duration(command, "--warm-up", "driven before that, and not counted", &s.mix.warm_up);
  command.option("--seed", "NUMBER", "of arrivals and sizes", &s.mix.seed);
  command.example("The sizes of a member's own log, against real etcd:",
                  "peerbench mix --profile recorded --data-dir /var/lib/etcd/default --rate 2000 "
                  "--against etcd");
  command.run(
      [&s, &runtime, line](tool::Console& console) { return run_mix(s, runtime, console, line); });
}

void add_doctor(Command& root, Settings& s, Runtime& runtime) {
  Command& command =
      root.command("doctor", "tell what holds a member back here, and which intervals to set");
  command
      .describe(
          "Tests fdatasync as a WAL uses it in the data directory's file system (in a file "
          "without a name: the directory stays as it is), round trips and clocks of the peers "
          "(GET /raft/probing), and whether the processor is there when it is wanted. From the "
          "first peer that answers it learns the members, and of each reads /metrics before and "
          "after: WAL sync, backend commit, what is committed and not applied, dropped messages "
          "and late heartbeats.")
      .describe(
          "Every check passes, warns or fails by the limit beside it. The bottleneck is the worst "
          "of disk, network and processor (this first, if it is starved: all else looks slow "
          "then); apply and the peer channels are named if none of those explains them. Last come "
          "the heartbeat interval and the election time-out that fit.");
  command.option("--data-dir", "DIR", "a directory in the file system of the member's WAL",
                 &s.doctor.data_dir, Hint::kFolder);
  command.parsed("--peers", "URLS", "peer URLs of the other members, separated by commas",
                 [&s](const std::string& text) -> Result<> {
                   TRUSS_ASSIGN(s.doctor.peers, parse_urls(text));
                   return {};
                 });
  add_duration(command, "--duration", "of each test", &s.doctor.duration);
  command.example("Before a member is set up, and while it runs:",
                  "peerbench doctor --data-dir /var/lib/etcd --peers "
                  "http://10.0.0.2:2380,http://10.0.0.3:2380");
  command.exit_code(1, "a check failed");
  command.run([&s, &runtime](tool::Console& console) { return run_doctor(s, runtime, console); });
}

void add_compare(Command& root, Settings& s) {
  Command& command = root.command("compare", "compare two reports, with confidence intervals");
  command.describe(
      "For every distribution that both have, the ratio of its quantiles with a 95 % interval, by "
      "resampling the batches of each run. A difference counts if the interval leaves out 1 and it "
      "is more than 5 %.");
  command.argument("EARLIER", "a report made with -o json", &s.earlier, Hint::kFile);
  command.argument("LATER", "another one of the same kind", &s.later, Hint::kFile);
  command.example("Did the new version get slower?", "peerbench compare old.json new.json");
  command.exit_code(1, "something got slower");
  command.run([&s](tool::Console& console) { return run_compare(s, console); });
}

}  // namespace

std::unique_ptr<Command> make_commands(Settings& settings, Runtime& runtime,
                                       std::string command_line) {
  auto root = std::make_unique<Command>(
      "peerbench", "measure the channels between members, and what they stand on");
  root->describe(
          "Says which of disk, network, processor, peer channel or apply holds a cluster back, in "
          "microseconds and without coordinated omission. Start with `peerbench doctor`. Reports "
          "are Cereal archives (-o json) whose keys stay.")
      .example("What holds this member back, and which intervals fit?",
               "peerbench doctor --data-dir /var/lib/etcd --peers http://10.0.0.2:2380")
      .example("Do heartbeats feel a snapshot?", "peerbench heartbeat --against etcd");
  tool::add_output_options(*root, settings.output);
  add_channels(*root, settings, runtime, command_line);
  add_heartbeat(*root, settings, runtime, command_line);
  add_mix(*root, settings, runtime, command_line);
  add_doctor(*root, settings, runtime);
  add_compare(*root, settings);
  return root;
}

}  // namespace truss::peerbench
