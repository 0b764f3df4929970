#!/usr/bin/python3
"""Reads the sources and names every line that breaks a rule of the house (CONTRIBUTING.md).

    tests/layers/layers.py [ROOT]      exit code 1 if there is one

A rule is a small function that yields (line, what is wrong and why); the list RULES holds them all.
"""

import pathlib
import re
import sys
from dataclasses import dataclass, field
from typing import Callable, Iterator

PRODUCT = ("store", "ingest", "recommender", "experiments", "api")
ALL_CODE = PRODUCT + ("tests", "benchmarks", "examples")
SOURCE_SUFFIXES = (".h", ".cc", ".cpp")
FILE_LINES_MAX = 600

# A floor may include itself and what is listed here. The longest path wins, so that a room inside
# a floor can have rules of its own.
MAY_INCLUDE = {
    "store/base": (),
    "store": ("store/base",),
    "ingest": ("store", "store/base"),
    "experiments": ("store", "store/base"),
    "recommender/model": ("store", "store/base"),
    "recommender/learn": ("recommender/model", "store", "store/base"),
    "recommender/rank": ("recommender/model", "store", "store/base"),
    "recommender/patterns": ("store/base",),
    "recommender/customers": ("store/base",),
    "recommender/offers": ("store", "store/base"),
    "recommender/outreach": ("recommender/offers", "recommender/model", "recommender/rank",
                             "store", "store/base"),
    "recommender/placements": ("recommender/model", "recommender/learn", "recommender/rank",
                               "store", "store/base"),
    "recommender": ("recommender/model", "recommender/learn", "recommender/rank",
                    "recommender/patterns", "recommender/customers", "store", "store/base"),
    "recommender/segments": ("recommender", "recommender/customers", "store", "store/base"),
    "api": ("ingest", "experiments", "recommender", "recommender/model", "recommender/learn",
            "recommender/rank", "recommender/placements", "recommender/customers",
            "recommender/offers", "recommender/outreach", "recommender/segments", "store",
            "store/base"),
}

Problem = tuple[int, str]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)
# Comments, strings and characters, in one expression so that a quote inside a comment (and a
# comment inside a string) is taken for what it is. A ' between digits separates thousands.
NOT_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^\s()\\]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)


@dataclass
class Source:
    path: str  # from the root, with /
    text: str
    code: str = field(init=False)  # the text with comments and strings blanked

    def __post_init__(self):
        self.code = NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), self.text)

    @property
    def is_product(self) -> bool:
        return self.path.startswith(tuple(f"{floor}/" for floor in PRODUCT))

    @property
    def is_header(self) -> bool:
        return self.path.endswith(".h")

    def within(self, *prefixes: str) -> bool:
        return self.path.startswith(prefixes)

    def includes(self) -> Iterator[tuple[int, str]]:
        for found in INCLUDE.finditer(self.text):
            yield self.text.count("\n", 0, found.start(1)) + 1, found.group(1)

    def lines_with(self, pattern: str) -> Iterator[int]:
        for number, line in enumerate(self.code.splitlines(), 1):
            if re.search(pattern, line):
                yield number


def floor_of(path: str) -> str | None:
    inside = [floor for floor in MAY_INCLUDE if path.startswith(f"{floor}/")]
    return max(inside, key=len, default=None)


def includes_run_downward(source: Source) -> Iterator[Problem]:
    floor = floor_of(source.path)
    if floor is None:
        return
    for line, header in source.includes():
        other = floor_of(header)
        if other is not None and other != floor and other not in MAY_INCLUDE[floor]:
            known = ", ".join(MAY_INCLUDE[floor]) or "nothing of ours"
            yield line, f"{floor} includes {header}: {floor} knows {known}, and may not know {other}"


def nothing_uses_tests_or_benchmarks(source: Source) -> Iterator[Problem]:
    if source.is_product:
        for line, header in source.includes():
            if header.startswith(("tests/", "benchmarks/", "gtest/", "gmock/", "benchmark/")):
                yield line, f"includes {header}: product code does not know how it is tested"


def only_the_store_knows_rocksdb(source: Source) -> Iterator[Problem]:
    if source.is_product and (not source.within("store/") or source.within("store/base/")):
        for line, header in source.includes():
            if header.startswith("rocksdb/"):
                yield line, f"includes {header}: only store (and not store/base) knows RocksDB"


def sockets_stay_at_the_edge(source: Source) -> Iterator[Problem]:
    """The service is plain structs, so that it is tested without a network."""
    if source.is_product and not source.within("api/server/", "api/client/", "store/codec.",
                                               "api/gateway/json_codec."):
        for line, header in source.includes():
            if header.startswith(("thrift/server/", "thrift/transport/")):
                yield line, (f"includes {header}: sockets and transports belong to api/server and "
                             "api/client (buffers to store/codec and api/gateway/json_codec)")
    if source.is_product and not source.within("api/gateway/"):
        for line, header in source.includes():
            if header.startswith(("boost/asio", "boost/beast")):
                yield line, f"includes {header}: HTTP belongs to api/gateway"


def no_plain_assert(source: Source) -> Iterator[Problem]:
    for line in source.lines_with(r"\bassert\s*\("):
        yield line, "assert( is gone from a release build: use CHECK for our own mistakes"


def only_the_command_line_prints(source: Source) -> Iterator[Problem]:
    if source.is_product and not source.within("api/cli/"):
        for line in source.lines_with(r"\bstd::cout\b"):
            yield line, "std::cout outside api/cli: return a Report or a Status, or log"


def randomness_has_a_seed(source: Source) -> Iterator[Problem]:
    # Tests may draw a seed, as long as they print it.
    unseeded = r"\bs?rand\s*\(|\brandom_device\b" if source.is_product else r"\bs?rand\s*\("
    for line in source.lines_with(unseeded):
        yield line, "unseeded randomness: take a named seed, so that a run can be repeated"


def time_comes_from_a_clock(source: Source) -> Iterator[Problem]:
    if source.is_product and source.path != "store/base/clock.cc":
        for line in source.lines_with(r"\bsystem_clock\b|\babsl::Now\s*\("):
            yield line, "the wall clock: take a Clock&, so that tests can set the time"


def headers_open_no_namespace(source: Source) -> Iterator[Problem]:
    if source.is_header:
        for line in source.lines_with(r"\busing\s+namespace\b"):
            yield line, "using namespace in a header: it reaches everyone who includes it"


def a_todo_has_an_owner(source: Source) -> Iterator[Problem]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if re.search(r"\b(TODO\b(?!\([^)]+\))|FIXME\b)", line):
            yield number, "TODO without an owner: write TODO(name): what, or do it"


def a_file_has_one_purpose(source: Source) -> Iterator[Problem]:
    lines = source.text.count("\n")
    if lines > FILE_LINES_MAX:
        yield lines, f"{lines} lines: a file has one purpose and at most {FILE_LINES_MAX} lines"


RULES: list[Callable[[Source], Iterator[Problem]]] = [
    includes_run_downward,
    nothing_uses_tests_or_benchmarks,
    only_the_store_knows_rocksdb,
    sockets_stay_at_the_edge,
    no_plain_assert,
    only_the_command_line_prints,
    randomness_has_a_seed,
    time_comes_from_a_clock,
    headers_open_no_namespace,
    a_todo_has_an_owner,
    a_file_has_one_purpose,
]


def sources(root: pathlib.Path) -> Iterator[Source]:
    for folder in ALL_CODE:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SOURCE_SUFFIXES and "node_modules" not in path.parts:
                yield Source(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))


def problems(root: pathlib.Path) -> Iterator[str]:
    for source in sources(root):
        for rule in RULES:
            for line, message in rule(source):
                yield f"{source.path}:{line}: {message}"


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    if root.is_file():
        root = root.parents[2]
    found = list(problems(root))
    for message in found:
        print(message)
    read = sum(1 for _ in sources(root))
    print(f"{len(found)} problems in {read} sources")
    # Reading nothing proves nothing.
    return 1 if found or read == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
