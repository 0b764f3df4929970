#!/usr/bin/python3
"""A web server's log to sessions, against GoAccess: the same file, one after the other, in one run.

    benchmarks/log_benchmark.py [--customers N] [--days N] [--rounds N] [--log FILE]

GoAccess reads the log into a JSON report and forgets it; `vitrine ingest` reads it into durable,
deduplicated events and sessions of a new store each time. Both are timed as whole programs: by the
clock, and by the CPU time of all their threads, which a busy machine distorts less. The log is made
by `vitrine simulate` unless one is given. Wants goaccess (apt-get install goaccess) and the release
build.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
VITRINE = ROOT / "build/release/bin/vitrine"


def run(command):
    """Seconds by the clock, and CPU seconds, of a command that must succeed."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{output.decode(errors='replace')}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime


def run_goaccess(log, folder):
    return run(["goaccess", str(log), "--log-format=COMBINED", "--no-global-config",
                "--no-progress", "-o", str(folder / "report.json")])


def run_vitrine(log, folder):
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    return run([str(VITRINE), "ingest", "--data", str(data), "--site", "shop",
                "--mapping", str(ROOT / "examples/access_log.toml"), str(log)])


def describe(name, seconds, lines):
    median = statistics.median(seconds)
    print(f"  {name:32} {lines / median:10,.0f} lines/s   "
          f"median {median:.2f} s ({min(seconds):.2f} to {max(seconds):.2f})")
    return median


def compare(log, folder, rounds):
    with open(log, "rb") as file:
        lines = sum(1 for _ in file)
    print(f"{lines:,} lines, {log.stat().st_size / 1e6:.0f} MB, {rounds} alternating rounds, "
          f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start")
    theirs, ours = [], []
    for _ in range(rounds):
        theirs.append(run_goaccess(log, folder))
        ours.append(run_vitrine(log, folder))
    for column, what in enumerate(("by the clock", "by CPU time")):
        a = describe(f"goaccess, {what}", [times[column] for times in theirs], lines)
        b = describe(f"vitrine ingest, {what}", [times[column] for times in ours], lines)
        print(f"  ratio {what}: {a / b:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=5000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--log", type=pathlib.Path, help="a log in the combined format")
    options = parser.parse_args()
    for program in ("goaccess", str(VITRINE)):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not there; see --help")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        log = options.log
        if log is None:
            run([str(VITRINE), "simulate", "--out", str(folder / "shop"),
                 "--customers", str(options.customers), "--days", str(options.days)])
            log = folder / "shop/access.log"
        compare(log, folder, options.rounds)


if __name__ == "__main__":
    main()
