#include "recommender/segments/segment_people.h"

#include <algorithm>
#include <utility>

#include "store/base/segment_limits.h"
#include "store/base/status_macros.h"
#include "store/key_format.h"

namespace vitrine {
namespace {

constexpr int64_t kDayMs = 86'400'000;

// Gives a store's customers one by one: their events come from one scan, rows of the customer file,
// which some have without an event, from another.
class Everybody {
 public:
  using Take = absl::FunctionRef<absl::Status(const std::string&, CustomerProfile)>;

  Everybody(const WebHouse& house, Take take)
      : house_(house), take_(take), facts_(house.AllCustomerFacts()), robots_(house.Robots()) {}

  absl::Status Read() {
    const absl::Status read = ReadAll();
    const absl::Status facts_read = facts_.Finish();
    const absl::Status robots_read = robots_.Finish();
    RETURN_IF_ERROR(read);
    RETURN_IF_ERROR(facts_read);
    return robots_read;
  }

 private:
  absl::Status ReadAll() {
    absl::Status status;
    const absl::Status read = house_.ForEachResolved([&](const Person& person, const Event& event) {
      if (!status.ok() || person.kind != Person::Kind::kCustomer) return;
      if (person.id != customer_) {
        status = End();
        customer_ = person.id;
      }
      if (events_.size() < limits::kSegmentEventsMax) events_.push_back(event);
    });
    RETURN_IF_ERROR(read);
    RETURN_IF_ERROR(status);
    RETURN_IF_ERROR(End());
    while (facts_.Valid()) RETURN_IF_ERROR(TakeFactsAlone());
    return absl::OkStatus();
  }

  absl::Status End() {
    if (events_.empty()) return absl::OkStatus();
    while (facts_.Valid() && facts_.value().id < customer_) RETURN_IF_ERROR(TakeFactsAlone());
    CustomerProfile profile;
    if (facts_.Valid() && facts_.value().id == customer_) {
      profile.facts = facts_.value();
      facts_.Next();
    }
    std::reverse(events_.begin(), events_.end());
    profile.events = std::exchange(events_, {});
    return TakeHuman(customer_, std::move(profile));
  }

  absl::Status TakeFactsAlone() {
    CustomerProfile profile;
    profile.facts = facts_.value();
    facts_.Next();
    const std::string customer = profile.facts->id;
    return TakeHuman(customer, std::move(profile));
  }

  absl::Status TakeHuman(const std::string& customer, CustomerProfile profile) {
    if (robots_.IsRobot(keys::PersonPrefix(Person::Customer(customer)))) return absl::OkStatus();
    return take_(customer, std::move(profile));
  }

  const WebHouse& house_;
  const Take take_;
  CustomerFactsCursor facts_;
  RobotScan robots_;
  std::string customer_;
  std::vector<Event> events_;  // of the customer, newest first
};

}  // namespace

absl::StatusOr<std::shared_ptr<const FittedWorth>> FitWorth(const WebHouse& house) {
  auto worth = std::make_shared<FittedWorth>();
  ASSIGN_OR_RETURN(const CustomerBase base, ReadCustomerBase(house, worth->options));
  worth->options.currency = base.currency;
  worth->model = FitValueModel(Histories(base), base.last_day, {});
  return worth;
}

absl::StatusOr<std::optional<CustomerValue>> WorthOf(const WebHouse& house,
                                                     const FittedWorth& worth,
                                                     absl::string_view customer, int64_t now_ms) {
  ASSIGN_OR_RETURN(const std::vector<PurchaseDay> days,
                   ReadPurchaseDays(house, Person::Customer(customer), worth.options));
  return ScoreCustomer(worth.model, days, static_cast<int32_t>(now_ms / kDayMs));
}

SegmentPeople::SegmentPeople(const WebHouse* house, const std::vector<Clustering>* clusterings,
                             std::shared_ptr<const FittedWorth> worth, DeviceOf device_of)
    : house_(*house), worth_(std::move(worth)) {
  world_.session_gap_ms = house_.GetSettings().session_gap_ms;
  world_.category_of = [this](absl::string_view product) { return CategoryOf(product); };
  world_.device_of = std::move(device_of);
  world_.value = worth_ == nullptr ? nullptr : &worth_->model;
  world_.clusterings = clusterings;
}

std::string SegmentPeople::CategoryOf(absl::string_view product) const {
  const std::string id(product);
  const auto found = house_.GetProducts({&id, 1});
  // One that cannot be read has none; whoever reads events of the same store meets the error.
  return found.ok() ? found->front()->category : "";
}

absl::Status SegmentPeople::AddDays(const std::string& customer, CustomerProfile* profile) const {
  if (worth_ == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(profile->days,
                   ReadPurchaseDays(house_, Person::Customer(customer), worth_->options));
  return absl::OkStatus();
}

absl::StatusOr<std::optional<CustomerProfile>> SegmentPeople::Read(
    const std::string& customer) const {
  const Person person = Person::Customer(customer);
  const std::string prefix = keys::PersonPrefix(person);
  RobotScan robots(house_.Robots(prefix));
  const bool is_robot = robots.IsRobot(prefix);
  RETURN_IF_ERROR(robots.Finish());
  if (is_robot) return std::nullopt;
  CustomerProfile profile;
  absl::StatusOr<CustomerFacts> facts = house_.GetCustomerFacts(customer);
  if (facts.ok()) {
    profile.facts = *std::move(facts);
  } else if (!absl::IsNotFound(facts.status())) {
    return facts.status();
  }
  ASSIGN_OR_RETURN(profile.events, house_.ResolvedHistory(person, limits::kSegmentEventsMax));
  if (profile.events.empty() && !profile.facts) return std::nullopt;
  std::reverse(profile.events.begin(), profile.events.end());
  RETURN_IF_ERROR(AddDays(customer, &profile));
  return profile;
}

absl::Status SegmentPeople::ForEach(Use use) const {
  bool stopped = false;
  const absl::Status read =
      Everybody(house_, [&](const std::string& customer, CustomerProfile profile) -> absl::Status {
        RETURN_IF_ERROR(AddDays(customer, &profile));
        if (use(customer, profile)) return absl::OkStatus();
        stopped = true;
        return absl::CancelledError("stopped");
      }).Read();
  return stopped ? absl::OkStatus() : read;
}

}  // namespace vitrine
