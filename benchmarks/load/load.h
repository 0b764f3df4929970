// Sends recommend requests to a Storefront over many connections, and times the answers.

#ifndef VITRINE_BENCHMARKS_LOAD_LOAD_H_
#define VITRINE_BENCHMARKS_LOAD_LOAD_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace vitrine::load {

struct Plan {
  std::string host = "127.0.0.1";
  int port = 0;
  size_t connections = 16;
  size_t threads = 2;
  double rate = 0;  // requests per second in all; 0: each connection asks again at once
  double seconds = 5;
  std::string site;
  std::string api_key;
  std::vector<std::string> customers;  // one is drawn for each request
  // How much more often the first customers are drawn: the n-th in proportion to n^-zipf. 0: all
  // equally; at most 1.
  double zipf = 0;
  int32_t k = 20;
  int32_t deadline_ms = 1000;
  uint64_t seed = 1;
};

struct Outcome {
  double seconds = 0;
  int64_t answered = 0;     // with suggestions
  int64_t degraded = 0;     // of the answered: cheaper lists
  int64_t suggestions = 0;  // in all answers
  // By kind: the names of the IDL's exceptions, "lost connection", "protocol error", "empty
  // reply", "unsent" (due, but never sent, because every connection was still waiting).
  std::map<std::string, int64_t> errors;
  // Of the answered, ascending. From the moment the request was due, which with a rate is before
  // it was sent if the server (or this program) was late: nothing is left out.
  std::vector<float> latency_ms;
  // Of the answered, and of those that were refused as Overloaded, ascending: from the sending, so
  // that what waited in this program for a free connection is not the server's.
  std::vector<float> served_ms;
  std::vector<float> refused_ms;

  double Rate() const { return seconds > 0 ? static_cast<double>(answered) / seconds : 0; }
  // 0 <= q <= 1; 0 if nothing was answered.
  double LatencyMs(double q) const;
  static double Quantile(const std::vector<float>& ascending, double q);
  int64_t Errors() const;
};

// A few threads serve all connections, one request at a time on each: blocking threads, one for a
// connection, would spend on switching what the server beside them needs for answering.
//
// Unavailable if the server cannot be reached.
absl::StatusOr<Outcome> Run(const Plan& plan);

}  // namespace vitrine::load

#endif  // VITRINE_BENCHMARKS_LOAD_LOAD_H_
