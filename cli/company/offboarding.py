"""A company let go, step by step: it is brought to rest and handed out, waits, and is deleted with a certificate.

Until it is deleted it can be kept, by whoever may run these commands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import psycopg
from psycopg import sql

from chassis import clock
from cli.company.bundle import Bundle, opened
from cli.company.deleting import Removed, release, remove
from cli.company.exporting import export
from cli.company.inventory import HOLD, LOG, CompanyMissing, companies, rows_of
from cli.company.verifying import refuse_broken
from cli.places import SERVICES
from contracts.subjects import SPEAKERS

ARCHIVE_YEARS = 10
"""Accounting documents, letters that were sent among them, are kept so long (C. com. L123-22)."""

OTHER_SYSTEMS = """
    select (select count(*) from reporting.subscriber where company = %(company)s),
        (select count(*) from reporting.webhook where company = %(company)s)
"""
PUT = """
    insert into {} (company, since, held_by, until) values (%s, now(), %s, %s)
    on conflict (company) do update set until = excluded.until
"""
SURVIVORS = """
    select distinct mine.account_id from console.membership mine
    join console.membership other on other.account_id = mine.account_id and other.company <> mine.company
    where mine.company = %s and mine.role = 'admin'
"""
CERTIFIED = "insert into console.certificate (account_id, about, words) values (%s, %s, %s)"
EXPORTED = "update {} set export_sha256 = %s where company = %s"
HELD = """
    select company, since, held_by, until, export_sha256 from ledger.company_hold
    where %s::text is null or company = %s order by company
"""


class NotLeaving(Exception):
    """The company was not asked to go."""

    def __init__(self, company: str) -> None:
        super().__init__(f"{company} is not being offboarded: begin with: relance company offboard {company}")


class TooEarly(Exception):
    """It may still be kept until a day that has not come."""

    def __init__(self, company: str, until: date) -> None:
        super().__init__(
            f"{company} may be kept until {until}, and is deleted from then on; sooner only after"
            f" relance company offboard {company} --days with fewer days"
        )


class NotItsExport(Exception):
    """The file is not what was written when the company was brought to rest."""

    def __init__(self, company: str, path: Path, wanted: str | None) -> None:
        told = f"whose manifest has the SHA-256 {wanted}" if wanted else "and there is none"
        super().__init__(
            f"{path} is not the last export of {company}, {told}: name that one, or make it again with:"
            f" relance company offboard {company}"
        )


class SaidSince(Exception):
    """Something was said of the company after its final export: a payment that arrived, a mail that came back."""

    def __init__(self, company: str, speakers: Sequence[str]) -> None:
        super().__init__(
            f"{', '.join(speakers)} said something of {company} since it was exported: start the services, and"
            f" export it again with: relance company offboard {company}"
        )


class OthersStillHear(Exception):
    """Subscribers or webhooks of the company are still there."""

    def __init__(self, company: str, subscribers: int, webhooks: int) -> None:
        super().__init__(
            f"{company} has {subscribers} subscribers and {webhooks} webhooks: start the services, so that they"
            " can be ended, or remove them with: relance subscriber remove, relance webhook remove"
        )


@dataclass(frozen=True)
class Leaving:
    """A company at rest: since when, by whom, and from which day on it is deleted."""

    company: str
    since: datetime
    held_by: str
    until: date
    export_sha256: str | None


def leaving(connection: psycopg.Connection[Any], company: str | None = None) -> list[Leaving]:
    """The companies that are being let go."""
    rows = connection.execute(HELD, [company, company])
    return [Leaving(*row) for row in rows]


def bring_to_rest(dsn: str, company: str, *, by: str, days: int) -> Leaving:
    """From now on nothing is synchronised, decided, sent or changed for the company. Asked again, it only moves
    the day. Raises ``CompanyMissing``, ``OthersStillHear``."""
    with psycopg.connect(dsn, options="-c timezone=UTC") as connection:
        known = companies(connection)
        if company not in known:
            raise CompanyMissing(company, known)
        subscribers, webhooks = connection.execute(OTHER_SYSTEMS, {"company": company}).fetchone() or (0, 0)
        if subscribers or webhooks:
            raise OthersStillHear(company, subscribers, webhooks)
        until = clock.now().date() + timedelta(days=days)
        for service in SERVICES:
            connection.execute(sql.SQL(PUT).format(sql.Identifier(service, HOLD)), [company, by, until])
        return leaving(connection, company)[0]


def hand_out(dsn: str, company: str, to: Path, *, by: str, wait_seconds: float) -> str:
    """The final export; answers the digest of its manifest, which is kept until the company is deleted."""
    export(dsn, company, to, by=by, wait_seconds=wait_seconds)
    with opened(to) as bundle:
        refuse_broken(bundle)
        digest = bundle.manifest_sha256
    with psycopg.connect(dsn) as connection:
        for service in SERVICES:
            connection.execute(sql.SQL(EXPORTED).format(sql.Identifier(service, HOLD)), [digest, company])
    return digest


def keep(dsn: str, company: str) -> Leaving:
    """Let the company go on. Raises ``NotLeaving``."""
    with psycopg.connect(dsn, options="-c timezone=UTC") as connection:
        found = leaving(connection, company)
        if not found:
            raise NotLeaving(company)
        for service in SERVICES:
            connection.execute(
                sql.SQL("delete from {} where company = %s").format(sql.Identifier(service, HOLD)), [company]
            )
        return found[0]


def delete(  # noqa: PLR0913 what, where, and on whose word
    dsn: str,
    nats_url: str,
    bundle: Bundle,
    *,
    by: str,
    lost: TextIO,
    hand_over: Callable[[dict[str, Any]], None],
    data_dir: Path | None = None,
    today: date | None = None,
) -> dict[str, Any]:
    """Delete the company of an export that was made when it was brought to rest; answers the certificate, which
    ``hand_over`` has kept by then; those who administered it and have another company read it on their page. Asked
    again after it ended half way, it ends it, and counts what was left.

    Raises ``BundleBroken``, ``NotLeaving``, ``TooEarly``, ``NotItsExport``, ``SaidSince``, and as ``remove``.
    """
    company = bundle.company
    with psycopg.connect(dsn, options="-c timezone=UTC") as connection:
        found = leaving(connection, company)
    if not found:
        raise NotLeaving(company)
    (one,) = found
    if one.until > (today or clock.now().date()):
        raise TooEarly(company, one.until)
    if one.export_sha256 != bundle.manifest_sha256:
        raise NotItsExport(company, bundle.path, one.export_sha256)
    refuse_broken(bundle)
    with psycopg.connect(dsn) as connection:
        _refuse_later(connection, bundle)
        survivors = [account_id for (account_id,) in connection.execute(SURVIVORS, [company])]
    done = remove(dsn, nats_url, company, lost, data_dir)
    told = certificate(one, bundle, done, by=by, at=clock.now())
    hand_over(told)
    with psycopg.connect(dsn) as connection:
        for account_id in survivors:
            connection.execute(CERTIFIED, [account_id, company, readable(told)])
    release(dsn, company)
    return told


def _refuse_later(connection: psycopg.Connection[Any], bundle: Bundle) -> None:
    """What an interrupted deletion took away already is not missed. Raises ``SaidSince``."""
    now = rows_of(connection, bundle.company)
    told = bundle.manifest["events"]
    later = [speaker for speaker in SPEAKERS if now.get(f"{speaker}.{LOG}", 0) > told.get(speaker, 0)]
    if later:
        raise SaidSince(bundle.company, later)


def certificate(one: Leaving, bundle: Bundle, done: Removed, *, by: str, at: datetime) -> dict[str, Any]:
    """What was deleted, when and by whom; what the law keeps, and where it is."""
    archive = bundle.manifest["archive"]
    return {
        "certificate": "relance-company-deleted",
        "version": 1,
        "company": one.company,
        "brought_to_rest": {"at": one.since.isoformat(), "by": one.held_by, "could_be_kept_until": f"{one.until}"},
        "deleted": {
            "at": at.isoformat(),
            "by": by,
            "rows": done.rows,
            "events": done.events,
            "streams_made_again": sorted(done.streams),
            "log_lines": done.log_lines,
        },
        "handed_out": {
            "file": bundle.path.name,
            "manifest_sha256": bundle.manifest_sha256,
            "exported_at": bundle.manifest["exported_at"],
            "exported_by": bundle.manifest["exported_by"],
            "legal_archive": archive,
            "keep_until": f"{years_after(at.date(), ARCHIVE_YEARS)}",
            "why": "letters and mails that were sent, and accounting documents: ten years (C. com. L123-22)",
        },
        "not_deleted_here": list(NOT_OURS),
    }


def years_after(day: date, years: int) -> date:
    """The same day of a later year; the first of March where that has no 29 February: never sooner."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


NOT_OURS = (
    "backups, until they are replaced",
    "space in PostgreSQL's files that deleted rows filled, until it is written over",
    "mails in the company's mailboxes and in those of its debtors",
    "files that accounting delivers from, connectors' passwords and agents beside accounting",
    "records of the payment provider, and logs and traces that were sent elsewhere",
)


def readable(certificate: dict[str, Any]) -> str:
    """The certificate for people."""
    deleted, rest, kept = (certificate[name] for name in ("deleted", "brought_to_rest", "handed_out"))
    archive = kept["legal_archive"] or {"records": 0, "hash": "-"}
    return "\n".join(
        [
            f"Certificate: {certificate['company']} was deleted",
            "",
            f"Deleted on {deleted['at']} by {deleted['by']}.",
            f"Brought to rest on {rest['at']} by {rest['by']}.",
            f"It could be kept until {rest['could_be_kept_until']}.",
            "",
            *_counted("Rows", deleted["rows"]),
            *_counted("Events in the logs", deleted["events"]),
            *_counted("Lines of log files", deleted["log_lines"]),
            f"Streams made again without it: {', '.join(deleted['streams_made_again'])}",
            "",
            f"Handed out before: {kept['file']}, of {kept['exported_at']} by {kept['exported_by']},",
            f"manifest SHA-256 {kept['manifest_sha256']}.",
            f"It holds the legal archive: {archive['records']} records, the last with hash {archive['hash']}.",
            f"Keep it until {kept['keep_until']}: {kept['why']}.",
            "",
            "Not deleted by this, and to be seen to where they are:",
            *(f"- {one}" for one in certificate["not_deleted_here"]),
            "",
        ]
    )


def _counted(what: str, counts: dict[str, int]) -> Sequence[str]:
    return [f"{what}: {sum(counts.values())}", *(f"  {name}: {count}" for name, count in counts.items())]
