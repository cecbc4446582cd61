#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/error.h"

namespace truss::bench {

/// One measured run of one subject.
struct Sample {
  std::string subject;
  std::string op;
  std::uint64_t clients = 0;
  std::uint64_t pair = 0;
  std::uint64_t operations = 0;
  std::uint64_t errors = 0;
  double seconds = 0;
  double ops_per_second = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double server_cpu_us = 0;     ///< per operation
  double generator_cpu_us = 0;  ///< per operation
  double wal_fsyncs = 0;        ///< per operation
  double rss_anon_mib = 0;      ///< at the end of the run
  double rss_file_mib = 0;
  double foreign_cores = 0;  ///< busy with neither server nor generator

  template <class Archive>
  void serialize(Archive& archive);
};

/// A set of runs with what one must know to read them.
struct Report {
  std::string command;
  std::string machine;
  std::string date;  ///< UTC
  std::vector<Sample> samples;

  template <class Archive>
  void serialize(Archive& archive);
};

/// A Cereal JSON archive. Errors: the file's.
Result<void> save_report(const Report& report, const std::string& path);
Result<Report> load_report(const std::string& path);

/// Medians by op, clients and subject, one line each; with `base` among the subjects, every other
/// subject's ratio to it.
std::string table(const Report& report, const std::string& base);
/// `later` against `earlier`, by op, clients and subject.
std::string comparison(const Report& earlier, const Report& later);

}  // namespace truss::bench
