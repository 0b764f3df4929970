#!/usr/bin/env node
// Talks to Vitrine from Node.js: asks for suggestions, tells of a click, asks again, asks for a page.
//
//   npm ci --prefix examples/node
//   mkdir -p examples/node/gen
//   thrift -r --gen js:node,es6 -I . -out examples/node/gen api/vitrine.thrift
//   node examples/node/client.js 127.0.0.1:9090 SITE [VISITOR]

"use strict";

const { randomUUID } = require("crypto");
const thrift = require("thrift");
const Int64 = require("node-int64");
const Storefront = require("./gen/Storefront");
const api = require("./gen/vitrine_types");
const records = require("./gen/records_types");

function connect(address) {
  const [host, port] = address.split(":");
  const connection = thrift.createConnection(host, Number(port), {
    transport: thrift.TFramedTransport,
    protocol: thrift.TBinaryProtocol,
    connect_timeout: 10000,
  });
  return { connection, storefront: thrift.createClient(Storefront, connection) };
}

// The event of a visitor who looks at a product now.
function click(productId, visitorId) {
  return new records.Event({
    id: randomUUID(), // an event that is sent twice counts once
    time_ms: new Int64(Date.now()),
    kind: records.EventKind.VIEW_ITEM,
    visitor_id: visitorId,
    items: [new records.Item({ product_id: productId })],
  });
}

function show(title, reply) {
  console.log(`${title} (events known: ${reply.history_events}, model: ${reply.model_id})`);
  for (const suggestion of reply.suggestions) {
    const name = (suggestion.name || "").slice(0, 40);
    const score = suggestion.score.toFixed(4);
    console.log(`  ${suggestion.product_id.padEnd(14)} ${name.padEnd(40)} ${score.padStart(9)}`);
  }
}

async function converse(storefront, site, visitor) {
  const context = new api.Context({ site, visitor_id: visitor });
  const before = await storefront.recommend(new api.RecommendRequest({ context, k: 5 }));
  show("suggested", before);

  const liked = before.suggestions[before.suggestions.length - 1].product_id;
  const done = await storefront.track(
    new api.TrackRequest({ context, events: [click(liked, visitor)] }));
  console.log(`tracked a click on ${liked}: accepted ${done.accepted}`);

  const after = await storefront.recommend(new api.RecommendRequest({ context, k: 5 }));
  show("suggested after the click", after);

  // All shelves of a page in one call: no product is on two of them.
  const shelves = ["home", "trending"].map((placement) => new api.ShelfWanted({ placement, k: 3 }));
  const page = await storefront.page(new api.PageRequest({ context, shelves }));
  for (const shelf of page.shelves) {
    console.log(`shelf ${shelf.placement}:`, ...shelf.suggestions.map((s) => s.product_id));
  }
}

async function main() {
  const [address, site, visitor = `visitor-${randomUUID()}`] = process.argv.slice(2);
  if (!site) {
    console.error("usage: client.js HOST:PORT SITE [VISITOR]");
    process.exit(2);
  }
  const { connection, storefront } = connect(address);
  // A lost connection leaves the calls under way without an answer; only these events tell.
  const lost = new Promise((_, reject) => {
    connection.on("error", reject);
    connection.on("close", () => reject(new Error("the connection was closed")));
  });
  try {
    await Promise.race([converse(storefront, site, visitor), lost]);
  } catch (error) {
    console.error(`client.js: ${address}: ${error.name}: ${error.message}`);
    process.exitCode = 1;
  } finally {
    connection.end();
  }
}

main();
