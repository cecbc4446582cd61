#include <algorithm>
#include <cmath>

#include "truss/peertool/report.h"
#include "truss/tool/report.h"
#include "words.h"

namespace truss::peertool {
namespace {

using tool::Table;

std::string count_text(double value) {
  if (value >= 100) return text("%.0f", value);
  return text(value >= 10 ? "%.1f" : "%.2f", value);
}

std::vector<tool::Cell> figure_cells(const std::string& name, const Figures& f) {
  return {name,
          f.count,
          time_text(f.p50_us),
          time_text(f.p90_us),
          time_text(f.p99_us),
          time_text(f.p999_us),
          time_text(f.p9999_us),
          time_text(f.max_us)};
}

Table figure_table(const std::string& title) {
  return Table({{title, "name"},
                {"count", "count"},
                {"p50", "p50"},
                {"p90", "p90"},
                {"p99", "p99"},
                {"p99.9", "p999"},
                {"p99.99", "p9999"},
                {"max", "max"}});
}

std::string rates(const Report& report, tool::Format format) {
  Table table({{"channel", "channel"},
               {"bytes", "bytes"},
               {"asked/s", "asked"},
               {"msgs/s", "messages"},
               {"MB/s", "mb"},
               {"most msgs/s", "most"},
               {"most MB/s", "mostMb"},
               {"dropped", "dropped"},
               {"unfinished", "unfinished"}});
  for (const ChannelReport& c : report.channels) {
    if (!c.driven) continue;
    table.add(
        {c.channel, c.message_bytes,
         c.asked_per_second > 0 ? count_text(c.asked_per_second) : std::string("-"),
         count_text(c.messages_per_second), count_text(c.mb_per_second),
         c.most_messages_per_second > 0 ? count_text(c.most_messages_per_second) : std::string("-"),
         c.most_mb_per_second > 0 ? count_text(c.most_mb_per_second) : std::string("-"), c.dropped,
         c.unfinished});
  }
  return table.rows() == 0 ? "" : table.render(format) + "\n";
}

std::string distributions(const Report& report, tool::Format format) {
  Table table = figure_table("time");
  for (const Series& s : report.series) {
    table.add(figure_cells(s.name, s.latency));
    if (s.closed_loop.count > 0) table.add(figure_cells("  naive closed loop", s.closed_loop));
    for (const ChannelReport& c : report.channels) {
      if (s.name != c.channel + " latency" || c.queue_wait.count == 0) continue;
      table.add(figure_cells("  queue wait", c.queue_wait));
      table.add(figure_cells("  head of line", c.head_of_line));
      table.add(figure_cells("  generator's lag", c.generator_lag));
    }
  }
  return table.rows() == 0 ? "" : table.render(format);
}

std::string judgements(const Report& report) {
  std::string out;
  for (const Series& s : report.series) {
    if (s.latency.count < 100) continue;
    out += s.name + ": p50 " + time_text(s.p50_us_95.low) + " to " + time_text(s.p50_us_95.high) +
           ", p99 " + time_text(s.p99_us_95.low) + " to " + time_text(s.p99_us_95.high) +
           " (95 % confidence); " + (s.steady ? "steady" : "NOT steady");
    if (s.batches_still_warming > 0) {
      out += text(", %llu of %zu batches still warming up",
                  static_cast<unsigned long long>(s.batches_still_warming), s.batches.size());
    }
    if (!s.steady) out += text(", drift %+.0f %%", s.drift * 100);
    out += "\n";
  }
  return out;
}

std::string ways(const Report& report) {
  std::string out;
  for (const ChannelReport& c : report.channels) {
    out += c.channel + (c.driven ? ": " : " (not driven): ") + c.note + "\n";
  }
  return out;
}

std::string limits_text(const LimitsReport& l) {
  return text("msgappv2, 1 KiB entries   encode %6.2f GB/s, decode %6.2f GB/s on one processor\n",
              l.encode_1k_gb_per_second, l.decode_1k_gb_per_second) +
         text("msgappv2, empty entries   encode %6.2f M/s,  decode %6.2f M/s on one processor\n",
              l.encode_empty_per_second / 1e6, l.decode_empty_per_second / 1e6) +
         text("plain copy over loopback  %8.0f MB/s\n", l.plain_copy_mb_per_second) +
         text("snapshot channel          %8.0f MB/s: %.2f times the plain copy's time\n",
              l.snapshot_channel_mb_per_second, l.plain_over_snapshot);
}

std::string heartbeat_text(const Report& report) {
  const HeartbeatReport& h = report.heartbeat;
  std::string out;
  for (const Series& s : report.series) {
    measure::Histogram all;
    for (const measure::Histogram& batch : histograms(s)) all.merge(batch);
    out += s.name + " (" + s.what + ")\n" + draw(all, 50) + "\n";
  }
  out += text("snapshots %llu of %s, %.0f MB/s; heartbeats every %.3g ms\n",
              static_cast<unsigned long long>(h.transfers),
              tool::human_bytes(h.snapshot_bytes).c_str(), h.snapshot_mb_per_second, h.interval_ms);
  out += text("gaps meanwhile: %llu, p50 %.3g ms, p99 %.3g ms, p99.9 %.3g ms, longest %.3g ms\n",
              static_cast<unsigned long long>(h.gaps), h.gap_p50_ms, h.gap_p99_ms, h.gap_p999_ms,
              h.gap_max_ms);
  out += text("without a snapshot: p99.9 %.3g ms, longest %.3g ms\n", h.quiet_gap_p999_ms,
              h.quiet_gap_max_ms);
  if (h.shared_gap_max_ms > 0) {
    out += text("were both on one connection: p99.9 %.3g ms, longest %.3g ms\n",
                h.shared_gap_p999_ms, h.shared_gap_max_ms);
  }
  return out + "verdict: " + h.verdict + ": " + h.explanation + "\n";
}

std::string heartbeat_table(const Report& report, tool::Format format) {
  const HeartbeatReport& h = report.heartbeat;
  Table table({{"interval", "interval"},
               {"gaps", "gaps"},
               {"p99.9", "p999"},
               {"longest", "max"},
               {"longest without", "quietMax"},
               {"snapshots", "snapshots"},
               {"MB/s", "mb"},
               {"verdict", "verdict"}});
  table.add({time_text(h.interval_ms * 1e3), h.gaps, time_text(h.gap_p999_ms * 1e3),
             time_text(h.gap_max_ms * 1e3), time_text(h.quiet_gap_max_ms * 1e3), h.transfers,
             count_text(h.snapshot_mb_per_second), h.verdict});
  return distributions(report, format) + "\n" + table.render(format) + h.explanation + "\n";
}

std::string limits_table(const LimitsReport& l, tool::Format format) {
  Table table({{"what", "what"}, {"figure", "figure"}});
  table.add({"encode 1 KiB entries", text("%.2f GB/s", l.encode_1k_gb_per_second)});
  table.add({"decode 1 KiB entries", text("%.2f GB/s", l.decode_1k_gb_per_second)});
  table.add({"encode empty entries", text("%.2f M/s", l.encode_empty_per_second / 1e6)});
  table.add({"decode empty entries", text("%.2f M/s", l.decode_empty_per_second / 1e6)});
  table.add({"plain copy over loopback", text("%.0f MB/s", l.plain_copy_mb_per_second)});
  table.add({"snapshot channel", text("%.0f MB/s", l.snapshot_channel_mb_per_second)});
  table.add({"its time over the plain copy's", text("%.2f", l.plain_over_snapshot)});
  return table.render(format);
}

}  // namespace

std::string draw(const measure::Histogram& histogram, std::size_t width) {
  // A row for each third of an octave.
  const auto row_of = [](std::uint64_t ns) {
    return static_cast<int>(
        std::floor(std::log2(static_cast<double>(std::max<std::uint64_t>(ns, 1))) * 3));
  };
  std::vector<std::pair<int, std::uint64_t>> rows;
  for (const auto& bucket : histogram.buckets()) {
    const int row = row_of(bucket.low_ns);
    for (int r = rows.empty() ? row : rows.back().first + 1; r < row; ++r) rows.emplace_back(r, 0);
    if (rows.empty() || rows.back().first != row) rows.emplace_back(row, 0);
    rows.back().second += bucket.count;
  }
  std::uint64_t most = 1;
  for (const auto& [row, count] : rows) most = std::max(most, count);
  std::string out;
  for (const auto& [row, count] : rows) {
    // By the logarithm, so that one in ten thousand can be seen.
    const double share =
        std::log1p(static_cast<double>(count)) / std::log1p(static_cast<double>(most));
    const auto bar = static_cast<std::size_t>(std::lround(share * static_cast<double>(width)));
    out += text("  %10s  %-10llu ", time_text(std::exp2(row / 3.0) / 1e3).c_str(),
                static_cast<unsigned long long>(count)) +
           std::string(bar, '#') + "\n";
  }
  return out;
}

std::string render(const Report& report, tool::Format format) {
  if (format == tool::Format::kJson) return to_json(report);
  std::string out = report.kind + ": " + report.subject + "\n" + report.machine + "\n\n";
  const bool table = format == tool::Format::kTable;
  if (table && report.kind == "limits") return out + limits_table(report.limits, format);
  if (table && report.kind == "heartbeat") return out + heartbeat_table(report, format);
  if (report.kind == "limits") return out + limits_text(report.limits);
  if (report.kind == "heartbeat") return out + heartbeat_text(report);
  out += rates(report, format) + distributions(report, format);
  const std::string judged = judgements(report);
  if (!judged.empty()) out += "\n" + judged;
  const std::string channels = ways(report);
  if (!channels.empty()) out += "\n" + channels;
  for (const std::string& note : report.notes) out += note + "\n";
  return out;
}

}  // namespace truss::peertool
