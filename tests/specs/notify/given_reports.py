"""Reports as servers send them, about one message of ours; made here, so that a clone alone has them."""

MESSAGE_ID = "<0b8f7f0e-6c5b-5f0e-9d5e-0a6b1c2d3e4f@delcourt.example>"
TO = "compta@diaz.example"

_QUOTED = f"""\
From: Delcourt <relance@delcourt.example>
To: {TO}
Subject: Rappel
Message-ID: {MESSAGE_ID}

Bonjour
"""


def delivery_report(
    status: str,
    diagnostic: str,
    *,
    to: str = TO,
    action: str = "failed",
    message_id: str = MESSAGE_ID,
    named: str = "r1",
) -> bytes:
    """A delivery report of Postfix on one recipient."""
    return f"""\
Return-Path: <>
Date: Sat, 21 Nov 2026 18:35:16 +0000 (UTC)
From: MAILER-DAEMON@mx.diaz.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: relance@delcourt.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="7874F1FB8E.1403375716/mx.diaz.example"
Message-Id: <{named}@mx.diaz.example>

This is a MIME-encapsulated message.

--7874F1FB8E.1403375716/mx.diaz.example
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.diaz.example.

<{to}>: host mx.diaz.example said: {diagnostic}

--7874F1FB8E.1403375716/mx.diaz.example
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.diaz.example
Arrival-Date: Sat, 21 Nov 2026 18:34:34 +0000 (UTC)

Final-Recipient: rfc822; {to}
Original-Recipient: rfc822;{to}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {diagnostic}

--7874F1FB8E.1403375716/mx.diaz.example
Content-Type: message/rfc822

{_QUOTED.replace(MESSAGE_ID, message_id)}
--7874F1FB8E.1403375716/mx.diaz.example--
""".encode()


HARD = delivery_report("5.1.1", f"550 5.1.1 <{TO}>... User unknown")
FULL = delivery_report("5.2.2", f"552 5.2.2 <{TO}> Quota exceeded (mailbox for user is full)", named="r2")
DELAY = delivery_report("4.4.1", "connection timed out", action="delayed", named="r3")
SUCCESS = delivery_report("2.0.0", "250 2.0.0 Ok", action="relayed", named="r4")

EXIM = f"""\
Return-path: <>
X-Failed-Recipients: {TO}
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.delcourt.example>
To: relance@delcourt.example
Subject: Mail delivery failed: returning message to sender
Message-Id: <r5@mx.delcourt.example>

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {TO}
    host mx.diaz.example [192.0.2.1]: 550 No such user here

------ This is a copy of the message, including all the headers. ------

{_QUOTED}""".encode()

COMPLAINT = f"""\
From: <fbl@provider.example>
Subject: FW: Rappel
To: <relance@delcourt.example>
Message-ID: <r6@provider.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part"

--part
Content-Type: text/plain

This is an email abuse report.

--part
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Rcpt-To: <{TO}>

--part
Content-Type: message/rfc822

{_QUOTED}
--part--
""".encode()

ABSENCE = f"""\
From: <{TO}>
To: <relance@delcourt.example>
Subject: =?utf-8?q?R=C3=A9ponse_automatique?= : Rappel
Message-ID: <r7@diaz.example>
In-Reply-To: {MESSAGE_ID}
Content-Type: text/plain; charset=utf-8

Je suis absente jusqu'au 30.
""".encode()

ANSWER = f"""\
From: Madame Giraud <{TO}>
To: <relance@delcourt.example>
Date: Sat, 21 Nov 2026 18:35:16 +0000
Subject: Re: Rappel
Message-ID: <r8@diaz.example>
In-Reply-To: {MESSAGE_ID}
References: <older@delcourt.example> {MESSAGE_ID}
Content-Type: text/plain; charset=utf-8

Le règlement part vendredi.
""".encode()

WITH_RETURN_PATH = f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.diaz.example
To: bounces+{MESSAGE_ID[1:37].replace("-", "")}@delcourt.example
Subject: failure notice
Message-ID: <r9@mx.diaz.example>

Your message could not be delivered.

<{TO}>:
550 5.1.1 User unknown
""".encode()

REPORTS = (HARD, FULL, DELAY, SUCCESS, EXIM, COMPLAINT, ABSENCE, ANSWER, WITH_RETURN_PATH)
