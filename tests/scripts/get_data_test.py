#!/usr/bin/python3
"""scripts/get-data against a web server of our own, which plays the origin.

The workbook is rebuilt from the shared CSV, with numbers in the cells where the origin has
numbers. By default from its first lines; `get_data_test.py --full` takes all 541,909 (minutes).
"""

import contextlib
import csv
import datetime
import functools
import hashlib
import http.server
import io
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import zipfile

import openpyxl

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT / "../shared/data"
RETAIL_PATH = "static/public/352/online+retail.zip"
FASHION_PATH = "static/public/553/clickstream+data+for+online+shopping.zip"
SKIPPED = 77  # what ctest takes for "skipped"
SOME_LINES = 5000


def decompressed(path):
    return subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def sorted_sha256(data):
    return sha256(b"".join(line + b"\n" for line in sorted(data.splitlines())))


def cells(row):
    """A line of the CSV as a workbook has it: what looks like a number is one."""
    invoice, stock, text, quantity, when, price, customer, country = row
    number = lambda field: int(field) if field.isdigit() else field
    return [number(invoice), number(stock), number(text) if text else None, int(quantity),
            datetime.datetime.fromisoformat(when), float(price),
            int(float(customer)) if customer else None, country]


def retail_archive(lines):
    header, *rows = csv.reader(io.StringIO(lines.decode(), newline=""))
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Online Retail")
    sheet.append(header)
    for row in rows:
        sheet.append(cells(row))
    workbook, archive = io.BytesIO(), io.BytesIO()
    book.save(workbook)
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("Online Retail.xlsx", workbook.getvalue())
    return archive.getvalue()


def fashion_archive(lines):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("e-shop data description.txt", "see there")
        out.writestr("e-shop clothing 2008.csv", lines)
    return archive.getvalue()


@contextlib.contextmanager
def web_server(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class GetData(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        retail = decompressed(SHARED / "uci_online_retail/online_retail.csv.zst")
        cls.fashion = decompressed(SHARED / "uci_eshop_clothing_2008/eshop_clothing_2008.csv.zst")
        if not full_size:
            lines = retail.splitlines(keepends=True)
            # The oddest lines too: a code that is a word, a text that is a number, an empty text.
            odd = [line for line in lines
                   if b"POST" in line or b",20713," in line or b",," in line][-500:]
            retail = b"".join(lines[:SOME_LINES] + odd)
        cls.retail = retail
        start = time.monotonic()
        cls.retail_zip = retail_archive(retail)
        if full_size:
            print(f"building the workbook took {time.monotonic() - start:.0f} s", file=sys.stderr)
        cls.fashion_zip = fashion_archive(cls.fashion)

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.web = pathlib.Path(scratch.name, "web")
        self.data = pathlib.Path(scratch.name, "data")
        self.publish(RETAIL_PATH, self.retail_zip)
        self.publish(FASHION_PATH, self.fashion_zip)

    def publish(self, path, content):
        (self.web / path).parent.mkdir(parents=True, exist_ok=True)
        (self.web / path).write_bytes(content)

    def get_data(self, origin, **changes):
        environment = {
            "VITRINE_SHARED_DATA": "/nonexistent",
            "VITRINE_DATA_ORIGIN": origin,
            "VITRINE_RETAIL_SHA256": sha256(self.retail),
            "VITRINE_RETAIL_SORTED_SHA256": sorted_sha256(self.retail),
            **changes,
        }
        return subprocess.run([ROOT / "scripts/get-data", self.data], text=True, check=False,
                              env={**os.environ, **environment}, stderr=subprocess.PIPE)

    def files(self):
        """Everything that is in the data folder, half-done files too."""
        return sorted(path.name for path in self.data.rglob("*"))

    def test_the_origin_gives_the_files_we_know_to_the_byte(self):
        with web_server(self.web) as origin:
            start = time.monotonic()
            done = self.get_data(origin)
            if full_size:
                print(f"get-data took {time.monotonic() - start:.0f} s", file=sys.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.data / "online_retail.csv").read_bytes(), self.retail)
        self.assertEqual((self.data / "eshop_clothing_2008.csv").read_bytes(), self.fashion)
        self.assertEqual(self.files(), ["eshop_clothing_2008.csv", "online_retail.csv"])

        # The origin is gone now; what is there and right needs it no more.
        again = self.get_data(origin)
        self.assertEqual(again.returncode, 0, again.stderr)

    def test_the_order_of_the_lines_does_not_matter(self):
        header, *lines = self.retail.splitlines(keepends=True)
        self.publish(RETAIL_PATH, retail_archive(b"".join([header] + lines[::-1])))
        with web_server(self.web) as origin:
            done = self.get_data(origin)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.files(), ["eshop_clothing_2008.csv", "online_retail.csv"])

    def test_another_file_than_the_known_one_is_refused_and_not_kept(self):
        changed = self.retail.replace(b"2.55", b"2.54", 1)
        self.publish(RETAIL_PATH, retail_archive(changed))
        with web_server(self.web) as origin:
            done = self.get_data(origin)
        self.assertEqual(done.returncode, 1)
        self.assertIn("SHA-256 differs", done.stderr)
        self.assertEqual(self.files(), [])

    def test_a_damaged_archive_is_refused_and_not_kept(self):
        self.publish(RETAIL_PATH, self.retail_zip[: len(self.retail_zip) // 2])
        with web_server(self.web) as origin:
            done = self.get_data(origin)
        self.assertEqual(done.returncode, 1)
        self.assertIn("damaged", done.stderr)
        self.assertEqual(self.files(), [])

    def test_a_damaged_file_is_replaced(self):
        self.data.mkdir()
        (self.data / "online_retail.csv").write_bytes(self.retail[:-1])
        with web_server(self.web) as origin:
            done = self.get_data(origin)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.data / "online_retail.csv").read_bytes(), self.retail)

    def test_an_origin_that_cannot_be_reached_is_exit_code_3_and_is_named(self):
        with socket.socket() as nobody_listens:
            nobody_listens.bind(("127.0.0.1", 0))
            origin = f"http://127.0.0.1:{nobody_listens.getsockname()[1]}"
            done = self.get_data(origin)
        self.assertEqual(done.returncode, 3)
        self.assertIn(f"{origin}/{RETAIL_PATH}", done.stderr)
        self.assertEqual(self.files(), [])

    def test_an_origin_without_the_file_is_exit_code_3(self):
        (self.web / FASHION_PATH).unlink()
        with web_server(self.web) as origin:
            done = self.get_data(origin)
        self.assertEqual(done.returncode, 3)
        self.assertIn("404", done.stderr)
        self.assertEqual(self.files(), ["online_retail.csv"])

    def test_the_shared_folder_is_asked_before_the_origin(self):
        shared = self.web / "shared"
        for name, lines in (("uci_online_retail/online_retail.csv", self.retail),
                            ("uci_eshop_clothing_2008/eshop_clothing_2008.csv", self.fashion)):
            (shared / name).parent.mkdir(parents=True)
            subprocess.run(["zstd", "-q", "-o", shared / f"{name}.zst"], input=lines, check=True)
        done = self.get_data("http://nobody.invalid", VITRINE_SHARED_DATA=str(shared))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.files(), ["eshop_clothing_2008.csv", "online_retail.csv"])


if __name__ == "__main__":
    full_size = "--full" in sys.argv
    if full_size:
        sys.argv.remove("--full")
    if not SHARED.exists():
        print("skipped: ../shared/data, which the origin is rebuilt from, is not there")
        sys.exit(SKIPPED)
    unittest.main()
