#!/usr/bin/python3
"""What the work behind a server costs its storefronts: p99 of recommend, quiet and beside it.

    benchmarks/background_load.py --sites build/demo/sites [--work training,backup,import]

Starts a server on a copy of the sites (`scripts/demo --data build/demo` makes them), finds out how
many requests it answers, and sends half as many, as an open loop. A round is one measurement in
quiet and one, for each kind of work, while that work is done back to back; who is first alternates.
What counts is the ratio within a round. A measurement during which programs that are not ours took
more than a twentieth of the processors is thrown away and done again.

  training  vitrine train, on all cores; a model that is not worse is published and swapped in
  backup    vitrine backup into a new folder each time, so that every file is copied
  import    vitrine ingest of generated events through the server: batches, flushes, compactions,
            sessions
  swaps     vitrine models rollback, from one of two models to the other and back; of interest with
            --work swaps --share 0.7 --seconds 20. Any request that fails ends the benchmark
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from serving import BIN, ROOT, Server

BYSTANDERS_MAX = 0.05
ATTEMPTS_MAX = 20
WORKS = ("training", "backup", "import", "swaps")
ALL_THE_TIME = WORKS[:3]


def ticks_of_others():
    """Processor time of all programs, running or ended, but this one and those that it started."""
    parents, ticks = {}, {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        parents[int(path.parent.name)] = int(fields[1])
        ticks[int(path.parent.name)] = sum(int(field) for field in fields[11:15])

    def is_ours(pid):
        while pid in parents and pid != os.getpid():
            pid = parents[pid]
        return pid == os.getpid()

    return sum(took for pid, took in ticks.items() if not is_ours(pid))


class Bystanders:
    """The share of the processors that others took since it was made."""

    def __init__(self):
        self._start = ticks_of_others(), time.monotonic()

    def share(self):
        seconds = (ticks_of_others() - self._start[0]) / os.sysconf("SC_CLK_TCK")
        return seconds / (time.monotonic() - self._start[1]) / os.cpu_count()


class BackToBack:
    """Does something over and over beside the body of a with statement; ends with it."""

    def __init__(self, work):
        self._work = work
        self._stopping = threading.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._loop)
        self.done = 0
        self.problem = None

    def _loop(self):
        try:
            while not self._stopping.is_set():
                self._work(self._started.set)
                self.done += 1
        except subprocess.CalledProcessError as error:
            self.problem = f"{error}\n{error.stdout}"
        self._started.set()

    def __enter__(self):
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *unused):
        self._stopping.set()
        self._thread.join()
        if self.problem:
            sys.exit(self.problem)


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.data = folder / "sites"
        self.runs = 0
        shutil.copytree(options.sites, self.data)
        (folder / "backups").mkdir()
        if "swaps" in options.work:
            self._vitrine("train", *self._site(), "--force")
            shown = self._vitrine("models", "list", *self._site(), "--json")
            self.models = re.findall(r'"model": *"([^"]+)"', shown)[:2]
        self._log = open(folder / "serve.log", "w")
        self.server = Server(self.data, "--backup-root", folder / "backups", log=self._log)
        if "import" in options.work:
            self._vitrine("simulate", "--out", folder / "shop", "--customers", "5000", "--days", "30")

    def close(self):
        self.server.stop()
        self._log.close()

    def _vitrine(self, command, *arguments, accept=(0,)):
        run = subprocess.run([BIN / "vitrine", command, *map(str, arguments)], text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
        if run.returncode not in accept:
            raise subprocess.CalledProcessError(run.returncode, run.args, run.stdout)
        return run.stdout

    def _site(self):
        return ["--data", self.data, "--site", self.options.site]

    def training(self, started):
        self.runs += 1
        started()
        # 1: not published, because it is worse
        self._vitrine("train", *self._site(), "--epochs", self.options.epochs, "--seed", self.runs,
                      accept=(0, 1))

    def backup(self, started):
        self.runs += 1
        target = self.folder / "backups" / str(self.runs)
        started()
        self._vitrine("backup", *self._site(), "--to", target)
        shutil.rmtree(target)

    def do_import(self, started):
        """The same shop with other ids each time, so that nothing is a duplicate."""
        self.runs += 1
        events = self.folder / f"events-{self.runs}.jsonl"
        text = (self.folder / "shop/events.jsonl").read_text()
        for key in ("id", "customer_id", "visitor_id"):
            text = text.replace(f'"{key}":"', f'"{key}":"{self.runs}-')
        events.write_text(text)
        started()
        self._vitrine("ingest", *self._site(), "--mapping", ROOT / "examples/events.toml", events)
        events.unlink()

    def swaps(self, started):
        self.runs += 1
        started()
        self._vitrine("models", "rollback", *self._site(), "--model", self.models[self.runs % 2])

    def work(self, name):
        return self.do_import if name == "import" else getattr(self, name)

    def load(self, rate, seconds):
        options, server = self.options, self.server
        command = [BIN / "load_generator", "--host", server.host, "--port", server.port,
                   "--backoffice-port", server.backoffice_port, "--site", options.site,
                   "--connections", str(options.connections), "--rate", str(rate),
                   "--seconds", str(seconds), "--json"]
        outcome = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        if rate and outcome["errors"]:
            print(f"    errors: {outcome['errors']}")
        return outcome

    def round(self, index, rate):
        """p99 in ms by kind of work; quiet is one of them."""
        kinds = ["quiet", *self.options.work]
        if index % 2:
            kinds.reverse()
        return {kind: self.measure_in_peace(index, kind, rate) for kind in kinds}

    def measure_in_peace(self, index, kind, rate):
        for _ in range(ATTEMPTS_MAX):
            beside = contextlib.nullcontext() if kind == "quiet" else BackToBack(self.work(kind))
            with beside as work:
                bystanders = Bystanders()
                latency = self.load(rate, self.options.seconds)["latency_ms"]
                share = bystanders.share()
            done = "" if kind == "quiet" else f"  {work.done} done"
            peace = share <= BYSTANDERS_MAX
            print(f"  {index + 1} {kind:9} p50 {latency['p50']:7.3f}  p99 {latency['p99']:8.3f}  "
                  f"p99.9 {latency['p99.9']:8.3f} ms{done}"
                  f"{'' if peace else f'  again: others took {share:.0%}'}", flush=True)
            if peace:
                return latency
        sys.exit("the machine is too busy")


def measure(options, folder):
    bench = Bench(options, folder)
    try:
        capacity = statistics.median(bench.load(0, 2)["requests_per_second"] for _ in range(3))
        rate = options.rate or capacity * options.share
        print(f"site {options.site}: {capacity:,.0f} requests/s as fast as possible; measured at "
              f"{rate:,.0f}/s on {options.connections} connections, {options.seconds:g} s a piece, "
              f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start")
        rounds = [bench.round(index, rate) for index in range(options.rounds)]
    finally:
        bench.close()
    print(f"p99 of recommend beside work / in quiet, median of {len(rounds)} rounds (from, to)")
    for kind in options.work:
        ratios = [each[kind]["p99"] / each["quiet"]["p99"] for each in rounds]
        print(f"  {kind:9} {statistics.median(ratios):.2f}  ({min(ratios):.2f} to {max(ratios):.2f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=pathlib.Path, required=True, help="a data folder, copied")
    parser.add_argument("--site", default="gifts")
    parser.add_argument("--work", default=",".join(ALL_THE_TIME), type=lambda text: text.split(","),
                        help="kinds, with commas between them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rate", type=float, help="requests a second, instead of a share")
    parser.add_argument("--share", type=float, default=0.5, help="of what it answers at most")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=100, help="of a training")
    options = parser.parse_args()
    for work in options.work:
        if work not in WORKS:
            parser.error(f"{work} is none of {', '.join(WORKS)}")
    with tempfile.TemporaryDirectory() as folder:
        measure(options, pathlib.Path(folder))


if __name__ == "__main__":
    main()
