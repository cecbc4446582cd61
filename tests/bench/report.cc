#include "report.h"

#include <algorithm>
#include <array>
#include <cereal/archives/json.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <tuple>

namespace truss::bench {

template <class Archive>
void Sample::serialize(Archive& archive) {
  archive(CEREAL_NVP(subject), CEREAL_NVP(op), CEREAL_NVP(clients), CEREAL_NVP(pair),
          CEREAL_NVP(operations), CEREAL_NVP(errors), CEREAL_NVP(seconds),
          CEREAL_NVP(ops_per_second), CEREAL_NVP(p50_ms), CEREAL_NVP(p99_ms),
          CEREAL_NVP(server_cpu_us), CEREAL_NVP(generator_cpu_us), CEREAL_NVP(wal_fsyncs),
          CEREAL_NVP(rss_anon_mib), CEREAL_NVP(rss_file_mib), CEREAL_NVP(foreign_cores));
}

template <class Archive>
void Report::serialize(Archive& archive) {
  archive(CEREAL_NVP(command), CEREAL_NVP(machine), CEREAL_NVP(date), CEREAL_NVP(samples));
}

namespace {

using Key = std::tuple<std::string, std::uint64_t, std::string>;  // op, clients, subject
using Groups = std::map<Key, std::vector<Sample>>;

struct Column {
  const char* title;
  double Sample::*field;
};
constexpr std::array<Column, 8> kColumns = {{{"ops/s", &Sample::ops_per_second},
                                             {"p50 ms", &Sample::p50_ms},
                                             {"p99 ms", &Sample::p99_ms},
                                             {"cpu us/op", &Sample::server_cpu_us},
                                             {"gen us/op", &Sample::generator_cpu_us},
                                             {"fsync/op", &Sample::wal_fsyncs},
                                             {"anon MiB", &Sample::rss_anon_mib},
                                             {"file MiB", &Sample::rss_file_mib}}};

double median(const std::vector<Sample>& samples, double Sample::*field) {
  std::vector<double> values;
  for (const Sample& s : samples) values.push_back(s.*field);
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Groups group(const Report& report) {
  Groups out;
  for (const Sample& s : report.samples) out[{s.op, s.clients, s.subject}].push_back(s);
  return out;
}

template <class... Values>
std::string text(const char* format, Values... values) {
  std::array<char, 256> buffer{};
  const int size = std::snprintf(buffer.data(), buffer.size(), format, values...);
  return {buffer.data(), static_cast<std::size_t>(size)};
}

std::string number(double value) {
  if (value >= 1000) return text("%.0f", value);
  return value >= 10 ? text("%.1f", value) : text("%.3f", value);
}

std::string row_start(const Key& key) {
  const auto& [op, clients, subject] = key;
  return text("%-9s %7llu %-8s", op.c_str(), static_cast<unsigned long long>(clients),
              subject.c_str());
}

std::string heading() {
  std::string out = text("%-9s %7s %-8s", "op", "clients", "subject");
  for (const Column& c : kColumns) out += text(" %10s", c.title);
  return out + text(" %8s %6s\n", "foreign", "errors");
}

std::string ratio_row(const Key& key, const std::vector<Sample>& ours,
                      const std::vector<Sample>& theirs) {
  std::string out = row_start(key);
  for (const Column& c : kColumns) {
    const double base = median(theirs, c.field);
    out += text(" %10s", base > 0 ? text("x%.2f", median(ours, c.field) / base).c_str() : "-");
  }
  return out + "\n";
}

std::string value_row(const Key& key, const std::vector<Sample>& samples) {
  std::string out = row_start(key);
  for (const Column& c : kColumns) out += text(" %10s", number(median(samples, c.field)).c_str());
  unsigned long long errors = 0;
  for (const Sample& s : samples) errors += s.errors;
  return out + text(" %8.2f %6llu\n", median(samples, &Sample::foreign_cores), errors);
}

}  // namespace

Result<void> save_report(const Report& report, const std::string& path) {
  std::ofstream out(path);
  try {
    cereal::JSONOutputArchive archive(out);
    archive(cereal::make_nvp("report", report));
  } catch (const std::exception& e) {
    return fail(Code::kInternal, path + ": " + e.what());
  }
  out.flush();
  if (!out) return fail(Code::kInternal, path + ": can't write the report");
  return {};
}

Result<Report> load_report(const std::string& path) {
  std::ifstream in(path);
  if (!in) return fail(Code::kNotFound, path + ": can't open the report");
  Report report;
  try {
    cereal::JSONInputArchive archive(in);
    archive(cereal::make_nvp("report", report));
  } catch (const std::exception& e) {
    return fail(Code::kCorruption, path + ": not a report: " + e.what());
  }
  return report;
}

std::string table(const Report& report, const std::string& base) {
  const Groups groups = group(report);
  std::string out = heading();
  for (const auto& [key, samples] : groups) {
    out += value_row(key, samples);
    const auto& [op, clients, subject] = key;
    if (subject == base) continue;
    const auto theirs = groups.find(Key{op, clients, base});
    if (theirs == groups.end()) continue;
    out += ratio_row({op, clients, "/" + base}, samples, theirs->second);
  }
  return out;
}

std::string comparison(const Report& earlier, const Report& later) {
  const Groups before = group(earlier);
  const Groups after = group(later);
  std::string out = heading();
  for (const auto& [key, samples] : after) {
    const auto found = before.find(key);
    if (found == before.end()) continue;
    out += value_row(key, found->second);
    out += value_row(key, samples);
    out += ratio_row({std::get<0>(key), std::get<1>(key), "ratio"}, samples, found->second);
  }
  return out;
}

}  // namespace truss::bench
