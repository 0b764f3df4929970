"""A server for a benchmark: vitrine serve on free ports, until it is stopped."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "build/release/bin"


class Server:
    """Ready when made. `log` is where its messages go; none: nowhere."""

    def __init__(self, data, *options, log=subprocess.DEVNULL):
        self.process = subprocess.Popen(
            [BIN / "vitrine", "serve", "--data", data, "--port", "0", "--admin-port", "0",
             *map(str, options)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        match = re.match(r"storefront (\S+):(\d+) backoffice \S+:(\d+) http \S+:(\d+)", line)
        if not match:
            sys.exit("the server did not start")
        self.host, self.port, self.backoffice_port, self.http_port = match.groups()

    def stop(self):
        self.process.terminate()
        if self.process.wait() != 0:
            sys.exit("the server did not end well")
