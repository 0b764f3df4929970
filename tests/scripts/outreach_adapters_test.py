#!/usr/bin/env python3
"""The adapters of examples/outreach, against servers on loopback."""

import http.server
import json
import pathlib
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ADAPTERS = pathlib.Path(__file__).resolve().parents[2] / "examples" / "outreach"


class Http(http.server.BaseHTTPRequestHandler):
    """Notes what is posted; answers with the next status of the server's list, else 200."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.path, json.loads(body), dict(self.headers)))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as takes a mail; addresses that begin with `no` do not exist."""

    def handle(self):
        self.say("220 test")
        for line in self.rfile:
            word = line.strip().upper()
            if word.startswith((b"EHLO", b"HELO")):
                self.say("250 test")
            elif word.startswith(b"RCPT TO:<NO"):
                self.say("550 no such user")
            elif word == b"DATA":
                self.say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.mails.append(b"".join(lines).decode())
                self.say("250 taken")
            elif word == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Adapters(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.outbox = pathlib.Path(self.folder.name) / "outbox.jsonl"
        self.outbox.touch()
        self.servers = []
        self.gateway = self.http()

    def tearDown(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()
        self.folder.cleanup()

    def http(self):
        server = serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Http))
        server.posted, server.statuses = [], []
        self.servers.append(server)
        return server

    def say(self, name, channel, to, time_ms=1, end="\n"):
        line = {"id": name, "time_ms": time_ms, "customer_id": "ann", "channel": channel,
                "purpose": "marketing", "campaign": "trigger:cart", "to": to, "text": "Still there",
                "products": ["85123A"]}
        with self.outbox.open("a") as file:
            file.write(json.dumps(line) + end)

    def run_adapter(self, name, *arguments):
        return subprocess.run(
            [sys.executable, ADAPTERS / f"{name}_adapter.py", self.outbox, "--site", "gifts",
             "--state", f"{self.folder.name}/{name}.db", "--once", "--key", "secret", "--gateway",
             f"http://127.0.0.1:{self.gateway.server_address[1]}", *arguments],
            capture_output=True, text=True, timeout=60, check=False)

    def sms(self, server):
        return self.run_adapter("sms", "--sms", f"http://127.0.0.1:{server.server_address[1]}/m")

    def reports(self):
        return [(event["contact"]["contact_id"], event["contact"]["progress"])
                for _, body, _ in self.gateway.posted for event in body["events"]]

    def test_mail_goes_once_and_what_does_not_exist_bounces(self):
        server = serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp))
        server.mails = []
        self.servers.append(server)
        smtp = ["--smtp", f"127.0.0.1:{server.server_address[1]}", "--sender", "s@shop.example"]
        self.say("a", "email", "ann@example.com")
        self.say("b", "email", "nobody@example.com")
        self.say("c", "sms", "+4420")  # not this adapter's
        self.assertEqual(self.run_adapter("smtp", *smtp).returncode, 0)
        self.assertEqual(self.run_adapter("smtp", *smtp).returncode, 0)
        self.assertEqual(len(server.mails), 1)
        self.assertIn("To: ann@example.com", server.mails[0])
        self.assertIn("85123A", server.mails[0])
        self.assertEqual(self.reports(), [("a", "was_sent"), ("b", "has_bounced")])
        path, body, headers = self.gateway.posted[0]
        self.assertEqual((path, body["site"]), ("/v1/events", "gifts"))
        self.assertEqual(headers["Authorization"], "Bearer secret")
        self.assertEqual(body["events"][0]["contact"]["campaign"], "trigger:cart")

    def test_a_mail_server_that_is_away_fails(self):
        self.say("a", "email", "ann@example.com")
        self.run_adapter("smtp", "--smtp", "127.0.0.1:1", "--sender", "s@shop.example")
        self.assertEqual(self.reports(), [("a", "failed_to_send")])

    def test_sms_go_at_their_time_and_whole_lines_only(self):
        provider = self.http()
        provider.statuses = [200, 404, 503]
        for name in "abc":
            self.say(name, "sms", "+4420")
        self.say("later", "sms", "+4420", time_ms=int(time.time() * 1000) + 3_600_000)
        self.say("torn", "sms", "+4420", end="")
        self.assertEqual(self.sms(provider).returncode, 0)
        self.assertEqual([body["id"] for _, body, _ in provider.posted], ["a", "b", "c"])
        self.assertEqual(self.reports(),
                         [("a", "was_sent"), ("b", "has_bounced"), ("c", "failed_to_send")])
        with self.outbox.open("a") as file:
            file.write("\n")
        self.sms(provider)
        self.assertEqual(provider.posted[-1][1]["id"], "torn")

    def test_reports_that_are_not_taken_are_sent_again(self):
        provider = self.http()
        self.gateway.statuses = [503]
        self.say("a", "sms", "+4420")
        self.assertEqual(self.sms(provider).returncode, 1)
        self.assertEqual(self.sms(provider).returncode, 0)
        self.assertEqual(self.reports(), [("a", "was_sent")] * 2)  # one event id
        self.assertEqual(len(provider.posted), 1)


if __name__ == "__main__":
    unittest.main()
