#!/usr/bin/env python3
"""Sends the SMS of an outbox through a gateway that takes JSON over HTTP: {"id", "to", "text"}.

    sms_adapter.py <data>/<site>/outreach/outbox.jsonl --site S --state sms.db \
        --sms http://127.0.0.1:8080/messages
"""

import json
import sys
import urllib.error
import urllib.request

import outbox

NO_SUCH_NUMBER = (404, 410, 422)


def send(message, options):
    body = json.dumps({"id": message["id"], "to": message["to"],
                       "text": outbox.text_of(message).strip()})
    request = urllib.request.Request(options.sms, body.encode(),
                                     {"Content-Type": "application/json"})
    try:
        urllib.request.urlopen(request, timeout=10).read()
        return outbox.SENT
    except urllib.error.HTTPError as error:
        return outbox.BOUNCED if error.code in NO_SUCH_NUMBER else outbox.FAILED
    except (urllib.error.URLError, OSError) as error:
        print(f"{message['id']}: {error}", flush=True)
        return outbox.FAILED


def main():
    parser = outbox.arguments("Sends the SMS of an outbox through a gateway over HTTP.")
    parser.add_argument("--sms", required=True, help="where messages are posted")
    options = parser.parse_args()
    return outbox.run(options, "sms", lambda message: send(message, options))


if __name__ == "__main__":
    sys.exit(main())
