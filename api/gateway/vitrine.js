// Vitrine's tracker for a shop's pages; api/gateway/README.md says how to use it.
//
//   <script src="https://gateway/vitrine.js" data-site="gifts" data-key="..."></script>
//
// What is not sent waits in localStorage, so that a reload or a lost connection loses nothing: an
// event leaves the queue when the server has answered for it, and its id makes sending it again
// harmless. Comments and indentation are dropped when the program is built.
(function () {
  const d = document,
    set = d.currentScript.dataset,
    base = set.url || new URL(d.currentScript.src).origin,
    QUEUE = "vitrine.queue",
    ID = "vitrine.id",
    CLICKED = "vitrine.clicked",
    memory = {};
  let allowed = set.consent != "ask", sending, timer;

  // localStorage may be full, or forbidden: then the page remembers as long as it is there.
  const read = (key, otherwise) => {
    try { return JSON.parse(localStorage.getItem(key)) || otherwise; } catch {
      return memory[key] || otherwise;
    }
  };
  const write = (key, value) => {
    memory[key] = value;
    try {
      value ? localStorage.setItem(key, JSON.stringify(value)) : localStorage.removeItem(key);
    } catch {}
  };
  const random = () =>
    [...crypto.getRandomValues(new Uint32Array(4))].map((n) => n.toString(36)).join("");
  const cookie = (value, age) =>
    (d.cookie = ID + "=" + value + ";path=/;samesite=lax;max-age=" + age);

  const visitor = () => {
    if (!allowed) return;
    const id = (d.cookie.match(/vitrine\.id=(\w+)/) || [])[1] || read(ID) || random();
    write(ID, id);
    cookie(id, 31536000);
    return id;
  };
  const address = (path) =>
    base + "/v1/" + path + "?site=" + set.site + (set.key ? "&key=" + encodeURIComponent(set.key) : "");
  // text/plain needs no leave to be asked for first.
  const post = (path, body) =>
    fetch(address(path), { method: "POST", body: JSON.stringify(body), keepalive: true });

  // Sends what waits, 50 at a time, one request after the other.
  const flush = () => sending || (sending = send().finally(() => (sending = 0)));
  const send = async () => {
    let events, size = 50, status;
    while (allowed && (events = read(QUEUE, []).slice(0, size)).length) {
      try { status = (await post("events", { events })).status; } catch { return; }
      // Later: the server is busy, or the key is being changed.
      if (!allowed || status > 499 || status == 429 || status == 401) return;
      // One of them is not as it should be: alone it takes no other with it.
      if (status == 400 && size > 1) size = 1;
      else {
        const done = events.map((e) => e.id);
        write(QUEUE, read(QUEUE, []).filter((e) => !done.includes(e.id)));
      }
    }
  };

  // What is said of a product that was clicked in a shelf names that shelf.
  const track = (kind, { product_id, ...more } = {}) => {
    if (!allowed) return;
    if (product_id) more.items = [{ product_id }];
    const item = (more.items || [])[0],
      from = item && read(CLICKED, {})[item.product_id],
      event = { id: random(), time_ms: Date.now(), kind, visitor_id: visitor(), url: location.href };
    if (d.referrer) event.referrer = d.referrer;
    if (from) event.recommendation_id = from;
    write(QUEUE, read(QUEUE, []).concat(Object.assign(event, more)).slice(-500));
    clearTimeout(timer);
    timer = setTimeout(flush, 1000);
  };
  const clicked = (product, shelf) => {
    if (!allowed) return;
    const all = Object.entries(read(CLICKED, {})).slice(-99);
    write(CLICKED, Object.fromEntries([...all, [product, shelf]]));
    track("select_item", { product_id: product });
  };

  // Whatever was done before counts in the answer.
  const ask = async (path, body) => {
    await flush();
    const who = allowed ? { visitor_id: visitor() } : { personalize: false },
      reply = await post(path, { language: d.documentElement.lang || "en", ...who, ...body }),
      json = await reply.json();
    if (!reply.ok) throw Error(json.error.message);
    return json;
  };

  addEventListener("pagehide", () => {
    const events = read(QUEUE, []).slice(0, 50);
    if (allowed && events.length) navigator.sendBeacon(address("events"), JSON.stringify({ events }));
  });
  // <a data-vitrine="RECOMMENDATION_ID" data-product="ID">
  d.addEventListener("click", (e) => {
    const link = e.target.closest?.("[data-vitrine]");
    if (link) clicked(link.dataset.product, link.dataset.vitrine);
  }, true);

  window.vitrine = {
    track,
    flush,
    clicked,
    recommend: (placement, more) => ask("recommendations", { placement, ...more }),
    page: (shelves, more) =>
      ask("page", { shelves: shelves.map((s) => (s.placement ? s : { placement: s })), ...more }),
    consent: (yes) => {
      allowed = yes;
      if (yes) return;
      [QUEUE, ID, CLICKED].map((key) => write(key));
      cookie("", 0);
    },
  };
  flush();
})();
