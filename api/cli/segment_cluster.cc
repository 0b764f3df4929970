// vitrine segment cluster: groups of customers who behave alike, looked at and kept as segments.

#include "api/cli/segment_cluster.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/client/client.h"
#include "recommender/customer_base/customer_base.h"
#include "recommender/segments/segment_people.h"
#include "store/base/clock.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

absl::StatusOr<std::vector<Behaviour>> BehaviourOfAll(const WebHouse& house,
                                                      const std::string& currency) {
  const SegmentPeople people(&house, nullptr, nullptr, nullptr);
  const int64_t now_ms = Clock::System().NowMs();
  std::vector<Behaviour> customers;
  RETURN_IF_ERROR(people.ForEach([&](const std::string&, const CustomerProfile& profile) {
    const auto behaviour = BehaviourOf(profile, people.world(), currency, now_ms);
    if (behaviour) customers.push_back(*behaviour);
    return true;
  }));
  return customers;
}

std::string SegmentIdOf(const Clustering& clustering, size_t c) {
  return absl::StrCat(clustering.id, "-", c + 1);
}

// The clustering, and a segment for each of its groups, in place of those of the same ids.
void Replace(const Clustering& clustering, SegmentSet* set) {
  std::erase_if(set->clusterings, [&](const Clustering& one) { return one.id == clustering.id; });
  std::erase_if(set->segments, [&](const Segment& segment) {
    return !segment.conditions.empty() && !segment.conditions[0].any.empty() &&
           segment.conditions[0].any[0].measure == SegmentMeasure::CLUSTER_IS &&
           segment.conditions[0].any[0].name == clustering.id &&
           absl::StartsWith(segment.id, clustering.id + "-");
  });
  set->clusterings.push_back(clustering);
  for (size_t c = 0; c < clustering.centroids.size(); ++c) {
    Segment& segment = set->segments.emplace_back();
    segment.id = SegmentIdOf(clustering, c);
    segment.titles["en"] = DescribeCentroid(clustering.centroids[c]);
    SegmentTest& test = segment.conditions.emplace_back().any.emplace_back();
    test.measure = SegmentMeasure::CLUSTER_IS;
    test.relation = Relation::ONE_OF;
    test.name = clustering.id;
    test.values = {absl::StrCat(c + 1)};
  }
}

Report ReportOf(const KMeansResult& result, int64_t customers) {
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "groups";
  table.columns = {{"segment"},
                   {"customers"},
                   {.name = "share", .decimals = 1, .unit = Report::Unit::kShare},
                   {"unlike most by"}};
  for (size_t c = 0; c < result.sizes.size(); ++c) {
    table.rows.push_back({SegmentIdOf(result.clustering, c), result.sizes[c],
                          static_cast<double>(result.sizes[c]) / static_cast<double>(customers),
                          DescribeCentroid(result.clustering.centroids[c])});
  }
  report.notes.push_back(absl::StrCat(
      "mean silhouette ", result.silhouette, " (1: far apart; 0: side by side); mean squared ",
      "distance to the middle of the own group ", result.within, " of 6 without groups; money in ",
      result.clustering.currency.empty() ? "no currency" : result.clustering.currency));
  return report;
}

}  // namespace

absl::Status ClusterCustomers(const Common& common, const ClusterWishes& wishes) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  KMeansResult result;
  int64_t customers = 0;
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<SiteCopy> copy,
                     SiteCopy::Make(access.get(), common.site));
    ASSIGN_OR_RETURN(const CustomerBase base, ReadCustomerBase(copy->house(), {}));
    ASSIGN_OR_RETURN(const std::vector<Behaviour> behaviour,
                     BehaviourOfAll(copy->house(), base.currency));
    customers = static_cast<int64_t>(behaviour.size());
    ASSIGN_OR_RETURN(result, ClusterBehaviour(behaviour, wishes.options));
    result.clustering.id = wishes.id;
    result.clustering.currency = base.currency;
  }
  Report report = ReportOf(result, customers);
  if (wishes.save) {
    RETURN_IF_ERROR(CatchThrift([&] {
      Segments now;
      access->backoffice().segments(now, common.site);
      Replace(result.clustering, &now.version.content);
      SegmentSetVersion version;
      access->backoffice().set_segments(version, common.site, now.version.content,
                                        now.version.version, Who(), wishes.comment);
      report.notes.push_back(absl::StrCat("the segments are at version ", version.version, " now"));
    }));
  } else {
    report.notes.push_back("nothing was changed; --save keeps the groups as segments");
  }
  Print(report, common);
  return absl::OkStatus();
}

}  // namespace vitrine::cli
