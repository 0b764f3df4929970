// The parts of a CustomerReport (customer_report.h), each a table or two with their plots.

#ifndef VITRINE_RECOMMENDER_CUSTOMER_BASE_REPORT_PARTS_H_
#define VITRINE_RECOMMENDER_CUSTOMER_BASE_REPORT_PARTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "recommender/customer_base/customer_base.h"
#include "recommender/customer_base/customer_report.h"
#include "recommender/customer_base/customer_values.h"
#include "store/base/report.h"

namespace vitrine::customer_report {

// What all parts are made of.
struct Facts {
  const CustomerReportOptions& options;
  const CustomerBase& base;
  std::vector<std::vector<PurchaseDay>> histories = {};  // of base.customers
  int32_t as_of = 0;
  int32_t since = 0;
  ValueModel model = {};                   // fitted as of `as_of`
  std::vector<size_t> buyers = {};         // places in base.customers of those who had bought
  std::vector<CustomerValue> values = {};  // of the buyers
  int digits = 2;
  double unit = 1;  // minor units in one of the currency

  double Money(double minor) const { return minor / unit; }
  Report::Column MoneyColumn(const char* name) const;
};

// customer_report.cc
void AddOverview(const Facts& facts, Report* report);
void AddNotes(const Facts& facts, Report* report);

// report_stages.cc
void AddStages(const Facts& facts, Report* report);
void AddMovement(const Facts& facts, Report* report);
void AddRfm(const Facts& facts, Report* report);
Report::Message StageCell(LifeStage stage);

// report_retention.cc
void AddRetention(const Facts& facts, Report* report);
void AddCohorts(const Facts& facts, Report* report);

// report_value.cc
void AddDistribution(const Facts& facts, Report* report);
void AddExpected(const Facts& facts, Report* report);
void AddBest(const Facts& facts, Report* report);
void AddUnprofitable(const Facts& facts, Report* report);

// report_models.cc
void AddModels(const Facts& facts, Report* report);
void AddHoldout(const Facts& facts, Report* report);

inline double ShareOf(double part, double of) { return of > 0 ? part / of : 0; }

}  // namespace vitrine::customer_report

#endif  // VITRINE_RECOMMENDER_CUSTOMER_BASE_REPORT_PARTS_H_
