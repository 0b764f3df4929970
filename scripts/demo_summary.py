#!/usr/bin/python3
"""What scripts/demo measured, read from the --json outputs of its steps.

    scripts/demo_summary.py LOGS SITE...
"""

import json
import pathlib
import sys


class Logs:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def read(self, step):
        return json.loads((self.folder / f"{step}.json").read_text(encoding="utf-8"))

    def seconds(self, step):
        return float((self.folder / f"{step}.seconds").read_text(encoding="utf-8"))

    def table(self, step, name):
        return self.read(step)["tables"][name]

    def row(self, step, name, column, value):
        return next(row for row in self.table(step, name) if row[column] == value)


def line(name, text):
    print(f"  {name:<12}{text}")


def show_site(logs, site):
    print(f"\n{site}")
    read = logs.row(f"ingest-{site}", "accounting", "outcome", "total")["this import"]
    if read:
        seconds = logs.seconds(f"ingest-{site}")
        line("ingest", f"{read:,} lines in {seconds:.1f} s, {read / seconds:,.0f}/s, sessions built")
    else:
        line("ingest", "nothing new: the file was imported before")
    source = logs.row("status", "sources", "site", site)
    line("lines", ", ".join(f"{source[outcome]:,} {outcome}"
                            for outcome in ("accepted", "duplicate", "ignored", "rejected")))
    held = logs.row("status", "sites", "site", site)
    line("web house", ", ".join(f"{held[what]:,} {what}"
                                for what in ("events", "sessions", "customers", "products")))
    model = logs.row("status", "models", "site", site)
    line("model", f"{model['persons']:,} persons x {model['products']:,} products, "
                  f"{model['factors']} factors, {model['epochs']} epochs: "
                  f"trained in {model['train s']:.2f} s")


def show_evaluation(logs, site):
    step = f"evaluate-{site}"
    if not (logs.folder / f"{step}.json").exists():
        return
    for method in logs.table(step, "methods"):
        quality = ", ".join(f"{measure} {value:.4f}" for measure, value in method.items()
                            if measure != "method" and not measure.endswith(("_low", "_high")))
        line(method["method"], quality)
    asked = logs.table(step, "evaluation")[0]
    line("", f"{asked['lists']:,} lists of {asked['tested']:,} people, each ranking all of "
             f"{asked['products']:,} products")


def show_load(logs, site):
    load = logs.read("load")
    latency = load["latency_ms"]
    print(f"\nrecommend over TCP ({site})")
    line("load", f"{load['answered']:,} requests answered, {load['requests_per_second']:,.0f}/s "
                 f"for {load['seconds']:.1f} s, {sum((load['errors'] or {}).values())} failed")
    line("latency", f"p50 {latency['p50']:.2f} ms, p99 {latency['p99']:.2f} ms")


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    logs, sites = Logs(sys.argv[1]), sys.argv[2:]
    title = "What was measured"
    print(f"\n{title}\n{'-' * len(title)}")
    for site in sites:
        show_site(logs, site)
        show_evaluation(logs, site)
    show_load(logs, sites[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
