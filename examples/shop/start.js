// Language, direction and site, before anything is drawn; then the tracker, told which site this is.
"use strict";

const query = new URLSearchParams(location.search);
const shop = {
  site: query.get("site") || "gifts",
  language: query.get("lang") === "fa" ? "fa" : "en",
};
document.documentElement.lang = shop.language;
document.documentElement.dir = shop.language === "fa" ? "rtl" : "ltr";

const tracker = document.createElement("script");
tracker.src = "/vitrine.js";
tracker.dataset.site = shop.site;
// Whoever refused is not asked again; until the page says yes, the tracker keeps and sends nothing.
shop.refused = localStorage.getItem("shop.consent") === "no";
if (shop.refused) tracker.dataset.consent = "ask";
if (query.get("key")) tracker.dataset.key = query.get("key");
shop.tracked = new Promise((done, failed) => {
  tracker.onload = done;
  tracker.onerror = failed;
});
document.head.append(tracker);
