#!/usr/bin/python3
"""Talks to Vitrine from Python: asks for suggestions, tells of a click, asks again, asks for a page.

    mkdir -p build/clients/python
    thrift -r --gen py -I . -out build/clients/python api/vitrine.thrift
    PYTHONPATH=build/clients/python examples/python/client.py 127.0.0.1:9090 SITE [VISITOR]

Needs python3-thrift (Debian) or thrift (PyPI).
"""

import sys
import time
import uuid

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.Thrift import TException
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TFramedTransport

from vitrine.api import Storefront
from vitrine.api.ttypes import Context, PageRequest, RecommendRequest, ShelfWanted, TrackRequest
from vitrine.records.ttypes import Event, EventKind, Item


class Connection:
    """A client of one service, for one thread:

        with Connection(Storefront, "127.0.0.1:9090") as storefront:
            storefront.ping()
    """

    # A class rather than a @contextmanager function: Thrift's exceptions are immutable, and the
    # latter writes to those that pass through it.

    def __init__(self, service, address):
        host, port = address.rsplit(":", 1)
        socket = TSocket(host, int(port))
        socket.setTimeout(10_000)
        self.transport = TFramedTransport(socket)
        self.client = service.Client(
            TBinaryProtocol(self.transport, strictRead=True, strictWrite=True))

    def __enter__(self):
        self.transport.open()
        return self.client

    def __exit__(self, *_):
        self.transport.close()


def click(product_id, **person):
    """The event of a person (visitor_id=... or customer_id=...) who looks at a product now."""
    return Event(
        id=str(uuid.uuid4()),  # an event that is sent twice counts once
        time_ms=int(time.time() * 1000),
        kind=EventKind.VIEW_ITEM,
        items=[Item(product_id=product_id)],
        **person,
    )


def show(title, reply):
    print(f"{title} (events known: {reply.history_events}, model: {reply.model_id})")
    for suggestion in reply.suggestions:
        name = suggestion.name or ""
        print(f"  {suggestion.product_id:<14} {name:<40.40} {suggestion.score:9.4f}")


def main():
    if len(sys.argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    address, site = sys.argv[1:3]
    visitor = sys.argv[3] if len(sys.argv) > 3 else f"visitor-{uuid.uuid4()}"
    context = Context(site=site, visitor_id=visitor)
    try:
        with Connection(Storefront, address) as storefront:
            before = storefront.recommend(RecommendRequest(context, k=5))
            show("suggested", before)

            liked = before.suggestions[-1].product_id
            done = storefront.track(TrackRequest(context, [click(liked, visitor_id=visitor)]))
            print(f"tracked a click on {liked}: accepted {done.accepted}")

            after = storefront.recommend(RecommendRequest(context, k=5))
            show("suggested after the click", after)

            # All shelves of a page in one call: no product is on two of them.
            page = storefront.page(PageRequest(
                context, [ShelfWanted("home", k=3), ShelfWanted("trending", k=3)]))
            for shelf in page.shelves:
                print(f"shelf {shelf.placement}:", *(s.product_id for s in shelf.suggestions))
    except TException as error:
        print(f"client.py: {address}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
