"""The index of a collection file, as ``letters/dossier.typ`` reads it: strings alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from services.notify.collection.gathering import Dossier, Sealed, Sending
from services.notify.collection.wording import FILES, WORDS, code
from services.notify.delivered import TITLES
from services.notify.formats import amount, days, long_date, short_date
from services.notify.letters.layout import Page, shown
from services.notify.people import ADDRESS_LINES

MOST_PEOPLE = 6
SEAL_LETTERS = 16


@dataclass(frozen=True)
class Packed:
    """A file of the ZIP. ``sha256`` is hexadecimal."""

    name: str
    bytes: int
    sha256: str


def index(
    dossier: Dossier, files: Sequence[Packed], of_sending: Mapping[int, Sequence[str]], language: str
) -> Page:
    """``of_sending`` names the files of each sending by its place in ``dossier.sendings``; ``files`` are all those
    that the index lists."""
    words = WORDS[language]
    name = dossier.page["name"]
    made_on = long_date(dossier.made_at.date(), language)
    broken = dossier.broken
    return {
        "language": language,
        "title": words["title"],
        "company": shown(dossier.sender.company_name),
        "whom": shown(f"{name} · {dossier.client_id}" if name != dossier.client_id else name),
        "drawn_up": words["drawn_up"].format(day=made_on, on=long_date(dossier.as_of, language)),
        "running": shown(f"{words['title']} · {dossier.sender.company_name} / {name}"),
        "page": words["page"],
        "warning": "" if broken is None else words["broken"].format(n=broken.record.n),
        "parties": [_creditor(dossier, words), _debtor(dossier, words)],
        "amounts": _amounts(dossier, words, language),
        "entries": _entries(dossier, words, language),
        "claims": _claims(dossier, words, language),
        "stated": {"title": words["stated"], "rows": _stated(dossier, words, language)},
        "history": {
            "title": words["history"],
            "empty": words["no_history"],
            "heads": ["", words["date"], words["kind"], words["sent_to"], words["proof"]],
            "rows": [
                _sending(place, one, of_sending.get(place, ()), dossier, language)
                for place, one in enumerate(dossier.sendings)
            ],
        },
        "chain": _chain(dossier, words, language),
        "files": {
            "title": words["files"],
            "heads": [words["file"], words["size"]],
            "rows": [{"name": shown(one.name), "bytes": str(one.bytes), "sha256": one.sha256} for one in files],
        },
    }


def postal(address: Mapping[str, Any] | None) -> list[str]:
    """The lines of a postal address as ledger knows it."""
    told = address or {}
    lines = [str(told[name]) for name in ADDRESS_LINES if told.get(name)]
    town = " ".join(str(told[name]) for name in ("postcode", "city") if told.get(name))
    return [*lines, *([town] if town else []), *([str(told["country"])] if told.get("country") else [])]


def _creditor(dossier: Dossier, words: Mapping[str, str]) -> Page:
    sender = dossier.sender
    told = [*sender.company_address.split("\n"), sender.phone, sender.reply_to or sender.email]
    return {
        "label": words["creditor"],
        "name": shown(sender.company_name),
        "lines": [shown(line) for line in told if line.strip()],
    }


def _debtor(dossier: Dossier, words: Mapping[str, str]) -> Page:
    person = dossier.person
    codes = words["codes"] if len(dossier.codes) > 1 else words["code"]
    told = [
        *postal(person.get("address")),
        *(person.get("phones") or ()),
        *(person.get("emails") or ()),
        *([f"{words['contact']} : {person['contact_name']}"] if person.get("contact_name") else ()),
        f"{codes} : {', '.join(dossier.codes)}",
    ]
    return {"label": words["debtor"], "name": shown(dossier.page["name"]), "lines": [shown(one) for one in told]}


def _money(value: object, currency: str, language: str) -> str:
    return amount(Decimal(str(value)), currency, language, "letter")


def _amounts(dossier: Dossier, words: Mapping[str, str], language: str) -> Page:
    page, currency = dossier.page, dossier.page["currency"]
    rows = [(words[name], _money(page[name], currency, language), False) for name in ("overdue", "upcoming")]
    rows.append((words["amount_due"], _money(page["amount_due"], currency, language), True))
    late = page["statement"]["late_interest"]
    on = short_date(dossier.as_of)
    if late["debtor"] == "business":
        rows += [
            (words["interest"].format(on=on), _money(one["interest"], one["currency"], language), False)
            for one in late["sums"]
        ]
        rows.append((words["indemnity"], _money(late["indemnity"], "EUR", language), False))
    return {
        "title": words["amounts"],
        "rows": [{"label": label, "value": value, "strong": strong} for label, value, strong in rows],
        "note": words["provisional"] if late["provisional"] else "",
    }


def _entries(dossier: Dossier, words: Mapping[str, str], language: str) -> Page:
    heads = ("piece", "kind", "date", "due", "late", "debit", "credit", "document")
    rows = []
    for entry in dossier.open_entries:
        late = int(entry["days_late"])
        documents = [one.file_name for one in dossier.documents.get(entry["entry_id"], ())]
        level = f"{entry['level']} · " if entry["level"] and documents else entry["level"] or ""
        rows.append(
            [
                shown(entry["piece"]),
                code(entry["kind"], language),
                short_date(date.fromisoformat(entry["entry_date"])),
                short_date(date.fromisoformat(entry["due_date"])),
                days(late, language) if late > 0 else "",
                *(
                    _money(entry[side], entry["currency"], language) if Decimal(entry[side]) else ""
                    for side in ("debit", "credit")
                ),
                "",  # a gap between numbers and words
                shown(level + ", ".join(documents)),
            ]
        )
    return {
        "title": words["open_entries"],
        "empty": words["no_entries"],
        "heads": [words[name] for name in heads[:-1]] + ["", f"{words['level']}, {words['document'].lower()}"],
        "rows": rows,
        "note": words["truncated"] if dossier.page["statement"]["truncated"] else "",
    }


def _claims(dossier: Dossier, words: Mapping[str, str], language: str) -> Page:
    claims = dossier.page["statement"]["late_interest"]["claims"]
    return {
        "title": words["claims"],
        "heads": [words["piece"], words["due"], words["period_interest"], words["fixed"]],
        "rows": [
            [
                shown(claim["piece"]),
                short_date(date.fromisoformat(claim["due_date"])),
                _money(claim["interest"], claim["currency"], language),
                _money(claim["indemnity"], "EUR", language),
            ]
            for claim in claims
        ],
    }


def _stated(dossier: Dossier, words: Mapping[str, str], language: str) -> list[str]:
    promised = [
        words["promised"].format(
            recorded=short_date(date.fromisoformat(one["recorded_on"])),
            amount=_money(one["amount"], one["currency"], language),
            day=short_date(date.fromisoformat(one["promised_on"])),
            status=code(one["status"], language),
        )
        for one in dossier.page["promises"]
    ]
    disputed = [
        words["disputed"].format(
            opened=short_date(date.fromisoformat(one["opened_on"])),
            reason=code(one["reason"], language) + (f" ({one['piece']})" if one["piece"] else ""),
            closed=words["closed_on"].format(day=short_date(date.fromisoformat(one["closed_on"])))
            if one["closed_on"]
            else "",
        )
        for one in dossier.page["disputes"]
    ]
    return [shown(one) for one in (*promised, *disputed)]


def step_of(facts: Mapping[str, Any], language: str) -> str:
    """What the action was for: its step, or what a person composed it as."""
    title = TITLES.get(str(facts.get("step", "")))
    if title is not None:
        return title.fr if language == "fr" else title.en
    return code(str(facts.get("purpose", "")), language)


def local_day(sealed: Sealed, dossier: Dossier) -> date:
    """The day on which it was done: as said, else the company's own day of the event."""
    done_on = sealed.body["facts"].get("done_on")
    return date.fromisoformat(done_on or sealed.body["as_of"])


def _sending(place: int, one: Sending, files: Sequence[str], dossier: Dossier, language: str) -> Page:
    facts = one.main.body["facts"]
    what = code(one.kind, language)
    about = [step_of(facts, language)]
    if "amount" in facts:
        about.append(_money(facts["amount"], facts["currency"], language))
    return {
        "number": str(place + 1),
        "day": short_date(local_day(one.main, dossier)),
        "what": what,
        "about": [line for line in about if line],
        "to": [shown(line) for line in _whom(one, language)],
        "proof": [shown(line) for line in proofs(one, dossier, language)],
        "files": [shown(name) for name in files],
        "seal": _seals(one, language),
    }


def _whom(one: Sending, language: str) -> list[str]:
    if one.main.is_erased:
        return [WORDS[language]["erased"]]
    person = one.main.person
    told = list(person.get("recipients") or person.get("address") or ())
    if len(told) > MOST_PEOPLE:
        told = [*told[:MOST_PEOPLE], WORDS[language]["and_more"].format(n=len(told) - MOST_PEOPLE)]
    return told


def proofs(one: Sending, dossier: Dossier, language: str) -> list[str]:
    """Everything that shows that it was sent and came to its recipient, or did not."""
    words = WORDS[language]
    return [*_handed_over(one, dossier, words, language), *_came_back(one, dossier, words, language)]


def _handed_over(one: Sending, dossier: Dossier, words: Mapping[str, str], language: str) -> Iterable[str]:
    facts, person = one.main.body["facts"], one.main.person
    match one.kind:
        case "email_sent":
            when = datetime.fromisoformat(facts.get("sent_at") or one.main.body["at"]).astimezone(dossier.zone)
            answer = person.get("answer")
            said = words["answer"].format(answer=answer) if answer else words["taken"]
            yield f"{said} ({when:%d/%m/%Y %H:%M:%S %Z})"
            if refused := person.get("refused"):
                yield words["refused"].format(whom=", ".join(refused))
        case "letter_prepared":
            yield from _posted(one, dossier, words)
        case _:
            yield from (code(str(facts[name]), language) for name in ("outcome", "reason") if name in facts)
            if comment := person.get("comment"):
                yield comment


def _posted(one: Sending, dossier: Dossier, words: Mapping[str, str]) -> Iterable[str]:
    posted = one.of("letter_posted")
    if one.main.body["facts"].get("registered") or any(each.body["facts"].get("registered") for each in posted):
        yield words["registered"]
    numbers = one.of("letter_numbered")
    number = numbers[-1].person.get("registered_number") if numbers else one.main.person.get("registered_number")
    if number:
        yield words["number"].format(number=number)
    for each in posted:
        yield words["posted"].format(day=short_date(local_day(each, dossier)))
    if not posted:
        yield words["not_posted"]


def _came_back(one: Sending, dossier: Dossier, words: Mapping[str, str], language: str) -> Iterable[str]:
    for each in one.of("email_report"):
        facts = each.body["facts"]
        when = datetime.fromisoformat(each.body["at"]).astimezone(dossier.zone)
        told = {"what": code(facts["report"], language), "day": short_date(when.date())}
        status = facts.get("status")
        yield (
            words["came_back"].format(status=status, **told) if status else words["came_back_plain"].format(**told)
        )


def _seals(one: Sending, language: str) -> str:
    records = sorted((one.main, *one.after), key=lambda each: each.record.n)
    told = [f"{each.record.n}:{each.record.hash[:SEAL_LETTERS]}" for each in records]
    return f"{WORDS[language]['seal']} {', '.join(told)}"


def _chain(dossier: Dossier, words: Mapping[str, str], language: str) -> Page:
    names = FILES[language]
    head = ""
    if dossier.head is not None:
        head = words["chain_head"].format(n=dossier.head[0], hash=dossier.head[1])
    return {
        "title": words["chain"],
        "says": words["chain_says"].format(count=len(dossier.records), file=names["archive"]),
        "head": head,
        "check": words["chain_check"].format(sums=names["digests"]),
    }
