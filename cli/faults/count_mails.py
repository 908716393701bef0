"""Compare a mail server's own mailbox with what a sender was asked for and what it says of it.

    python -I -S count_mails.py MAILDIR FAULTS.jsonl ASKED.json TOLD.json [MOST_IN_DOUBT]

It uses nothing but Python's own library, so that no mistake of the sender's code can hide in the count. ASKED.json
is a list of names, each the part of a Message-ID before the ``@``; TOLD.json is what the sender says:
``{"sent": how many, "failed": [names], "in_doubt": [names]}``; FAULTS.jsonl is the mail server's own journal. It
prints one JSON object; ``wrong`` is empty when every mail is there exactly once, but for those refused for good
and those said to be in doubt.
"""

import json
import sys
from collections import Counter
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

EXAMPLES = 5


def named(message_id: str) -> str:
    """The part before the ``@``."""
    return message_id.strip().strip("<>").partition("@")[0]


def mailbox(folder: Path) -> Counter[str]:
    """How often each mail lies in a Maildir."""
    parser = BytesHeaderParser()
    found: Counter[str] = Counter()
    for part in ("new", "cur"):
        for file in (folder / part).iterdir():
            with file.open("rb") as mail:
                found[named(str(parser.parse(mail)["Message-ID"]))] += 1
    return found


def journal(file: Path) -> list[dict[str, Any]]:
    """What the mail server did."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def count(
    folder: Path, faults: Path, asked: list[str], told: dict[str, Any], most_in_doubt: int | None = None
) -> dict[str, Any]:
    """The comparison. ``most_in_doubt`` is what kills may leave; each cut and each silence may leave one more."""
    received, happened = mailbox(folder), journal(faults)
    wanted, doubted, failed = set(asked), set(told["in_doubt"]), set(told["failed"])
    refused = {named(one["message_id"]) for one in happened if one["fault"] == "refused"}
    dark = sum(one["fault"] != "refused" for one in happened)
    groups = {
        "received twice": [name for name, times in received.items() if times > 1],
        "received and never asked for": [name for name in received if name not in wanted],
        "said to have failed, and received": sorted(failed & set(received)),
        "said to have failed, and not refused": sorted(failed - refused),
        "missing and not named": sorted(wanted - set(received) - failed - doubted),
    }
    wrong = {what: {"count": len(names), "some": names[:EXAMPLES]} for what, names in groups.items() if names}
    counted = told["sent"] + len(failed) + len(doubted)
    if counted != len(wanted):
        wrong["told of"] = {"count": counted, "some": [f"of {len(wanted)} asked for"]}
    if most_in_doubt is not None and len(doubted) > most_in_doubt + dark:
        wrong["in doubt"] = {"count": len(doubted), "some": [f"at most {most_in_doubt} and {dark} cut or silent"]}
    return {
        "asked": len(wanted),
        "received": sum(received.values()),
        "refused_for_good": len(failed),
        "in_doubt": len(doubted),
        "in_doubt_and_received": len(doubted & set(received)),
        "cut_or_silent": dark,
        "wrong": wrong,
    }


if __name__ == "__main__":
    maildir, faults_file, asked_file, told_file, *bound = sys.argv[1:]
    result = count(
        Path(maildir),
        Path(faults_file),
        json.loads(Path(asked_file).read_text(encoding="utf-8")),
        json.loads(Path(told_file).read_text(encoding="utf-8")),
        int(bound[0]) if bound else None,
    )
    print(json.dumps(result))
    sys.exit(1 if result["wrong"] else 0)
