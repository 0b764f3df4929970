// Part of vitrine segment: groups of customers who behave alike.

#ifndef VITRINE_API_CLI_SEGMENT_CLUSTER_H_
#define VITRINE_API_CLI_SEGMENT_CLUSTER_H_

#include <string>

#include "absl/status/status.h"

#include "api/cli/command.h"
#include "recommender/segments/kmeans.h"

namespace vitrine::cli {

struct ClusterWishes {
  std::string id = "group";
  KMeansOptions options = {};
  bool save = false;
  std::string comment = "";
};

// Reads a copy of the site; prints the groups, and with `save` makes them segments.
absl::Status ClusterCustomers(const Common& common, const ClusterWishes& wishes);

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_SEGMENT_CLUSTER_H_
