#!/usr/bin/python3
"""A tour of a running Vitrine, as a storefront and a back office see it (scripts/demo starts it).

    PYTHONPATH=build/clients/python examples/python/tour.py \\
        STOREFRONT_ADDRESS BACKOFFICE_ADDRESS SITE [CLICK_SITE]

SITE has customers with orders; CLICK_SITE, if given, only visitors who click. Fails if three clicks
on products of another taste do not change what a customer is shown.
"""

import argparse
import sys
import time
import uuid

from client import Connection, click
from thrift.Thrift import TException

from vitrine.api import Backoffice, Storefront
from vitrine.api.ttypes import Context, RecommendRequest, SimilarRequest, TrackRequest
from vitrine.records.ttypes import EventKind

WIDTH = 100
K = 10
CUSTOMERS_SHOWN = 3
CUSTOMERS_COMPARED = 30
CHANGED_MIN = 3
DAY_MS = 24 * 3600 * 1000


class TourError(Exception):
    """The shop cannot be shown, or did not do what it should."""


class Shop:
    """One site, seen through both services."""

    def __init__(self, storefront, backoffice, site):
        self.storefront = storefront
        self.backoffice = backoffice
        self.site = site
        self.facts = {}

    def context(self, **person):
        return Context(site=self.site, deadline_ms=2000, **person)

    def recommend(self, **person):
        reply = self.storefront.recommend(RecommendRequest(self.context(**person), k=K))
        if not reply.suggestions:
            raise TourError(f"nothing was suggested to {person or 'an anonymous visitor'}")
        return reply

    def similar(self, product_id):
        reply = self.storefront.similar(SimilarRequest(self.context(), product_id, k=K))
        return [suggestion.product_id for suggestion in reply.suggestions]

    def track_clicks(self, products, **person):
        events = [click(product, **person) for product in products]
        reply = self.storefront.track(TrackRequest(self.context(**person), events))
        if reply.accepted != len(events):
            raise TourError(f"of {len(events)} clicks {reply.accepted} were accepted: {reply}")

    def customers(self):
        page = self.backoffice.customers(self.site, "", 1000)
        while page:
            yield from page
            page = self.backoffice.customers(self.site, page[-1].id, 1000)

    def touched(self, customer_id):
        """Every product the customer had to do with, newest first."""
        events = self.backoffice.history(self.site, customer_id, "", 1000)
        return unique(item.product_id for event in events for item in event.items or [])

    def bought(self, customer_id):
        events = self.backoffice.history(self.site, customer_id, "", 1000)
        return unique(item.product_id for event in events if event.kind == EventKind.PURCHASE
                      for item in event.items or [])

    def product(self, product_id):
        if product_id not in self.facts:
            self.facts[product_id] = self.backoffice.products(self.site, [product_id])[0]
        return self.facts[product_id]

    def label(self, product_id):
        """A name to show; shops without names have at least categories."""
        product = self.product(product_id)
        if product.name and product.name != product_id:
            return product.name
        return f"{product_id} ({product.category})" if product.category else product_id

    def priced(self, product_id):
        product = self.product(product_id)
        price = ""
        if product.price_minor is not None:
            price = f"{product.price_minor / 100:.2f} {product.currency or ''}".rstrip()
        return self.label(product_id), price


def unique(items):
    return list(dict.fromkeys(items))


def ids(reply):
    return [suggestion.product_id for suggestion in reply.suggestions]


# --- The page ---------------------------------------------------------------------------------


def heading(text):
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    print(f"\n{bold}{text}{plain}\n{'-' * min(len(text), WIDTH)}")


def columns(left_title, left, right_title, right):
    """Two lists side by side; a line is a (text, price) pair, and WIDTH characters are enough."""
    half = (WIDTH - 6) // 2

    def cell(line):
        text, price = line
        room = half - len(price) - (1 if price else 0)
        return f"{text[:room]:<{room}} {price}" if price else f"{text[:half]:<{half}}"

    rows = max(len(left), len(right))
    pad = lambda lines: lines + [("", "")] * (rows - len(lines))
    for one, other in [((left_title, ""), (right_title, "")), *zip(pad(left), pad(right))]:
        print(f"  {cell(one)}  | {cell(other)}".rstrip())


# --- The stops of the tour --------------------------------------------------------------------


def choose_customers(shop):
    """Customers with several orders whose suggestions have least in common with each other's."""
    # Those who were here today are left out: an earlier tour may have clicked in their name.
    yesterday = int(time.time() * 1000) - DAY_MS
    regulars = [customer for customer in shop.customers()
                if customer.orders >= 3 and customer.last_seen_ms < yesterday]
    if len(regulars) < CUSTOMERS_SHOWN:
        raise TourError(f"{shop.site} has {len(regulars)} customers with three orders; "
                        f"{CUSTOMERS_SHOWN} are needed")
    candidates = regulars[:: max(1, len(regulars) // CUSTOMERS_COMPARED)]
    lists = {customer.id: set(ids(shop.recommend(customer_id=customer.id)))
             for customer in candidates}
    chosen = [candidates[0]]
    while len(chosen) < CUSTOMERS_SHOWN:
        chosen.append(min(
            (customer for customer in candidates if customer not in chosen),
            key=lambda customer: sum(len(lists[customer.id] & lists[other.id])
                                     for other in chosen)))
    return chosen, lists


def show_customers(shop, customers):
    heading(f"{shop.site}: what customers bought, and what they are shown")
    shown = []
    for customer in customers:
        bought = shop.bought(customer.id)
        suggested = ids(shop.recommend(customer_id=customer.id))
        shown.append(set(suggested))
        print(f"\nCustomer {customer.id}: {customer.orders} orders, {len(bought)} products")
        columns("bought before, newest first", [(shop.label(p), "") for p in bought[:K]],
                f"{len(suggested)} suggestions", [shop.priced(p) for p in suggested])
    total, distinct = sum(map(len, shown)), len(set.union(*shown))
    print(f"\n{distinct} of the {total} suggestions to these {len(customers)} customers are "
          "different products.")


def show_similar(shop, product):
    heading(f"{shop.site}: products like one product")
    columns("the product", [shop.priced(product)],
            "similar products", [shop.priced(p) for p in shop.similar(product)])


def another_taste(shop, customer, known, lists):
    """A product far from what the customer has and is shown, and two like it."""
    candidates = unique(p for other, suggested in sorted(lists.items()) if other != customer.id
                        for p in sorted(suggested) if p not in known)
    best = None
    for product in candidates[:40]:
        similar = shop.similar(product)
        strange = [p for p in similar if p not in known]
        nearness = len(similar) - len(strange)
        if len(strange) >= 2 and (best is None or nearness < best[0]):
            best = nearness, [product, *strange[:2]]
    if best is None:
        raise TourError(f"customer {customer.id} knows all tastes of {shop.site}")
    return best[1]


def show_clicks(shop, customer, lists):
    heading(f"{shop.site}: three clicks of customer {customer.id} change what comes next")
    before = ids(shop.recommend(customer_id=customer.id))
    clicked = another_taste(shop, customer, {*before, *shop.touched(customer.id)}, lists)
    for product in clicked:
        print(f"  looks at  {shop.label(product)}")
    shop.track_clicks(clicked, customer_id=customer.id)
    after = ids(shop.recommend(customer_id=customer.id))
    columns("shown before", [shop.priced(p) for p in before],
            "shown after (* new)",
            [((" " if p in before else "*") + " " + shop.label(p), shop.priced(p)[1])
             for p in after])
    # What was only pushed out of the list because it has been seen is no change of mind.
    changed = len(set(after) - set(before)) - len(set(before) & set(clicked))
    print(f"\n{changed} of {len(after)} suggestions changed, beyond what was taken out as seen.")
    if changed < CHANGED_MIN:
        raise TourError(f"three clicks changed {changed} suggestions; at least {CHANGED_MIN} "
                        "were expected")


def show_strangers(shop):
    heading(f"{shop.site}: people we know nothing about")
    unknown = f"customer-{uuid.uuid4().hex[:8]}"
    newcomer = shop.recommend()
    stranger = shop.recommend(customer_id=unknown)
    columns("an anonymous newcomer", [shop.priced(p) for p in ids(newcomer)],
            f"an unknown customer ({unknown})", [shop.priced(p) for p in ids(stranger)])
    if newcomer.history_events or stranger.history_events:
        raise TourError("a stranger was answered from somebody's history")


def show_visitor(shop):
    heading(f"{shop.site}: an anonymous visitor after two clicks")
    visitor = f"visitor-{uuid.uuid4().hex[:8]}"
    before = ids(shop.recommend(visitor_id=visitor))
    first = before[-1]
    clicked = [first, next(p for p in shop.similar(first) if p != first)]
    for product in clicked:
        print(f"  looks at  {' '.join(shop.priced(product))}")
    shop.track_clicks(clicked, visitor_id=visitor)
    after = ids(shop.recommend(visitor_id=visitor))
    columns("shown on arrival", [shop.priced(p) for p in before],
            "shown after two clicks", [shop.priced(p) for p in after])
    if set(after) & set(clicked):
        raise TourError("a product that was just looked at was suggested again")


def tour(storefront, backoffice, site, click_site):
    shop = Shop(storefront, backoffice, site)
    customers, lists = choose_customers(shop)
    show_customers(shop, customers)
    show_similar(shop, shop.bought(customers[0].id)[0])
    show_clicks(shop, customers[0], lists)
    show_strangers(shop)
    if click_site:
        show_visitor(Shop(storefront, backoffice, click_site))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("storefront")
    parser.add_argument("backoffice")
    parser.add_argument("site")
    parser.add_argument("click_site", nargs="?")
    arguments = parser.parse_args()
    try:
        with Connection(Storefront, arguments.storefront) as storefront, \
                Connection(Backoffice, arguments.backoffice) as backoffice:
            tour(storefront, backoffice, arguments.site, arguments.click_site)
    except (TourError, TException) as error:
        sys.stdout.flush()
        print(f"tour.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
