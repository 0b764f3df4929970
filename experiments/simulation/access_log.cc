#include "experiments/simulation/access_log.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

#include "experiments/simulation/random.h"

namespace vitrine::simulation {

using Page = Place::Page;

namespace {

constexpr std::array<absl::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

constexpr std::array<absl::string_view, 3> kSiteAssets = {"/assets/shop.css", "/assets/shop.js",
                                                          "/assets/logo.svg"};
constexpr size_t kThumbnails = 3;  // of a list that are in view before one scrolls
constexpr int64_t kAssetBytes = 5120;

// Any page has its size, always the same.
int64_t PageBytes(Place place) {
  const uint64_t which = (static_cast<uint64_t>(place.page) << 32) + place.number;
  return 2'000 + static_cast<int64_t>(Mix(which + 1) % 30'000);
}

// What a form posts to, for kinds that change something: the server answers with a redirect.
absl::string_view FormOf(EventKind kind) {
  switch (kind) {
    case EventKind::ADD_TO_CART:
      return "/cart/add/";
    case EventKind::REMOVE_FROM_CART:
      return "/cart/remove/";
    case EventKind::ADD_TO_WISHLIST:
      return "/wishlist/add/";
    default:
      return "";
  }
}

// Robots leave assets alone; the app has its own.
bool HasAssets(const Visit& visit) {
  return visit.who == Visit::Who::kCustomer && visit.channel != Channel::APP;
}

}  // namespace

int64_t AccessLog::Append(const Visit& visit, const Step& step, std::string* out) {
  if (step.place.page == Page::kOutside) return 0;
  Request request = PageRequest(visit, step);
  AppendLine(visit, step.time_ms, request, out);
  if (step.kind == EventKind::PURCHASE) {
    // The redirect that answered the form leads to the order's page.
    request.method = "GET";
    request.path.clear();
    AppendPath(*shop_, visit.channel, step.place, &request.path);
    request.status = 200;
    request.bytes = PageBytes(step.place);
    AppendLine(visit, step.time_ms, request, out);
    return 2;
  }
  if (request.status != 200 || !HasAssets(visit)) return 1;
  return 1 + AppendAssets(visit, step, out);
}

AccessLog::Request AccessLog::PageRequest(const Visit& visit, const Step& step) const {
  Request request;
  request.status = step.status;
  if (step.from.page != Page::kOutside) {
    AppendUrl(*shop_, visit.channel, step.from, &request.referrer);
  } else {
    request.referrer = std::string(visit.referrer);
  }
  const absl::string_view form = FormOf(step.kind);
  if (!form.empty()) {
    const uint32_t product = visit.LinesOf(step).front().product;
    request.path = absl::StrCat(visit.channel == Channel::APP ? "/app" : "", form,
                                shop_->products()[product].id);
  } else {
    const Place place = step.kind == EventKind::PURCHASE ? Place{Page::kCheckout} : step.place;
    AppendPath(*shop_, visit.channel, place, &request.path);
  }
  if (!form.empty() || step.kind == EventKind::PURCHASE || step.kind == EventKind::LOGIN) {
    request.method = "POST";
    request.status = 303;
  }
  if (request.status == 200) request.bytes = PageBytes(step.place);
  return request;
}

int64_t AccessLog::AppendAssets(const Visit& visit, const Step& step, std::string* out) {
  std::string page;
  AppendUrl(*shop_, visit.channel, step.place, &page);
  int64_t lines = 0;
  const auto append = [&](std::string path, bool cached) {
    AppendLine(visit, step.time_ms,
               {.path = std::move(path),
                .status = cached ? 304 : 200,
                .bytes = cached ? 0 : kAssetBytes,
                .referrer = page},
               out);
    ++lines;
  };
  if (step.place.page == Page::kHome) {
    const bool cached = visit.number % 3 != 0;
    for (const absl::string_view asset : kSiteAssets) append(std::string(asset), cached);
  }
  const std::span<const Line> shown = visit.LinesOf(step);
  if (step.kind == EventKind::VIEW_ITEM || step.kind == EventKind::VIEW_ITEM_LIST) {
    for (size_t i = 0; i < std::min(shown.size(), kThumbnails); ++i) {
      append(absl::StrCat("/images/", shop_->products()[shown[i].product].id, ".jpg"),
             (visit.number + i) % 4 == 0);
    }
  }
  return lines;
}

void AccessLog::AppendLine(const Visit& visit, int64_t time_ms, const Request& request,
                           std::string* out) {
  absl::StrAppend(out, visit.address, " - - [", TimeText(time_ms), "] \"", request.method, " ",
                  request.path, " HTTP/1.1\" ");
  absl::StrAppend(out, request.status, " ", request.bytes, " \"",
                  request.referrer.empty() ? "-" : absl::string_view(request.referrer), "\" \"",
                  visit.user_agent);
  out->append("\"\n");
}

absl::string_view AccessLog::TimeText(int64_t time_ms) {
  const int64_t second = time_ms / 1000;
  if (second != second_) {
    second_ = second;
    const absl::CivilSecond t = absl::CivilSecond(1970, 1, 1) + second;
    const auto two = [](int64_t n) { return absl::Dec(n, absl::kZeroPad2); };
    time_text_ = absl::StrCat(two(t.day()), "/", kMonths[t.month() - 1], "/", t.year(), ":");
    absl::StrAppend(&time_text_, two(t.hour()), ":", two(t.minute()), ":", two(t.second()),
                    " +0000");
  }
  return time_text_;
}

}  // namespace vitrine::simulation
