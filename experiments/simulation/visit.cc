#include "experiments/simulation/visit.h"

#include <algorithm>
#include <array>

#include "experiments/simulation/random.h"

namespace vitrine {

using simulation::Exp;
using simulation::Random;
using simulation::Stream;
using Page = Place::Page;

namespace {

// How sharply choices follow taste: a choice's weight is e^(this * cosine).
constexpr double kCategorySharpness = 4.0;
constexpr double kProductSharpness = 10.0;

constexpr int kListProducts = 12;  // on a page of a category or of search results
constexpr int kWishes = 60;        // products somebody knows of who searches for the best of them

// Intents of those that do not leave at once; the rest browse.
constexpr double kBounceShare = 0.3;
constexpr double kSearchShare = 0.35;
constexpr double kGiftShare = 0.07;
constexpr double kBuyAgainShare = 0.10;  // of visits by those who bought before

constexpr double kNextListChance = 0.7;
constexpr double kNextViewChance = 0.65;  // of another product from the same list
constexpr int kListsMax = 12;
constexpr int kViewsPerListMax = 5;

// To the cart with kCartChance * 1 / (1 + e^(-kCartSharpness * (cosine - kCartMidpoint))).
constexpr double kCartChance = 0.06;
constexpr double kCartSharpness = 8.0;
constexpr double kCartMidpoint = 0.5;
constexpr double kPurposeLift = 2.0;  // for those who search, give or buy again
constexpr double kBuyAgainCartChance = 0.4;
constexpr double kWishlistChance = 0.02;
constexpr double kSecondPieceChance = 0.1;
constexpr double kRemoveChance = 0.1;
constexpr double kCheckoutChance = 0.5;  // of those with something in the cart
constexpr double kPayChance = 0.65;      // of those at the checkout

constexpr double kSignedInOnWeb = 0.75;  // at the start, of those with an account
constexpr double kSignedInOnApp = 0.9;
constexpr double kSignInChance = 0.05;  // before each product view

constexpr double kMissingPageChance = 0.01;  // before each page
constexpr double kServerErrorChance = 0.002;
constexpr double kOldAddressChance = 0.03;  // of visits to the home page

constexpr double kMedianPauseMs = 22'000;
constexpr double kPauseSigma = 0.9;
constexpr int64_t kPauseMsMin = 1'000;
constexpr int64_t kPauseMsMax = 15 * 60'000;  // less than the usual session gap of 30 minutes

constexpr int64_t kRobotPagesMin = 5;
constexpr int64_t kRobotPagesMax = 60;
constexpr int64_t kScriptedPagesMax = 12;  // scripts are slow to run: those robots look at less
constexpr int64_t kReturnDaysMin = 3;
constexpr int64_t kReturnDaysMax = 14;

constexpr std::array<absl::string_view, 5> kReferrers = {
    "", "", "https://search.example/", "https://search.example/", "https://social.example/"};
constexpr absl::string_view kMailReferrer = "https://mail.example/";
constexpr absl::string_view kMonitorAgent = "HealthCheck/1.0";
constexpr absl::string_view kMonitorAddress = "127.0.0.1";

constexpr absl::CivilDay kEpoch(1970, 1, 1);

int64_t Pause(Random& random) {
  const double pause_ms = random.LogNormal(kMedianPauseMs, kPauseSigma);
  return std::clamp(static_cast<int64_t>(pause_ms), kPauseMsMin, kPauseMsMax);
}

// Draws an index in proportion to `weights`, once: no table is worth its making.
size_t DrawOnce(std::span<const double> weights, Random& random) {
  double sum = 0.0;
  for (const double weight : weights) sum += weight;
  double target = random.Uniform() * sum;
  for (size_t i = 0; i + 1 < weights.size(); ++i) {
    if (target < weights[i]) return i;
    target -= weights[i];
  }
  return weights.size() - 1;
}

// A customer walking through the shop: each function adds the steps of one thing people do.
class Walk {
 public:
  Walk(const Shop& shop, std::span<const uint32_t> bought, Random* random, Visit* visit)
      : shop_(shop),
        customer_(shop.customers()[visit->index]),
        bought_(bought),
        random_(*random),
        visit_(*visit),
        taste_(customer_.taste) {}

  // Returns the products bought, none if it came to no order. `order` is the number it would get.
  std::vector<Line> Run(int64_t start_ms, uint32_t order);

  int64_t now_ms() const { return now_ms_; }

 private:
  void Browse();
  void Search();
  void BuyAgain();

  Visit::Intent DrawIntent();
  void Arrive(int64_t start_ms);
  void ShowList(Place place, uint32_t category, std::optional<uint32_t> wanted);
  void ViewSome(Place list);
  void View(uint32_t product, Place from);
  void PutIntoCart(uint32_t product);
  void SignIn();
  void LookAtCart();
  bool CheckOut(uint32_t order);

  uint32_t DrawCategory();
  double Pull(uint32_t product) const;
  double CartChance(uint32_t product) const;

  void Add(EventKind kind, Place place, std::span<const Line> lines = {});
  void Stumble(Place place);

  const Shop& shop_;
  const Shop::Customer& customer_;
  const std::span<const uint32_t> bought_;
  Random& random_;
  Visit& visit_;
  Shop::Direction taste_;  // of the visit: somebody else's when looking for a gift
  int64_t now_ms_ = 0;
  bool signed_in_ = false;
  Place here_;
  std::vector<uint32_t> shown_;  // on the list in view
  std::vector<double> weights_;
  std::vector<Line> cart_;
};

std::vector<Line> Walk::Run(int64_t start_ms, uint32_t order) {
  Arrive(start_ms);
  if (random_.Chance(kBounceShare)) return {};
  visit_.intent = DrawIntent();
  switch (visit_.intent) {
    case Visit::Intent::kBrowse:
      Browse();
      break;
    case Visit::Intent::kSearch:
      Search();
      break;
    case Visit::Intent::kGift:
      // Somebody else's taste: noise to whoever learns from this customer's history.
      taste_ = RandomDirection(random_);
      Browse();
      break;
    case Visit::Intent::kBuyAgain:
      BuyAgain();
      break;
  }
  if (cart_.empty()) return {};
  LookAtCart();
  return CheckOut(order) ? cart_ : std::vector<Line>();
}

Visit::Intent Walk::DrawIntent() {
  if (!bought_.empty() && random_.Chance(kBuyAgainShare)) return Visit::Intent::kBuyAgain;
  if (random_.Chance(kSearchShare)) return Visit::Intent::kSearch;
  if (random_.Chance(kGiftShare)) return Visit::Intent::kGift;
  return Visit::Intent::kBrowse;
}

void Walk::Arrive(int64_t start_ms) {
  now_ms_ = start_ms;
  const bool app = visit_.channel == Channel::APP;
  signed_in_ = customer_.has_account && random_.Chance(app ? kSignedInOnApp : kSignedInOnWeb);
  if (random_.Chance(kOldAddressChance)) {
    Add(EventKind::PAGE_VIEW, {Page::kIndexHtml});
    visit_.steps.back().tracked = false;
    visit_.steps.back().status = 301;
  }
  Add(EventKind::PAGE_VIEW, {Page::kHome});
}

void Walk::Browse() {
  for (int lists = 0; lists < kListsMax; ++lists) {
    const uint32_t category = DrawCategory();
    ShowList({Page::kCategory, category}, category, std::nullopt);
    ViewSome(here_);
    if (!random_.Chance(kNextListChance)) return;
  }
}

void Walk::Search() {
  // They know some products, wherever the shop shows them, and want one of them.
  std::array<uint32_t, kWishes> wishes;
  std::array<double, kWishes> weights;
  for (int i = 0; i < kWishes; ++i) {
    wishes[i] = static_cast<uint32_t>(random_.Below(shop_.products().size()));
    weights[i] = Pull(wishes[i]);
  }
  const uint32_t wanted = wishes[DrawOnce(weights, random_)];
  const Place results = {Page::kSearch, wanted};
  Add(EventKind::SEARCH, results);
  ShowList(results, shop_.products()[wanted].category, wanted);
  View(wanted, results);
  ViewSome(results);
}

void Walk::BuyAgain() {
  const uint32_t product = bought_[random_.Below(bought_.size())];
  View(product, here_);
  if (cart_.empty() && random_.Chance(kBuyAgainCartChance)) PutIntoCart(product);
}

// Shows a page of products of the category, and the wanted one first.
void Walk::ShowList(Place place, uint32_t category, std::optional<uint32_t> wanted) {
  shown_.clear();
  if (wanted.has_value()) shown_.push_back(*wanted);
  for (int i = 0; i < kListProducts; ++i) {
    const uint32_t product = shop_.DrawShown(category, random_);
    if (std::find(shown_.begin(), shown_.end(), product) == shown_.end()) shown_.push_back(product);
  }
  std::vector<Line> lines;
  for (const uint32_t product : shown_) lines.push_back({product});
  Add(EventKind::VIEW_ITEM_LIST, place, lines);
}

// Views products of the list shown, those that please more likely.
void Walk::ViewSome(Place list) {
  weights_.clear();
  for (const uint32_t product : shown_) weights_.push_back(Pull(product));
  for (int views = 0; views < kViewsPerListMax && random_.Chance(kNextViewChance); ++views) {
    const size_t chosen = DrawOnce(weights_, random_);
    if (weights_[chosen] == 0.0) return;
    weights_[chosen] = 0.0;  // not twice
    View(shown_[chosen], list);
  }
}

void Walk::View(uint32_t product, Place from) {
  if (!signed_in_ && customer_.has_account && random_.Chance(kSignInChance)) SignIn();
  here_ = from;
  const Place page = {Page::kProduct, product};
  Stumble(page);
  const Line line = {product};
  Add(EventKind::VIEW_ITEM, page, {&line, 1});
  if (random_.Chance(CartChance(product))) {
    PutIntoCart(product);
  } else if (random_.Chance(kWishlistChance)) {
    Add(EventKind::ADD_TO_WISHLIST, page, {&line, 1});
  }
}

// How strongly the product attracts whoever sees it among others.
double Walk::Pull(uint32_t product) const {
  return Exp(kProductSharpness * Cosine(taste_, shop_.products()[product].direction));
}

double Walk::CartChance(uint32_t product) const {
  const Shop::Product& p = shop_.products()[product];
  const double liking =
      1.0 / (1.0 + Exp(-kCartSharpness * (Cosine(taste_, p.direction) - kCartMidpoint)));
  const double affordable = std::min(
      1.0, static_cast<double>(customer_.budget_minor) / static_cast<double>(p.price_minor));
  const double purpose = visit_.intent == Visit::Intent::kBrowse ? 1.0 : kPurposeLift;
  const double lift = customer_.treated ? 1.0 + shop_.options().treatment_lift : 1.0;
  return kCartChance * liking * affordable * purpose * lift;
}

void Walk::PutIntoCart(uint32_t product) {
  for (const Line& line : cart_) {
    if (line.product == product) return;
  }
  cart_.push_back({product, random_.Chance(kSecondPieceChance) ? 2 : 1});
  Add(EventKind::ADD_TO_CART, here_, {&cart_.back(), 1});
}

void Walk::SignIn() {
  signed_in_ = true;
  Add(EventKind::LOGIN, {Page::kLogin});
}

void Walk::LookAtCart() {
  Add(EventKind::VIEW_CART, {Page::kCart}, cart_);
  if (cart_.size() > 1 && random_.Chance(kRemoveChance)) {
    const Line removed = cart_.back();
    cart_.pop_back();
    Add(EventKind::REMOVE_FROM_CART, {Page::kCart}, {&removed, 1});
  }
}

bool Walk::CheckOut(uint32_t order) {
  if (!random_.Chance(kCheckoutChance)) return false;
  if (!signed_in_ && customer_.has_account) SignIn();
  Add(EventKind::BEGIN_CHECKOUT, {Page::kCheckout}, cart_);
  if (!random_.Chance(kPayChance)) return false;
  Add(EventKind::PURCHASE, {Page::kOrder, order}, cart_);
  visit_.steps.back().order = order;
  return true;
}

uint32_t Walk::DrawCategory() {
  const absl::CivilDay day = DayOf(now_ms_);
  weights_.clear();
  for (uint32_t c = 0; c < shop_.categories().size(); ++c) {
    const Shop::Category& category = shop_.categories()[c];
    weights_.push_back(category.appeal * shop_.Season(c, day) *
                       Exp(kCategorySharpness * Cosine(taste_, category.direction)));
  }
  return static_cast<uint32_t>(DrawOnce(weights_, random_));
}

// Sometimes the way to a page leads over one that is not there, or the server fails once.
void Walk::Stumble(Place place) {
  if (random_.Chance(kMissingPageChance)) {
    Add(EventKind::PAGE_VIEW, {Page::kMissing, place.number});
    visit_.steps.back().status = 404;
  } else if (random_.Chance(kServerErrorChance)) {
    Add(EventKind::PAGE_VIEW, place);
    visit_.steps.back().status = 500;
  } else {
    return;
  }
  visit_.steps.back().tracked = false;
}

void Walk::Add(EventKind kind, Place place, std::span<const Line> lines) {
  Step& step = visit_.steps.emplace_back();
  step.time_ms = now_ms_;
  step.kind = kind;
  step.place = place;
  step.from = here_;
  step.signed_in = signed_in_;
  step.lines_begin = static_cast<uint32_t>(visit_.lines.size());
  visit_.lines.insert(visit_.lines.end(), lines.begin(), lines.end());
  step.lines_end = static_cast<uint32_t>(visit_.lines.size());
  here_ = place;
  now_ms_ += Pause(random_);
}

}  // namespace

int64_t StartOfDay(absl::CivilDay day) { return (day - kEpoch) * kDayMs; }

absl::CivilDay DayOf(int64_t time_ms) { return kEpoch + time_ms / kDayMs; }

VisitPlanner::VisitPlanner(const Shop* shop) : shop_(shop), memories_(shop->customers().size()) {}

std::optional<Visit> VisitPlanner::Customer(uint32_t customer, int64_t start_ms) {
  Memory& memory = memories_[customer];
  if (start_ms < memory.busy_until_ms) return std::nullopt;
  const Shop::Customer& who = shop_->customers()[customer];
  Visit visit;
  visit.number = ++visits_;
  visit.index = customer;
  Random random(shop_->options().seed, Stream::kVisit, visit.number);
  const bool app = random.Chance(who.app_share);
  const bool email = !app && random.Chance(who.email_share);
  visit.channel = app ? Channel::APP : email ? Channel::EMAIL : Channel::WEB;
  visit.visitor_id = shop_->VisitorId(customer, app ? Shop::Device::kApp : Shop::Device::kBrowser,
                                      DayOf(start_ms));
  visit.address = who.address;
  visit.user_agent = app ? who.app : who.browser;
  if (email) visit.referrer = kMailReferrer;
  if (!app && !email) visit.referrer = kReferrers[random.Below(kReferrers.size())];

  Walk walk(*shop_, memory.bought, &random, &visit);
  const std::vector<Line> order = walk.Run(start_ms, orders_ + 1);
  if (!order.empty()) ++orders_;
  for (const Line& line : order) memory.bought.push_back(line.product);
  memory.busy_until_ms = walk.now_ms();
  return visit;
}

// Robots read robots.txt, then pages in any order, at their own steady pace.
Visit VisitPlanner::Robot(uint32_t robot, int64_t start_ms) {
  const Shop::Robot& who = shop_->robots()[robot];
  Visit visit;
  visit.number = ++visits_;
  visit.who = Visit::Who::kRobot;
  visit.index = robot;
  visit.visitor_id = who.visitor_id;
  visit.address = who.address;
  visit.user_agent = who.user_agent;
  Random random(shop_->options().seed, Stream::kVisit, visit.number);
  const int64_t pace_ms = random.Between(500, 5000);
  visit.steps.push_back({.time_ms = start_ms, .place = {Page::kRobotsTxt}, .tracked = false});
  int64_t left =
      random.Between(kRobotPagesMin, who.runs_scripts ? kScriptedPagesMax : kRobotPagesMax);
  for (; left > 0; --left) {
    Step step = {.time_ms = visit.steps.back().time_ms + pace_ms, .tracked = who.runs_scripts};
    if (random.Chance(0.1)) {
      step.kind = EventKind::PAGE_VIEW;
      step.place = {Page::kCategory,
                    static_cast<uint32_t>(random.Below(shop_->categories().size()))};
    } else {
      const uint32_t product = static_cast<uint32_t>(random.Below(shop_->products().size()));
      step.kind = EventKind::VIEW_ITEM;
      step.place = {Page::kProduct, product};
      step.lines_begin = static_cast<uint32_t>(visit.lines.size());
      visit.lines.push_back({product});
      step.lines_end = static_cast<uint32_t>(visit.lines.size());
    }
    visit.steps.push_back(step);
  }
  return visit;
}

Visit VisitPlanner::HealthCheck(int64_t start_ms) {
  Visit visit;
  visit.number = ++visits_;
  visit.who = Visit::Who::kMonitor;
  visit.address = kMonitorAddress;
  visit.user_agent = kMonitorAgent;
  visit.steps.push_back({.time_ms = start_ms, .place = {Page::kHealth}, .tracked = false});
  return visit;
}

std::optional<Visit> VisitPlanner::Return(const Visit& visit) {
  if (visit.steps.back().kind != EventKind::PURCHASE) return std::nullopt;
  const Step& purchase = visit.steps.back();
  Random random(shop_->options().seed, Stream::kReturn, purchase.order);
  if (!random.Chance(shop_->options().return_share)) return std::nullopt;
  const std::span<const Line> bought = visit.LinesOf(purchase);
  const int64_t days_ms = random.Between(kReturnDaysMin * kDayMs, kReturnDaysMax * kDayMs);

  Visit refund;
  refund.number = ++visits_;
  refund.who = Visit::Who::kBackOffice;
  refund.index = visit.index;
  refund.channel = Channel::OTHER_CHANNEL;
  refund.visitor_id = visit.visitor_id;
  refund.lines = {bought[random.Below(bought.size())]};
  refund.steps.push_back({.time_ms = purchase.time_ms + days_ms,
                          .kind = EventKind::REFUND,
                          .signed_in = purchase.signed_in,
                          .lines_end = 1,
                          .order = purchase.order});
  return refund;
}

}  // namespace vitrine
