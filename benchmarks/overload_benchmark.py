#!/usr/bin/python3
"""What a server does with more than it can: goodput, and how long answers and refusals take.

    benchmarks/overload_benchmark.py --data DIR --site SITE [--connections N] [--deadline-ms N]

Starts `vitrine serve` on the site, finds the rate at which it answers when every connection asks again
at once (the peak), then asks at 1, 2, 5 and 10 times that rate over connections that stay, whether or
not earlier requests were answered; last at half of it, right after the flood. Latencies count from the
sending. The client runs on the same cores. Wants the release build and a trained site.
"""

import argparse
import json
import subprocess

from serving import BIN, Server


def load(arguments, server, rate, seconds):
    done = subprocess.run(
        [BIN / "load_generator", "--json", "--port", server.port, "--backoffice-port",
         server.backoffice_port, "--site", arguments.site, "--connections", str(arguments.connections), "--deadline-ms",
         str(arguments.deadline_ms), "--rate", str(rate), "--seconds", str(seconds)],
        check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def show(name, outcome, peak):
    errors = outcome["errors"]
    rate = outcome["requests_per_second"]
    degraded = outcome["degraded"] / max(outcome["answered"], 1)
    print(f"{name:14} {rate:10,.0f} {rate / peak:8.2f} {degraded:9.0%} "
          f"{outcome['served_p99_ms']:12.1f} {errors.get('Overloaded', 0):9,} "
          f"{outcome['refused_p99_ms']:13.1f} {errors.get('unsent', 0):9,}  "
          f"{ {k: v for k, v in errors.items() if k not in ('Overloaded', 'unsent')} or ''}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--site", required=True)
    parser.add_argument("--connections", type=int, default=600)
    parser.add_argument("--deadline-ms", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=4)
    arguments = parser.parse_args()
    server = Server(arguments.data)
    try:
        load(arguments, server, 0, 1)  # caches
        peak = load(arguments, server, 0, arguments.seconds)["requests_per_second"]
        print(f"{arguments.connections} connections, deadline {arguments.deadline_ms} ms, "
              f"peak {peak:,.0f}/s")
        print(f"{'asked':14} {'answered/s':>10} {'of peak':>8} {'degraded':>9} {'answer p99':>12} "
              f"{'refused':>9} {'refusal p99':>13} {'unsent':>9}")
        for times in (1, 2, 5, 10):
            show(f"{times} x peak", load(arguments, server, times * peak, arguments.seconds), peak)
        show("then 0.5 x", load(arguments, server, peak / 2, 2), peak)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
