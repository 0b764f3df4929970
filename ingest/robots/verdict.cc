#include "ingest/robots/verdict.h"

#include <algorithm>

#include "absl/strings/match.h"

#include "store/base/limits.h"

namespace vitrine {
namespace {

constexpr char kOperator[] = "operator";

bool LooksAtSomething(const Event& event) {
  switch (event.kind) {
    case EventKind::PAGE_VIEW:
    case EventKind::VIEW_ITEM:
    case EventKind::VIEW_ITEM_LIST:
    case EventKind::SEARCH:
      return event.__isset.url && !(event.__isset.inferred && event.inferred);
    default:
      return false;
  }
}

bool IsRobotsTxt(const Event& event) {
  const absl::string_view path = absl::string_view(event.url).substr(0, event.url.find('?'));
  constexpr absl::string_view kFile = "/robots.txt";
  if (!absl::EndsWith(path, kFile)) return false;
  // At the root of a host: "/robots.txt", "https://shop.example/robots.txt".
  const absl::string_view before = path.substr(0, path.size() - kFile.size());
  const size_t scheme = before.find("://");
  return before.empty() ||
         (scheme != absl::string_view::npos && before.find('/', scheme + 3) == before.npos);
}

// Looks at a person's pages, oldest first.
class Behaviour {
 public:
  void StartSession() {
    session_pages_ = 0;
    last_url_ = {};
  }

  void Add(const Event& event) {
    if (event.kind == EventKind::PURCHASE) paid_ = true;
    if (event.__isset.url && IsRobotsTxt(event)) robots_txt_ = true;
    if (!LooksAtSomething(event)) return;
    // One page may be told of more than once: as a page, and as the product on it.
    if (event.url == last_url_) return;
    last_url_ = event.url;
    ++session_pages_;
    long_session_ |= session_pages_ >= limits::kRobotSessionPagesMin;
    blind_ &= event.__isset.referrer && (event.referrer.empty() || event.referrer == "-");
    times_ms_.push_back(event.time_ms);
    const size_t n = times_ms_.size();
    fast_ |= n >= limits::kRobotRatePagesMin &&
             event.time_ms - times_ms_[n - limits::kRobotRatePagesMin] < limits::kRobotRateWindowMs;
  }

  void Tell(std::vector<std::string>* sources) const {
    if (paid_) return;
    if (blind_ && times_ms_.size() >= limits::kRobotBlindPagesMin) {
      sources->push_back("behaviour:no_referrer");
    }
    if (fast_) sources->push_back("behaviour:rate");
    if (robots_txt_) sources->push_back("behaviour:robots_txt");
    if (long_session_) sources->push_back("behaviour:session_pages");
  }

 private:
  std::vector<int64_t> times_ms_;  // of all pages
  size_t session_pages_ = 0;
  absl::string_view last_url_;
  bool paid_ = false;
  bool robots_txt_ = false;
  bool fast_ = false;
  bool long_session_ = false;
  bool blind_ = true;
};

}  // namespace

RobotSources JudgeAgent(const Event& event, AgentJudge* judge) {
  if (!event.__isset.user_agent) return 0;
  return judge->Judge(event.user_agent, event.channel == Channel::WEB);
}

std::vector<std::string> VerdictOf(std::span<const Event> events, std::span<const Session> sessions,
                                   std::optional<bool> decided, AgentJudge* judge) {
  if (decided == false) return {};
  Behaviour behaviour;
  RobotSources said = 0;
  size_t with_agent = 0;
  size_t by_robots = 0;
  size_t at = 0;
  for (const Session& session : sessions) {
    behaviour.StartSession();
    for (int32_t i = 0; i < session.events && at < events.size(); ++i, ++at) {
      const Event& event = events[at];
      const RobotSources sources = JudgeAgent(event, judge);
      with_agent += event.__isset.user_agent ? 1 : 0;
      by_robots += sources != 0 ? 1 : 0;
      said |= sources;
      behaviour.Add(event);
    }
  }
  std::vector<std::string> sources;
  if (2 * by_robots > with_agent) sources = judge->lists().Names(said);
  behaviour.Tell(&sources);
  if (decided == true) sources.push_back(kOperator);
  std::sort(sources.begin(), sources.end());
  return sources;
}

}  // namespace vitrine
