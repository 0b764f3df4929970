"""Reads an outbox of Vitrine (recommender/outreach/outbox.h), and reports what became of its lines.

Nothing is sent twice: that a message goes is written down before it goes. One that was going when
the adapter was killed is reported as failed rather than tried again. Reports that the gateway did
not take are kept and sent with the next ones.
"""

import argparse
import json
import os
import sqlite3
import time
import urllib.error
import urllib.request

SENT, FAILED, BOUNCED = "was_sent", "failed_to_send", "has_bounced"
REPORTS_AT_ONCE = 500


class State:
    """How far the outbox was read, what waits for its time, what is to be reported."""

    def __init__(self, path):
        self.db = sqlite3.connect(path)
        os.chmod(path, 0o600)  # it holds addresses
        with self.db:
            self.db.execute("create table if not exists place (bytes integer)")
            self.db.execute("create table if not exists lines"
                            " (id text primary key, time_ms integer, line text, state text)")
            self.db.execute("create table if not exists reports (event text)")

    def offset(self):
        row = self.db.execute("select bytes from place").fetchone()
        return row[0] if row else 0

    def take(self, path):
        """Notes the lines that were appended since; a line that is not finished is left alone."""
        begin = self.offset()
        with open(path, "rb") as outbox:
            if os.fstat(outbox.fileno()).st_size < begin:
                begin = 0  # it was taken away, and a new one begun
            outbox.seek(begin)
            with self.db:
                for line in outbox:
                    if not line.endswith(b"\n"):
                        break
                    begin += len(line)
                    message = json.loads(line)
                    if not message:
                        continue  # of somebody who was erased
                    self.db.execute("insert or ignore into lines values (?, ?, ?, 'waits')",
                                    (message["id"], message["time_ms"], line.decode()))
                self.db.execute("delete from place")
                self.db.execute("insert into place values (?)", (begin,))

    def due(self, channel, now_ms):
        rows = self.db.execute("select line from lines where state = 'waits' and time_ms <= ?"
                               " order by time_ms", (now_ms,)).fetchall()
        messages = [json.loads(line) for line, in rows]
        return [message for message in messages if message["channel"] == channel]

    def goes(self, message):
        with self.db:
            self.db.execute("update lines set state = 'goes' where id = ?", (message["id"],))

    def went(self, message, progress, now_ms):
        """The address is no longer needed; the id is, so that it does not go again."""
        contact = {"contact_id": message["id"], "purpose": message["purpose"],
                   "progress": progress}
        if "campaign" in message:
            contact["campaign"] = message["campaign"]
        event = {"id": f"{message['id']}-{progress}", "time_ms": now_ms, "kind": "contact",
                 "channel": message["channel"], "customer_id": message["customer_id"],
                 "contact": contact}
        with self.db:
            self.db.execute("update lines set state = 'went', line = '' where id = ?",
                            (message["id"],))
            self.db.execute("insert into reports values (?)", (json.dumps(event),))

    def give_up_what_was_going(self, channel, now_ms):
        for line, in self.db.execute("select line from lines where state = 'goes'").fetchall():
            message = json.loads(line)
            if message["channel"] == channel:
                self.went(message, FAILED, now_ms)

    def report(self, gateway, site, key):
        """True when everything was reported."""
        while True:
            rows = self.db.execute("select rowid, event from reports limit ?",
                                   (REPORTS_AT_ONCE,)).fetchall()
            if not rows:
                return True
            body = json.dumps({"site": site, "events": [json.loads(event) for _, event in rows]})
            headers = {"Content-Type": "application/json"}
            if key:
                headers["Authorization"] = f"Bearer {key}"
            request = urllib.request.Request(f"{gateway}/v1/events", body.encode(), headers)
            try:
                urllib.request.urlopen(request, timeout=10).read()
            except (urllib.error.URLError, OSError) as error:
                print(f"the gateway took no reports, they are kept: {error}", flush=True)
                return False
            with self.db:
                self.db.executemany("delete from reports where rowid = ?",
                                    [(rowid,) for rowid, _ in rows])


def text_of(message):
    """What the message says: the shop's words, and the products that it is about."""
    lines = [message.get("text", "")]
    lines += [f"- {product}" for product in message.get("products", [])]
    return "\n".join(line for line in lines if line) + "\n"


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("outbox", help="<data>/<site>/outreach/outbox.jsonl, or a campaign's file")
    parser.add_argument("--site", required=True)
    parser.add_argument("--state", required=True, help="a file of the adapter's own")
    parser.add_argument("--gateway", default="http://127.0.0.1:9092")
    parser.add_argument("--key", default=os.environ.get("VITRINE_KEY", ""))
    parser.add_argument("--once", action="store_true", help="what is due now, and no more")
    return parser


def run(options, channel, send):
    """`send` gives SENT, FAILED or BOUNCED."""
    state = State(options.state)
    state.give_up_what_was_going(channel, int(time.time() * 1000))
    while True:
        if os.path.exists(options.outbox):
            state.take(options.outbox)
        now_ms = int(time.time() * 1000)
        for message in state.due(channel, now_ms):
            state.goes(message)
            progress = send(message) if message.get("to") else FAILED
            state.went(message, progress, int(time.time() * 1000))
            print(f"{message['id']} {progress}", flush=True)
        reported = state.report(options.gateway, options.site, options.key)
        if options.once:
            return 0 if reported else 1
        time.sleep(1)
