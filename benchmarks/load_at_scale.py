#!/usr/bin/python3
"""recommend under load, on a shop as large as wanted: latency at a rate, the peak, an echo beside it.

    benchmarks/load_at_scale.py --folder DIR --products 100000 --rate 5000

Makes the shop first, if DIR does not hold it yet: simulated events of a million customers, ingested,
a model trained at d=64 (some minutes; DIR takes some 8 GB). Then starts a server on it and sends
requests for customers drawn by Zipf's law (the n-th as often as 1/n), on the same machine: the peak
of an echo and of the server in turns, then the server at the rate asked for. Each request takes the
whole path: a key, the person's history and taste, three lists that are mixed, the rules, the
exposure written before the reply leaves. Prints how often the person was found in the cache, which
most of a request's time depends on.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.request

from serving import BIN, ROOT, Server

SITE = "shop"


def vitrine(command, *arguments):
    print(f"vitrine {command} ...", flush=True)
    done = subprocess.run([BIN / "vitrine", command, *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"vitrine {command} failed")
    return done.stdout


def make_shop(options, data):
    events = options.folder / "events"
    vitrine("simulate", "--events-only", "--out", events, "--customers", options.customers,
            "--products", options.products, "--categories", 200, "--days", options.days,
            "--robots", 0, "--seed", 7)
    vitrine("ingest", "--data", data, "--site", SITE, "--mapping", ROOT / "examples/events.toml",
            events / "events.jsonl")
    shutil.rmtree(events)
    print(vitrine("train", "--data", data, "--site", SITE, "--factors", 64))


def make_key(data, role):
    shown = vitrine("keys", "create", "--data", data, "--site", SITE, "--role", role, "--json")
    return re.search(r"vk_[^\"]+", shown).group()


def settle(server):
    """Until it has learned the sessions, and does nothing by itself."""
    def used():
        fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2]
        return sum(int(field) for field in fields.split()[11:13])

    calm = 0
    while calm < 5:
        before = used()
        time.sleep(1)
        calm = calm + 1 if used() - before < 10 else 0


def cache(server, key):
    """Persons found in the cache, and not found, so far."""
    request = urllib.request.Request(f"http://127.0.0.1:{server.http_port}/metrics",
                                     headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request) as reply:
        text = reply.read().decode()

    def count(what):
        match = re.search(rf'^vitrine_cache_{what}_total\{{.*cache="profiles".*\}} (\S+)', text,
                          re.MULTILINE)
        return float(match.group(1)) if match else 0

    return count("hits"), count("misses")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=4, help="of history: 2.5 million events each")
    parser.add_argument("--rate", type=float, default=5000, help="requests a second")
    parser.add_argument("--zipf", type=float, default=1, help="0: every customer as often")
    parser.add_argument("--fill", type=float, default=60,
                        help="seconds of requests before anything is measured: a server that has "
                             "run for a day knows who comes often")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()

    options.folder.mkdir(parents=True, exist_ok=True)
    data = options.folder / "sites"
    if not (data / SITE / "models").exists():
        make_shop(options, data)
    key = make_key(data, "storefront")
    customers = options.folder / "customers"
    customers.write_text("".join(f"c{number:07}\n" for number in range(options.customers)))
    operator_key = make_key(data, "read-only")
    start = time.monotonic()
    server = Server(data, "--require-keys")
    print(f"the server was ready after {time.monotonic() - start:.1f} s")
    try:
        settle(server)
        load = [BIN / "load_generator", "--port", server.port, "--site", SITE, "--api-key", key,
                "--customers-file", customers, "--zipf", str(options.zipf), "--connections",
                str(options.connections), "--seconds"]
        subprocess.run([*load, str(options.fill)], check=True, stdout=subprocess.DEVNULL)
        hits, misses = cache(server, operator_key)
        subprocess.run([*load, str(options.seconds), "--echo", "--rounds", str(options.rounds),
                        "--rate", str(options.rate)], check=True)
        now = cache(server, operator_key)
        asked = now[0] - hits + now[1] - misses
        if asked > 0:
            print(f"in the cache: {(now[0] - hits) / asked:.1%} of {asked:,.0f} requests")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
