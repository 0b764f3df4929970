#include "ingest/sessionizer.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "ingest/robots/verdict.h"
#include "ingest/visit/device.h"
#include "ingest/visit/origin.h"
#include "store/base/status_macros.h"
#include "store/identity.h"

namespace vitrine {
namespace {

// Dirty persons that are listed at once. A scan of the list passes over what was cleared before,
// so that many small slices would cost the square of their number.
constexpr size_t kSlice = 1 << 16;
// Persons whose rows go into one write.
constexpr size_t kPersonsPerWrite = 512;

// Adds without wrapping: sums of legal prices can pass the end of an int64.
void AddTo(int64_t* sum, int64_t value) {
  if (!__builtin_add_overflow(*sum, value, sum)) return;
  *sum = value > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

// What the priced items of an event cost.
int64_t ValueOf(const Event& event) {
  int64_t value = 0;
  for (const Item& item : event.items) {
    if (!item.__isset.price_minor) continue;
    int64_t cost;
    if (__builtin_mul_overflow(item.price_minor, int64_t{item.quantity}, &cost)) {
      cost = std::numeric_limits<int64_t>::max();
    }
    AddTo(&value, cost);
  }
  return value;
}

bool MovesMoney(const Event& event) {
  return (event.kind == EventKind::PURCHASE || event.kind == EventKind::REFUND) &&
         event.__isset.currency;
}

int32_t Count(size_t n) {
  return static_cast<int32_t>(std::min<size_t>(n, std::numeric_limits<int32_t>::max()));
}

// Orders among `events`: one for each order id, and one for each purchase that names none.
int32_t CountOrders(std::span<const Event> events) {
  absl::flat_hash_set<absl::string_view> ids;
  size_t nameless = 0;
  for (const Event& event : events) {
    if (event.kind != EventKind::PURCHASE) continue;
    if (event.__isset.order_id) {
      ids.insert(event.order_id);
    } else {
      ++nameless;
    }
  }
  return Count(ids.size() + nameless);
}

void CountEvent(const Event& event, Session* session) {
  const auto reached = [session](FunnelStage stage) {
    session->stage = std::max(session->stage, stage);
  };
  switch (event.kind) {
    case EventKind::SEARCH:
      ++session->searches;
      break;
    case EventKind::VIEW_ITEM:
      ++session->product_views;
      reached(FunnelStage::PRODUCT);
      break;
    case EventKind::ADD_TO_CART:
      ++session->cart_adds;
      reached(FunnelStage::CART);
      break;
    case EventKind::REMOVE_FROM_CART:
    case EventKind::VIEW_CART:
      reached(FunnelStage::CART);
      break;
    case EventKind::BEGIN_CHECKOUT:
      reached(FunnelStage::CHECKOUT);
      break;
    case EventKind::PURCHASE:
      reached(FunnelStage::ORDER);
      break;
    default:
      break;
  }
}

// Where the visit came from, and with what: the first page says.
void Describe(std::span<const Event> events, const SiteSettings& settings, Session* session) {
  const Event* landing = nullptr;
  const Event* exit = nullptr;
  for (const Event& event : events) {
    if (event.__isset.url) {
      if (!session->__isset.landing_url) session->__set_landing_url(event.url);
      exit = &event;
    }
    if (landing == nullptr && (event.__isset.url || event.__isset.referrer)) landing = &event;
    if (session->device == Device::UNKNOWN_DEVICE && event.__isset.user_agent) {
      session->device = DeviceOf(event.user_agent);
    }
  }
  if (exit != nullptr) session->__set_exit_url(exit->url);
  if (landing == nullptr) return;
  Origin origin = OriginOf(*landing, settings.hosts);
  session->referrer_class = origin.referrer_class;
  if (!origin.referrer.empty()) session->__set_referrer(std::move(origin.referrer));
  if (!origin.campaign.empty()) session->__set_campaign(std::move(origin.campaign));
}

Session MakeSession(std::span<const Event> events, const SiteSettings& settings) {
  Session session;
  session.start_ms = events.front().time_ms;
  session.end_ms = events.back().time_ms;
  session.events = Count(events.size());
  session.channel = events.front().channel;
  for (const Event& event : events) {
    CountEvent(event, &session);
    if (MovesMoney(event)) {
      const int64_t value = ValueOf(event);
      AddTo(&session.value_minor[event.currency],
            event.kind == EventKind::PURCHASE ? value : -value);
    }
  }
  if (session.stage == FunnelStage::ORDER) session.orders = CountOrders(events);
  Describe(events, settings, &session);
  return session;
}

// Where one visit ends and the next begins.
class Cutter {
 public:
  explicit Cutter(const SiteSettings& settings) : settings_(settings) {}

  // True if `event` is the first of a visit.
  bool StartsVisit(const Event& event) {
    std::string campaign = settings_.cut_at_campaign ? CampaignOf(event.url) : "";
    const bool starts = is_first_ || event.time_ms - last_ms_ > settings_.session_gap_ms ||
                        event.time_ms - start_ms_ > settings_.session_max_ms ||
                        (!campaign.empty() && campaign != campaign_ && event.time_ms > last_ms_);
    if (starts) {
      start_ms_ = event.time_ms;
      campaign_.clear();
    }
    if (!campaign.empty()) campaign_ = std::move(campaign);
    last_ms_ = event.time_ms;
    is_first_ = false;
    return starts;
  }

 private:
  const SiteSettings& settings_;
  bool is_first_ = true;
  int64_t start_ms_ = 0;
  int64_t last_ms_ = 0;
  std::string campaign_;  // the last one in this visit
};

// The events that belong to a person, oldest first.
absl::StatusOr<std::vector<Event>> EventsOf(const WebHouse& house, const Person& person) {
  ASSIGN_OR_RETURN(std::vector<Event> events,
                   house.ResolvedHistory(person, std::numeric_limits<size_t>::max()));
  std::reverse(events.begin(), events.end());
  return events;
}

// Brings persons up to date, one by one.
class Deriver {
 public:
  // All must outlive it.
  Deriver(const WebHouse* house, const RobotLists* robots) : house_(*house), judge_(robots) {}

  // To be called after marks were read and before their persons are derived: whoever changes the
  // settings later changes the marks.
  void ReadSettings() { settings_ = house_.GetSettings(); }

  absl::StatusOr<Derived> DerivePerson(const DirtyPerson& dirty) {
    ASSIGN_OR_RETURN(const std::vector<Event> events, EventsOf(house_, dirty.person));
    Derived derived;
    derived.person = dirty.person;
    derived.mark = dirty.mark;
    derived.sessions = Sessionize(events, settings_);
    derived.robot = VerdictOf(events, derived.sessions, dirty.decided, &judge_);
    for (Session& session : derived.sessions) session.robot = derived.robot;
    if (dirty.person.kind == Person::Kind::kCustomer && !events.empty()) {
      derived.customer = Summarize(events, derived.sessions);
      derived.customer->id = dirty.person.id;  // the events may be a visitor's
    }
    if (dirty.person.kind == Person::Kind::kVisitor) {
      ASSIGN_OR_RETURN(const Timeline timeline, house_.TimelineOf(dirty.person.id));
      derived.shared = timeline.shared();
    }
    return derived;
  }

 private:
  const WebHouse& house_;
  SiteSettings settings_;
  AgentJudge judge_;
};

const RobotLists* NoLists() {
  static const auto* const none =
      new std::shared_ptr<const RobotLists>(RobotLists::Load({.uap_core = ""}));
  return none->get();
}

// Those of `persons` who are dirty still, and with each visitor the customers whose history follows
// from the visitor's: written together, so that the visitor's mark goes when all of them are done.
absl::StatusOr<std::vector<DirtyPerson>> WhoIsDue(const WebHouse& house,
                                                  std::span<const DirtyPerson> persons) {
  std::vector<DirtyPerson> due;
  absl::flat_hash_set<Person> known;
  const auto add = [&](const Person& person, bool if_clean) -> absl::Status {
    if (known.contains(person)) return absl::OkStatus();
    ASSIGN_OR_RETURN(DirtyPerson state, house.StateOf(person));
    if (state.mark == 0 && !if_clean) return absl::OkStatus();
    known.insert(person);
    due.push_back(std::move(state));
    return absl::OkStatus();
  };
  for (const DirtyPerson& dirty : persons) RETURN_IF_ERROR(add(dirty.person, false));
  for (size_t i = 0, n = due.size(); i < n; ++i) {
    if (due[i].person.kind != Person::Kind::kVisitor) continue;
    ASSIGN_OR_RETURN(const auto customers, house.CustomersOf(due[i].person.id));
    for (const std::string& id : customers) RETURN_IF_ERROR(add(Person::Customer(id), true));
  }
  return due;
}

// Derives persons on two threads: each has half of them.
class DeriverPair {
 public:
  DeriverPair(const WebHouse* house, const RobotLists* robots)
      : first_(house, robots), second_(house, robots) {}

  void ReadSettings() {
    first_.ReadSettings();
    second_.ReadSettings();
  }

  absl::StatusOr<std::vector<Derived>> DeriveAll(std::span<const DirtyPerson> due) {
    std::vector<Derived> derived(due.size());
    const size_t half = due.size() < kPersonsForTwo ? due.size() : due.size() / 2;
    absl::Status second;
    std::thread helper;
    if (half < due.size()) {
      helper = std::thread(
          [&] { second = DeriveInThread(&second_, due.subspan(half), derived.data() + half); });
    }
    const absl::Status first = DeriveInThread(&first_, due.subspan(0, half), derived.data());
    if (helper.joinable()) helper.join();
    RETURN_IF_ERROR(first);
    RETURN_IF_ERROR(second);
    return derived;
  }

 private:
  // Below, a thread costs more than it takes off.
  static constexpr size_t kPersonsForTwo = 64;

  static absl::Status DeriveInThread(Deriver* deriver, std::span<const DirtyPerson> due,
                                     Derived* derived) {
    try {
      for (const DirtyPerson& person : due) {
        ASSIGN_OR_RETURN(*derived++, deriver->DerivePerson(person));
      }
    } catch (const std::exception& e) {
      return absl::InternalError(absl::StrCat("deriving stopped: ", e.what()));
    }
    return absl::OkStatus();
  }

  Deriver first_, second_;
};

absl::Status DeriveSlice(WebHouse* house, std::span<const DirtyPerson> persons,
                         DeriverPair* derivers) {
  absl::MutexLock lock(&house->derive_mutex());
  ASSIGN_OR_RETURN(const auto due, WhoIsDue(*house, persons));
  derivers->ReadSettings();
  ASSIGN_OR_RETURN(const std::vector<Derived> derived, derivers->DeriveAll(due));
  return derived.empty() ? absl::OkStatus() : house->ReplaceDerived(derived);
}

absl::Status DeriveKind(WebHouse* house, Person::Kind kind, DeriverPair* derivers, int64_t* done,
                        const std::function<void(int64_t)>& on_progress) {
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<DirtyPerson> dirty, house->Dirty(kind, kSlice));
    const std::span<const DirtyPerson> persons = dirty;
    for (size_t begin = 0; begin < persons.size(); begin += kPersonsPerWrite) {
      const auto slice = persons.subspan(begin, std::min(kPersonsPerWrite, persons.size() - begin));
      RETURN_IF_ERROR(DeriveSlice(house, slice, derivers));
      *done += static_cast<int64_t>(slice.size());
      if (on_progress) on_progress(*done);
    }
    // Who became dirty meanwhile is for the next call: on a busy site this one would never end.
    if (persons.size() < kSlice) return absl::OkStatus();
  }
}

}  // namespace

std::vector<Session> Sessionize(std::span<const Event> events, const SiteSettings& settings) {
  std::vector<Session> sessions;
  Cutter cutter(settings);
  size_t begin = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    if (!cutter.StartsVisit(events[i]) || i == begin) continue;
    sessions.push_back(MakeSession(events.subspan(begin, i - begin), settings));
    begin = i;
  }
  if (begin < events.size()) sessions.push_back(MakeSession(events.subspan(begin), settings));
  return sessions;
}

Customer Summarize(std::span<const Event> events, std::span<const Session> sessions) {
  Customer customer;
  customer.id = events.front().customer_id;
  customer.first_seen_ms = events.front().time_ms;
  customer.last_seen_ms = events.back().time_ms;
  customer.events = Count(events.size());
  if (!sessions.empty() && !sessions.front().robot.empty()) return customer;
  customer.sessions = Count(sessions.size());
  customer.orders = CountOrders(events);
  for (const Event& event : events) {
    if (MovesMoney(event)) {
      auto& sums =
          event.kind == EventKind::PURCHASE ? customer.bought_minor : customer.refunded_minor;
      AddTo(&sums[event.currency], ValueOf(event));
    }
    if (event.__isset.country) customer.__set_country(event.country);  // the newest one stays
  }
  return customer;
}

// Visitors first: with them go most customers whose marks are from the same events.
absl::Status DeriveAll(WebHouse* house, const std::function<void(int64_t)>& on_progress,
                       const RobotLists* robots) {
  if (robots == nullptr) robots = NoLists();
  RETURN_IF_ERROR(house->UseRobotLists(robots->digest()));
  DeriverPair derivers(house, robots);
  int64_t done = 0;
  RETURN_IF_ERROR(DeriveKind(house, Person::Kind::kVisitor, &derivers, &done, on_progress));
  return DeriveKind(house, Person::Kind::kCustomer, &derivers, &done, on_progress);
}

}  // namespace vitrine
