// The public session sets of ../shared/data, by name.

#ifndef VITRINE_TESTS_RECOMMENDER_SESSION_SETS_H_
#define VITRINE_TESTS_RECOMMENDER_SESSION_SETS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "recommender/offline/session_log.h"
#include "store/base/status_macros.h"
#include "tests/testing/unpack.h"

namespace vitrine {

struct SessionSet {
  ProductNumbers products;
  SessionLog training;  // in the order of time
  SessionQuestions test;
};

// Serenade leaves out training sessions of more different products than 99.5 % have; its t-digest
// makes 16 of that.
constexpr size_t kSerenadeProductsMax = 16;

// Microsoft's visitors of a week (UCI): "C" begins one, "V" names an area, in the order of the
// file.
inline absl::StatusOr<SessionLog> ParseVisitors(absl::string_view text, ProductNumbers* products) {
  SessionLog log;
  std::vector<uint32_t> clicks;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ',');
    if (fields.size() < 2) continue;
    if (fields[0] == "C" && !clicks.empty()) {
      log.Append(clicks);
      clicks.clear();
    }
    if (fields[0] == "V") clicks.push_back(products->Of(fields[1]));
  }
  log.Append(clicks);
  return log;
}

// The lines of Online Retail whose invoice is a number, and the first.
inline std::string WithoutCorrections(absl::string_view text) {
  std::string kept;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (kept.empty() || (!line.empty() && line[0] >= '0' && line[0] <= '9')) {
      absl::StrAppend(&kept, line, "\n");
    }
  }
  return kept;
}

inline void SplitNewestTenth(const SessionLog& all, SessionSet* set) {
  const size_t split = all.size() - all.size() / 10;
  set->training = all.Slice(0, split);
  set->test = AskEveryClick(all.Slice(split, all.size()), nullptr);
}

// E-shop clothing: session numbers count up with time, lines of one are in the order of its clicks.
inline absl::StatusOr<SessionLog> LoadEshop(ProductNumbers* products,
                                            const std::string& data = "../shared/data") {
  ASSIGN_OR_RETURN(const std::string text,
                   Unpack(data + "/uci_eshop_clothing_2008/eshop_clothing_2008.csv.zst"));
  return ParseClicks(text, {.separator = ';', .session = 5, .product = 7, .order = 5}, products);
}

// "diginetica" (the given split), "serenade-valid", "serenade-test" (every click of the sessions in
// the file), "eshop", "msweb" and "baskets" (every click of
// the last tenth of sessions).
inline absl::StatusOr<SessionSet> LoadSessionSet(const std::string& name,
                                                 const std::string& data = "../shared/data") {
  SessionSet set;
  if (name == "diginetica") {
    const std::string folder = data + "/diginetica_sessions_gcegnn/";
    ASSIGN_OR_RETURN(const std::string training, Unpack(folder + "train_sessions.txt.zst"));
    ASSIGN_OR_RETURN(const std::string test, Unpack(folder + "test_prefix_target.txt.zst"));
    ASSIGN_OR_RETURN(set.training, ParseSessionLines(training, &set.products));
    ASSIGN_OR_RETURN(set.test, ParseQuestionLines(test, &set.products));
    return set;
  }
  if (name == "serenade-valid" || name == "serenade-test") {
    const std::string folder = data + "/serenade_example/";
    ASSIGN_OR_RETURN(const std::string training, Unpack(folder + "train.txt.zst"));
    ASSIGN_OR_RETURN(const std::string test, Unpack(folder + name.substr(9) + ".txt.zst"));
    ASSIGN_OR_RETURN(set.training, ParseClicks(training, {}, &set.products));
    ASSIGN_OR_RETURN(const SessionLog asked, ParseClicks(test, {}, &set.products));
    set.test = AskEveryClick(asked, nullptr);
    return set;
  }
  if (name == "eshop") {
    ASSIGN_OR_RETURN(const SessionLog all, LoadEshop(&set.products, data));
    SplitNewestTenth(all, &set);
    return set;
  }
  if (name == "msweb") {
    ASSIGN_OR_RETURN(const std::string text,
                     Unpack(data + "/uci_anonymous_msweb/anonymous-msweb.data.zst"));
    ASSIGN_OR_RETURN(const SessionLog all, ParseVisitors(text, &set.products));
    SplitNewestTenth(all, &set);
    return set;
  }
  if (name == "baskets") {
    ASSIGN_OR_RETURN(const std::string text,
                     Unpack(data + "/uci_online_retail/online_retail.csv.zst"));
    // Invoices are numbered as time goes; lines of one keep their order. (A number with a letter is
    // a correction.)
    ASSIGN_OR_RETURN(
        const SessionLog all,
        ParseClicks(WithoutCorrections(text),
                    {.separator = ',', .session = 0, .product = 1, .order = 0}, &set.products));
    SplitNewestTenth(all, &set);
    return set;
  }
  return absl::InvalidArgumentError(absl::StrCat("no session set is called ", name));
}

}  // namespace vitrine

#endif  // VITRINE_TESTS_RECOMMENDER_SESSION_SETS_H_
