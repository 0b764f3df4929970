#!/usr/bin/env python3
"""Sends the e-mail of an outbox by SMTP.

    smtp_adapter.py <data>/<site>/outreach/outbox.jsonl --site S --state mail.db \
        --smtp 127.0.0.1:25 --sender "Shop <news@shop.example>"
"""

import smtplib
import sys
from email.message import EmailMessage

import outbox


def mail_of(message, sender, subject):
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = message["to"]
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{message['id']}@vitrine>"
    mail.set_content(outbox.text_of(message))
    return mail


def send(message, options):
    host, _, port = options.smtp.rpartition(":")
    try:
        with smtplib.SMTP(host, int(port), timeout=10) as server:
            server.send_message(mail_of(message, options.sender, options.subject))
        return outbox.SENT
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _ in refused.recipients.values()]
        return outbox.BOUNCED if all(500 <= code < 600 for code in codes) else outbox.FAILED
    except (smtplib.SMTPException, OSError, ValueError) as error:
        print(f"{message['id']}: {error}", flush=True)
        return outbox.FAILED


def main():
    parser = outbox.arguments("Sends the e-mail of an outbox by SMTP.")
    parser.add_argument("--smtp", default="127.0.0.1:25", help="host:port")
    parser.add_argument("--sender", required=True)
    parser.add_argument("--subject", default="For you")
    options = parser.parse_args()
    return outbox.run(options, "email", lambda message: send(message, options))


if __name__ == "__main__":
    sys.exit(main())
