#include "api/render/messages.h"

#include <algorithm>

namespace vitrine {
namespace {

// By key (bytewise), as tests/api/render_test.cc checks.
// clang-format counts bytes, and breaks Persian lines anew each time.
// clang-format off
constexpr MessageEntry kCatalogue[] = {
    {"channel.app", "app", "اپلیکیشن"},
    {"channel.call_center", "call centre", "مرکز تماس"},
    {"channel.email", "e-mail", "ایمیل"},
    {"channel.other", "other", "سایر"},
    {"channel.sms", "SMS", "پیامک"},
    {"channel.store", "store", "فروشگاه"},
    {"channel.web", "web", "وب"},
    {"column.antecedent", "who has this in the basket", "با این در سبد"},
    {"column.channel", "channel", "کانال"},
    {"column.confidence", "confidence", "اطمینان"},
    {"column.consequent", "also buys", "این هم خریده می‌شود"},
    {"column.conversion", "conversion", "نرخ تبدیل"},
    {"column.customers", "customers", "مشتریان"},
    {"column.day", "day", "روز"},
    {"column.device", "device", "دستگاه"},
    {"column.events", "events", "رویدادها"},
    {"column.from", "from", "از صفحهٔ"},
    {"column.leverage", "leverage", "اهرم"},
    {"column.lift", "lift", "لیفت"},
    {"column.of_all", "of all", "از کل"},
    {"column.of_previous", "of the stage before", "از مرحلهٔ پیش"},
    {"column.orders", "orders", "سفارش‌ها"},
    {"column.page", "page", "صفحه"},
    {"column.page_views", "page views", "بازدید صفحه"},
    {"column.path", "path", "مسیر"},
    {"column.probability", "probability", "احتمال"},
    {"column.product", "product", "محصول"},
    {"column.products", "products", "محصولات"},
    {"column.referrer_class", "came by", "ورود از"},
    {"column.search_terms", "searched for", "عبارت جستجو"},
    {"column.searches", "searches", "جستجوها"},
    {"column.sessions", "sessions", "نشست‌ها"},
    {"column.share", "share", "سهم"},
    {"column.site", "site", "سایت"},
    {"column.stage", "stage", "مرحله"},
    {"column.support", "support", "پشتیبان"},
    {"column.times", "times", "دفعات"},
    {"column.to", "next", "به صفحهٔ"},
    {"column.visitors", "people", "افراد"},
    {"column.with_order", "with an order", "با سفارش"},
    {"column.without_click", "without a click", "بدون کلیک"},
    {"device.desktop", "desktop", "رایانه"},
    {"device.mobile", "mobile", "موبایل"},
    {"device.tablet", "tablet", "تبلت"},
    {"mine.approximate",
     "There were more different pages, paths or searches than are counted at once: a count may be "
     "too low by up to {0}.",
     "شمار صفحه‌ها، مسیرها یا جستجوهای گوناگون بیش از آن بود که یک‌جا شمرده شود: هر شمارش ممکن است تا {0} کمتر از مقدار واقعی باشد."},
    {"mine.cut_visits",
     "{0} sessions were longer than {1} events; only their last {1} were looked at.",
     "{0} نشست بیش از {1} رویداد داشتند و تنها {1} رویداد پایانی آن‌ها بررسی شد."},
    {"mine.grouped_pages",
     "In paths and in the graph, pages of one kind are one: every product's page is \"product\".",
     "در مسیرها و نمودار گذر، صفحه‌های هم‌نوع یکی شمرده شده‌اند: صفحهٔ هر محصولی «محصول» است."},
    {"mine.higher_support",
     "More than {0} patterns were frequent enough in \"{1}\": only those that occur at least {2} "
     "times are counted.",
     "بیش از {0} الگوی پرتکرار در «{1}» بود: تنها الگوهایی آمده‌اند که دست‌کم {2} بار رخ داده‌اند."},
    {"mine.inferred_views",
     "{0} views of pages came out of the browser's cache and are inferred from referrers: they are part of paths and of the graph, "
     "and no page views.",
     "{0} بازدید از حافظهٔ مرورگر آمده و از ارجاع‌دهنده‌ها دریافته شده‌اند: در مسیرها و نمودار گذر هستند و بازدید صفحه شمرده نمی‌شوند."},
    {"mine.pending",
     "{0} events are so new that they lie in no session yet; they are not part of this.",
     "{0} رویداد چنان تازه‌اند که هنوز در هیچ نشستی نیستند و در این گزارش نیامده‌اند."},
    {"mine.period", "Sessions that began from {0} to {1}, days in {2}.",
     "نشست‌های آغازشده از {0} تا {1}، روزها به وقت {2}."},
    {"mine.robots", "{0} sessions of robots are left out.",
     "{0} نشست ربات‌ها کنار گذاشته شده است."},
    {"mine.sampled_orders",
     "What is bought together is counted in a fair sample: {0} of {1} orders.",
     "خریدهای هم‌زمان در نمونه‌ای تصادفی شمرده شده‌اند: {0} سفارش از "
     "{1}."},
    {"mine.sampled_sequences", "Sequences are counted in a fair sample: {0} of {1} (\"{2}\").",
     "توالی‌ها در نمونه‌ای تصادفی شمرده شده‌اند: {0} از "
     "{1} "
     "(«{2}»)."},
    {"mine.title", "What the clickstream of {0} says",
     "جریان کلیک {0} چه می‌گوید"},
    {"page.cart", "cart", "سبد خرید"},
    {"page.checkout", "checkout", "تسویه‌حساب"},
    {"page.exit", "(leaves)", "(خروج)"},
    {"page.list", "product list", "فهرست محصولات"},
    {"page.order", "order placed", "ثبت سفارش"},
    {"page.product", "product", "محصول"},
    {"page.search", "search results", "نتایج جستجو"},
    {"page.unnamed", "a page without address", "صفحهٔ بی‌نشانی"},
    {"referrer.campaign", "campaign", "کمپین"},
    {"referrer.direct", "direct", "مستقیم"},
    {"referrer.mail", "mail", "ایمیل"},
    {"referrer.referral", "another site", "سایت دیگر"},
    {"referrer.search_engine", "search engine", "موتور جستجو"},
    {"referrer.social", "social network", "شبکهٔ اجتماعی"},
    {"render.contents", "Contents", "فهرست"},
    {"render.empty", "Nothing to show here.", "چیزی برای نمایش نیست."},
    {"render.footer",
     "Made by Vitrine. The page is complete in itself and loads nothing from anywhere.",
     "ساختهٔ ویترین. این صفحه خودبسنده است و چیزی از جای دیگری بارگذاری نمی‌کند."},
    {"render.notes", "Notes", "یادداشت‌ها"},
    {"render.plot", "{0} by {1}", "{0} به تفکیک {1}"},
    {"render.plot_graph", "Arrows: the thicker, the more often",
     "پیکان‌ها: هرچه پهن‌تر، پرتکرارتر"},
    {"render.sort", "Sort by this column", "مرتب‌سازی بر پایهٔ این ستون"},
    {"stage.cart", "cart", "سبد خرید"},
    {"stage.checkout", "checkout", "تسویه‌حساب"},
    {"stage.order", "order", "سفارش"},
    {"stage.product", "product", "محصول"},
    {"stage.visit", "visit", "بازدید"},
    {"table.bought_sequences", "Bought in later orders", "خریدهای پی‌درپی"},
    {"table.bought_together", "Bought together", "خریدهای هم‌زمان"},
    {"table.by_channel", "Sessions by channel", "نشست‌ها به تفکیک کانال"},
    {"table.by_day", "Sessions by day", "نشست‌ها در هر روز"},
    {"table.by_device", "Sessions by device", "نشست‌ها به تفکیک دستگاه"},
    {"table.by_referrer", "How visits came", "راه‌های ورود به فروشگاه"},
    {"table.entry_pages", "Entry pages", "صفحه‌های ورود"},
    {"table.exit_pages", "Exit pages", "صفحه‌های خروج"},
    {"table.funnel", "Funnel", "قیف خرید"},
    {"table.overview", "In short", "در یک نگاه"},
    {"table.paths", "Paths", "مسیرها"},
    {"table.searches", "Searches with no click after them", "جستجوهای بی‌کلیک"},
    {"table.sites", "Sites", "سایت‌ها"},
    {"table.transitions", "What comes next", "گذر از صفحه به صفحه"},
    {"table.viewed_sequences", "Viewed one after the other", "بازدیدهای پی‌درپی"},
    {"unknown", "unknown", "نامشخص"},
};
// clang-format on

}  // namespace

std::span<const MessageEntry> AllMessages() { return kCatalogue; }

std::optional<absl::string_view> FindMessage(Language language, absl::string_view key) {
  const auto* entry = std::lower_bound(
      std::begin(kCatalogue), std::end(kCatalogue), key,
      [](const MessageEntry& e, absl::string_view wanted) { return e.key < wanted; });
  if (entry == std::end(kCatalogue) || entry->key != key) return std::nullopt;
  return language == Language::kEnglish ? entry->english : entry->persian;
}

}  // namespace vitrine
