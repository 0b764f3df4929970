#!/usr/bin/python3
"""A visit to the demo shop in headless Chromium: clicks, and sees the shelves change.

    tests/api/shop_visit.py http://127.0.0.1:9092 SITE PICTURES

Leaves screenshots of the shop in English and Persian in the folder PICTURES. Drives the browser over
its DevTools protocol with nothing but Python's own library. Chromium must be installed.
"""

import base64
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

PATIENCE_S = 30
# A headless browser says that it is one, and is a robot by our lists.
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"


class WebSocket:
    """What the DevTools protocol needs of RFC 6455: text in both directions."""

    def __init__(self, url):
        target = urllib.parse.urlparse(url)
        self.socket = socket.create_connection((target.hostname, target.port), PATIENCE_S)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((
            f"GET {target.path} HTTP/1.1\r\nHost: {target.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode())
        self.file = self.socket.makefile("rb")
        while self.file.readline() not in (b"\r\n", b""):
            pass

    def send(self, text):
        data = text.encode()
        mask = os.urandom(4)
        if len(data) < 126:
            head = struct.pack("!BB", 0x81, 0x80 | len(data))
        elif len(data) < 65536:
            head = struct.pack("!BBH", 0x81, 0x80 | 126, len(data))
        else:
            head = struct.pack("!BBQ", 0x81, 0x80 | 127, len(data))
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        text = b""
        while True:
            first, second = self.file.read(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", self.file.read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self.file.read(8))
            text += self.file.read(length)
            if first & 0x80:
                return text.decode()


class Browser:
    def __init__(self, folder):
        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--remote-debugging-port=0", f"--user-data-dir={folder}", f"--user-agent={AGENT}",
             "--window-size=1100,1400", "--hide-scrollbars", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:  # it says where it listens when it does
            if "DevTools listening on" in line:
                port = urllib.parse.urlparse(line.split()[-1]).port
                break
        else:
            raise RuntimeError("chromium did not start")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE_S) as reply:
            page = next(one for one in json.load(reply) if one["type"] == "page")
        self.channel = WebSocket(page["webSocketDebuggerUrl"])
        self.calls = 0
        self.errors = []
        self.requests = []
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        self.calls += 1
        self.channel.send(json.dumps({"id": self.calls, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.channel.receive())
            if message.get("method") == "Runtime.exceptionThrown":
                self.errors.append(message["params"]["exceptionDetails"])
            if message.get("method") == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            if message.get("id") == self.calls:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]

    def run(self, script):
        """The value of a script, or of the promise that it gives."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, condition):
        """Until the page says so; it looks whenever something in it changes."""
        done = self.run(f"""new Promise((done) => {{
            const look = () => {{ try {{ return !!({condition}); }} catch {{ return false; }} }};
            if (look()) return done(true);
            const watch = new MutationObserver(() => look() && (watch.disconnect(), done(true)));
            watch.observe(document, {{childList: true, subtree: true, attributes: true}});
            setTimeout(() => done(look()), {PATIENCE_S * 1000});
        }})""")
        assert done, f"the page never came to: {condition}"

    def open(self, url):
        self.call("Page.navigate", url=url)
        # The old page answers until the new one is there.
        while True:
            try:
                if self.run("location.href") == url and self.run("document.readyState") == "complete":
                    break
            except RuntimeError:
                pass  # between the two
        self.wait("document.querySelector('main').dataset.drawn")

    def picture(self, path):
        shot = self.call("Page.captureScreenshot", format="png")
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        self.process.terminate()
        self.process.wait()


def shelf(browser, placement):
    return browser.run(
        f"[...document.querySelectorAll('[data-shelf={placement}] [data-product]')]"
        ".map((one) => one.dataset.product)")


def click(browser, selector):
    drawings = browser.run("document.querySelector('main').dataset.drawings")
    browser.run(f"document.querySelector({json.dumps(selector)}).click()")
    browser.wait(f"document.querySelector('main').dataset.drawings > {drawings}")


def visit(browser, address, site, pictures):
    home = f"{address}/?site={urllib.parse.quote(site)}"
    browser.open(home)
    assert browser.run("document.documentElement.dir") == "ltr"
    before = shelf(browser, "home")
    assert len(before) == 6, before
    assert not shelf(browser, "recently-viewed")
    everything = browser.run(
        "[...document.querySelectorAll('[data-product]')].map((one) => one.dataset.product)")
    assert len(set(everything)) == len(everything), f"twice on one page: {everything}"
    browser.picture(pictures / "home-before.png")

    # Three products of the trending shelf, one after the other.
    seen = []
    for _ in range(3):
        seen.append(shelf(browser, "trending")[0])
        click(browser, f"[data-shelf=trending] [data-product={json.dumps(seen[-1])}]")
        assert browser.run("location.hash") == f"#/product/{urllib.parse.quote(seen[-1])}"
        assert shelf(browser, "similar")
        if len(seen) == 1:
            browser.picture(pictures / "product.png")
        click(browser, ".brand")
    after = shelf(browser, "home")
    viewed = shelf(browser, "recently-viewed")
    print("for you, before:", *before)
    print("viewed:", *viewed)
    print("for you, after: ", *after)
    assert len(after) == 6 and after != before, "clicks do not change what is shown"
    assert viewed == seen[::-1], f"{seen} were viewed"
    assert not set(after) & set(viewed), "what was just seen is suggested again"

    # What was clicked in a shelf is told with the shelf's id, and everything has been acknowledged.
    browser.run("vitrine.flush()")
    assert browser.run("JSON.parse(localStorage['vitrine.queue']).length") == 0
    assert seen[0] in browser.run("Object.keys(JSON.parse(localStorage['vitrine.clicked']))")

    browser.picture(pictures / "home-en.png")
    click(browser, "[data-shelf=home] [data-product]")
    click(browser, "#add")
    browser.run("location.hash = '#/cart'")
    browser.wait("document.querySelector('main').dataset.drawn === '#/cart'")
    assert shelf(browser, "cart")
    browser.picture(pictures / "cart.png")
    click(browser, "#order")

    # A reload loses nothing: what could not be sent waits in localStorage, with its id.
    browser.call("Network.emulateNetworkConditions", offline=True, latency=0,
                 downloadThroughput=-1, uploadThroughput=-1)
    browser.run("vitrine.track('search', {search_terms: 'mug'}); vitrine.flush()")
    queue = browser.run("JSON.parse(localStorage['vitrine.queue'])")
    assert [event["kind"] for event in queue] == ["search"], queue
    browser.call("Network.emulateNetworkConditions", offline=False, latency=0,
                 downloadThroughput=-1, uploadThroughput=-1)
    browser.open(home + "&lang=fa")
    browser.run("vitrine.flush()")
    assert browser.run("JSON.parse(localStorage['vitrine.queue']).length") == 0

    # In Persian everything runs the other way, titles and reasons of the server too.
    assert browser.run("document.documentElement.dir") == "rtl"
    title = browser.run("document.querySelector('[data-shelf=home] h2').textContent")
    assert any("\u0600" <= letter <= "\u06ff" for letter in title), title
    wider = browser.run("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wider, "the page is wider than its window"
    browser.picture(pictures / "home-fa.png")

    # Consent withdrawn: no id, nothing kept, nothing sent; the shelves are everybody's.
    click(browser, "#consent")
    kept = browser.run("[document.cookie, ...Object.keys(localStorage)].filter((k) => /vitrine/.test(k))")
    assert not kept, kept
    sent = len([url for url in browser.requests if "/v1/events" in url])
    click(browser, "[data-shelf=home] [data-product]")
    click(browser, ".brand")
    assert len([url for url in browser.requests if "/v1/events" in url]) == sent
    assert not shelf(browser, "recently-viewed")
    assert not browser.run("document.cookie")

    strange = [url for url in browser.requests if not url.startswith((address, "data:", "about:"))]
    assert not strange, f"the page asked others: {strange}"
    assert not browser.errors, browser.errors


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    pictures = pathlib.Path(sys.argv[3])
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(folder)
        try:
            visit(browser, sys.argv[1], sys.argv[2], pictures)
        finally:
            browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
