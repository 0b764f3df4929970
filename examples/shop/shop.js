// A shop of three pages (home, a product, the cart) in one file: every view tells Vitrine what was
// looked at, then asks for all of its shelves in one call.
"use strict";

// The most important first: what two of them want is shown on the first.
const shelvesOf = {
  home: [["home", 6], ["recently-viewed", 6], ["trending", 6], ["new", 6]],
  product: [["similar", 6], ["also-viewed", 6], ["bought-together", 6]],
  cart: [["cart", 6], ["home", 6]],
  order: [["order", 6]],
};

// --- What the page remembers ---
// There is no catalogue to ask: a product is what a shelf said of it.
const remember = (key, value) => sessionStorage.setItem(key, JSON.stringify(value));
const recall = (key) => JSON.parse(sessionStorage.getItem(key) || "{}");
const products = () => recall("shop.products");
const cart = () => recall("shop.cart"); // pieces by product

// --- Drawing ---
const main = document.getElementById("main");

// element("li", {class: "x"}, "text", child...): strings are text, never markup.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter(Boolean));
  return made;
}

const number = (n) => new Intl.NumberFormat(shop.language).format(n);

function price(product, pieces = 1) {
  if (product.price_minor === undefined) return texts.noPrice;
  const amount = (product.price_minor * pieces) / 100;
  if (!product.currency) return number(amount);
  return new Intl.NumberFormat(shop.language, { style: "currency", currency: product.currency })
    .format(amount);
}

// A picture for those that have none: their initials, in a colour that is always theirs.
function picture(product) {
  const name = product.name || product.product_id;
  let hue = 0;
  for (const c of name) hue = (hue * 31 + c.codePointAt(0)) % 360;
  const made = element("div", { class: "picture", "aria-hidden": "true" },
    name.split(/\s+/).slice(0, 2).map((word) => [...word][0]).join(""));
  made.style.background = `hsl(${hue} 42% 48%)`;
  return made;
}

function card(product, shelf) {
  return element("li", {},
    element("a", { class: "card", href: `#/product/${encodeURIComponent(product.product_id)}`,
      "data-product": product.product_id, "data-vitrine": shelf.recommendation_id },
      picture(product),
      element("div", { class: "words" },
        element("span", { class: "name" }, element("bdi", {}, product.name || product.product_id)),
        element("span", { class: "price" }, price(product)),
        product.reason && element("span", { class: "reason" }, product.reason))));
}

function drawShelf(shelf) {
  if (!shelf.suggestions.length) return null;
  return element("section", { "data-shelf": shelf.placement },
    element("h2", {}, shelf.title),
    element("ul", { class: "shelf" }, ...shelf.suggestions.map((one) => card(one, shelf))));
}

// --- Views ---
function drawHeader() {
  for (const said of document.querySelectorAll("[data-text]")) {
    said.textContent = texts[said.dataset.text];
  }
  const pieces = Object.values(cart()).reduce((sum, n) => sum + n, 0);
  document.getElementById("cart").textContent = texts.cart(number(pieces));
  document.getElementById("language").textContent = texts.language;
  document.title = texts.brand;
}

function setPieces(product_id, pieces) {
  const now = cart();
  const before = now[product_id] || 0;
  if (pieces) now[product_id] = pieces;
  else delete now[product_id];
  remember("shop.cart", now);
  vitrine.track(pieces > before ? "add_to_cart" : "remove_from_cart", { product_id });
  draw();
}

function productView(product_id) {
  const product = products()[product_id] || { product_id };
  const inCart = cart()[product_id];
  return element("article", { class: "product" },
    picture(product),
    element("div", {},
      element("h1", {}, element("bdi", {}, product.name || product_id)),
      element("p", {}, price(product)),
      product.reason && element("p", { class: "note" }, product.reason),
      element("button", { type: "button", id: "add", onclick: () => setPieces(product_id, (inCart || 0) + 1) },
        inCart ? `${texts.added} (${number(inCart)})` : texts.add)));
}

function order() {
  const items = Object.entries(cart()).map(([product_id, quantity]) => ({
    product_id, quantity, price_minor: (products()[product_id] || {}).price_minor,
  }));
  const first = products()[items[0].product_id] || {};
  vitrine.track("purchase", { items, order_id: `demo-${Date.now()}`, currency: first.currency });
  remember("shop.cart", {});
  location.hash = "#/order";
}

function cartView() {
  const lines = Object.entries(cart());
  if (!lines.length) return element("p", { class: "note" }, texts.empty);
  const known = products();
  const total = lines.reduce((sum, [id, n]) => sum + ((known[id] || {}).price_minor || 0) * n, 0);
  const currency = (known[lines[0][0]] || {}).currency;
  return element("section", {},
    ...lines.map(([id, pieces]) => {
      const product = known[id] || { product_id: id };
      return element("div", { class: "row" },
        element("span", {}, element("bdi", {}, product.name || id), ` × ${number(pieces)}`),
        element("span", {}, price(product, pieces)),
        element("button", { type: "button", onclick: () => setPieces(id, 0) }, texts.remove));
    }),
    element("div", { class: "row" }, element("b", {}, texts.total(price({ price_minor: total, currency }))),
      element("button", { type: "button", id: "order", onclick: order }, texts.order)));
}

const views = {
  home: () => null,
  product: productView,
  cart: cartView,
  order: () => element("h1", {}, texts.ordered),
};

// "#/product/22423" is the view "product" of "22423".
function where() {
  const [view, id] = location.hash.replace(/^#\//, "").split("/");
  return views[view] ? [view, decodeURIComponent(id || "")] : ["home", ""];
}

let drawings = 0;

async function draw() {
  const drawing = ++drawings;
  const [view, id] = where();
  drawHeader();
  const facts = { cart: Object.keys(cart()) };
  if (view === "product") facts.product_id = id;
  const wanted = shelvesOf[view].map(([placement, k]) => ({ placement, k }));
  let shelves = [];
  let failure;
  try {
    const page = await vitrine.page(wanted, { ...facts, exclude: id ? [id] : [], deadline_ms: 2000 });
    shelves = page.shelves;
    const known = products();
    for (const one of shelves.flatMap((shelf) => shelf.suggestions)) known[one.product_id] = one;
    remember("shop.products", known);
  } catch (error) {
    failure = element("p", { class: "note" }, texts.failed(error.message));
  }
  if (drawing !== drawings) return; // somebody clicked meanwhile
  main.replaceChildren(...[views[view](id), failure, ...shelves.map(drawShelf)].filter(Boolean));
  main.dataset.drawn = location.hash || "#/";
  main.dataset.drawings = drawing;
}

function arrive() {
  const [view, id] = where();
  scrollTo(0, 0);
  if (view === "product") vitrine.track("view_item", { product_id: id });
  if (view === "cart") vitrine.track("view_cart");
  if (view === "home") vitrine.track("page_view");
  draw();
}

document.getElementById("language").addEventListener("click", () => {
  query.set("lang", shop.language === "fa" ? "en" : "fa");
  location.search = query;
});
document.getElementById("consent").checked = !shop.refused;
document.getElementById("consent").addEventListener("change", (event) => {
  localStorage.setItem("shop.consent", event.target.checked ? "yes" : "no");
  vitrine.consent(event.target.checked);
  draw();
});
addEventListener("hashchange", arrive);
shop.tracked.then(arrive, () => main.append(texts.failed("/vitrine.js")));
