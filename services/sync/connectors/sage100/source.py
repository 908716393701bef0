"""One reading of a Sage base: in one snapshot where the server can, else again until nothing changes meanwhile."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Select, create_engine, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from services.sync.connectors.live import LiveSource, SourceTrouble
from services.sync.connectors.sage100 import mapping
from services.sync.connectors.sage100.mapping import Parameters
from services.sync.connectors.sage100.options import SageOptions
from services.sync.connectors.sage100.statements import Since, Statements
from services.sync.domain.receivables import Nature
from services.sync.domain.records import Assignment

ROWS_AT_ONCE = 2_000
KEYS_AT_ONCE = 10_000
CODES_AT_ONCE = 500
"""SQL Server takes 2,100 parameters in a statement."""
PASSES = 5
PROGRAM = "relance connector"
"""How the server's administrator sees the connection named."""
CONNECT_SECONDS = 10
STATEMENT_SECONDS = 300
BEGINNING = Since(datetime(1753, 1, 1), 0)  # noqa: DTZ001 Sage writes its server's local time
Record = dict[str, Any]
T = TypeVar("T")


@contextmanager
def open_base(address: str, options: Mapping[str, Any]) -> Iterator[LiveSource]:
    """A connection to the base at ``address`` (``mssql+pymssql://login@server/BASE``) that only reads.

    Raises ``SourceTrouble``.
    """
    chosen = SageOptions.model_validate(options)
    engine = _engine(address)
    try:
        with told_as("source_unreachable", engine.url):
            connection = engine.connect()
        try:
            with told_as("source_lost", engine.url):
                yield SageBase(connection, chosen, is_snapshot=_begin(connection))
        finally:
            connection.close()
    finally:
        engine.dispose()


def _parts(items: Iterable[T], at_once: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while part := list(islice(remaining, at_once)):
        yield part


def _engine(address: str) -> Engine:
    try:
        url = make_url(address)
        driver = url.get_driver_name()
        waits: dict[str, Any] = {}
        if driver == "pymssql":
            waits = {"login_timeout": CONNECT_SECONDS, "timeout": STATEMENT_SECONDS, "appname": PROGRAM}
        elif driver == "psycopg":
            waits = {
                "application_name": PROGRAM,
                "connect_timeout": CONNECT_SECONDS,
                "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c timezone=UTC",
            }
        return create_engine(url, poolclass=NullPool, connect_args=waits, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError) as unreadable:
        raise SourceTrouble("address_unreadable") from unreadable
    except ModuleNotFoundError as missing:
        raise SourceTrouble("driver_missing", driver=missing.name or "") from missing


@contextmanager
def told_as(code: str, url: URL) -> Iterator[None]:
    """Database errors as ``SourceTrouble``: their first line, without the password; values of rows are hidden."""
    try:
        yield
    except DBAPIError as failure:
        said = str(failure.orig).strip().partition("\n")[0][:300]
        if url.password:
            said = said.replace(str(url.password), "…")
        raise SourceTrouble(code, error=type(failure.orig).__name__, said=said) from failure
    except (SQLAlchemyError, OSError) as failure:
        raise SourceTrouble(code, error=type(failure).__name__, said="") from failure


def _begin(connection: Connection) -> bool:
    """Begin the transaction in which all is read; answers whether it is one snapshot."""
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return True
    if connection.dialect.name != "mssql":
        return False
    allowed = connection.execute(
        text("select snapshot_isolation_state from sys.databases where name = db_name()")
    ).scalar()
    # dates are sent as text, which a server in French would read as day, month, year
    connection.execute(text("set dateformat ymd"))
    connection.rollback()
    if allowed == 1:
        connection.execution_options(isolation_level="SNAPSHOT")
    return allowed == 1


class SageBase:
    """The base of one company."""

    def __init__(self, connection: Connection, options: SageOptions, *, is_snapshot: bool) -> None:
        self._connection = connection
        self._options = options
        self._is_snapshot = is_snapshot
        self._written = 0

    def probe(self) -> None:
        """One cheap question."""
        with told_as("source_unreachable", self._connection.engine.url):
            self._connection.execute(text("select 1"))

    def records(self, assignment: Assignment) -> Iterator[Record]:
        """Entries, clients, keys, totals, end. Raises ``SourceTrouble``."""
        with told_as("source_lost", self._connection.engine.url):
            for record in self._records(assignment):
                self._written += 1
                yield record

    def _records(self, assignment: Assignment) -> Iterator[Record]:
        self._written = 0
        statements = Statements(self._connection, self._options, assignment.accounts)
        parameters = self._parameters(statements, assignment)
        statements.find_cutoff(parameters.exercises)
        reference = self._reference(assignment, parameters, statements.cutoff)
        cursor = assignment.cursor or {}
        mode = assignment.mode
        if not cursor or cursor.get("reference") != reference:
            mode = "full"  # what rows mean has changed, whichever rows did
        since = BEGINNING if mode == "full" else self._overlapping(cursor)

        mark = self._newest(statements)
        query = statements.all_entries() if mode == "full" else statements.changed_entries(since)
        yield from self._entries(query, parameters)
        for numbers in _parts(sorted(int(key) for key in assignment.wanted), CODES_AT_ONCE):
            yield {"record": "pass"}
            yield from self._entries(statements.entries_numbered(numbers), parameters)
        yield from self._clients(statements, parameters, None if mode != "incremental" else since)
        keys, totals = self._keys_and_totals(statements, with_keys=mode != "incremental")
        for _ in range(PASSES):
            newest = mark if self._is_snapshot else self._newest(statements)
            if newest == mark:
                break
            # it changed while it was read: what changed is read once more, and what it counts
            yield {"record": "pass"}
            yield from self._entries(statements.changed_entries(mark), parameters)
            yield from self._clients(statements, parameters, None if mode != "incremental" else mark)
            keys, totals = self._keys_and_totals(statements, with_keys=mode != "incremental")
            mark = newest
        for some in _parts(keys, KEYS_AT_ONCE):
            yield {"record": "keys", "keys": some}
        yield totals
        for number in sorted(parameters.unknown_currencies):
            yield {"record": "trouble", "code": "currency_unknown", "details": {"number": str(number)}}
        yield {
            "record": "end",
            "mode": mode,
            "records": self._written,
            "cursor": {"modified": mark.modified.isoformat(), "marq": mark.marq, "reference": reference},
        }

    def _overlapping(self, cursor: Mapping[str, Any]) -> Since:
        modified = datetime.fromisoformat(cursor["modified"])
        if modified <= BEGINNING.modified + timedelta(days=2):
            return Since(BEGINNING.modified, int(cursor["marq"]))
        return Since(modified - timedelta(minutes=self._options.overlap_minutes), int(cursor["marq"]))

    def _newest(self, statements: Statements) -> Since:
        modified, marq = self._connection.execute(statements.newest()).one()
        return Since(modified or BEGINNING.modified, marq or 0)

    def _rows(self, query: Select[Any]) -> Iterator[Mapping[str, Any]]:
        result = self._connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE})
        names = tuple(result.keys())
        for row in result:
            yield dict(zip(names, row, strict=True))

    def _entries(self, query: Select[Any], parameters: Parameters) -> Iterator[Record]:
        for row in self._rows(query):
            if row["is_ours"]:
                yield mapping.entry(row, parameters)
            else:
                yield {"record": "gone", "key": str(row["EC_No"])}

    def _clients(self, statements: Statements, parameters: Parameters, since: Since | None) -> Iterator[Record]:
        """Clients, their contacts and modes put together; all of them without ``since``."""
        query = statements.clients() if since is None else statements.changed_clients(since)
        if since is None:
            contacts = self._contacts(statements, parameters, None)
            modes = self._modes(statements, None)
            for row in self._rows(query):
                code = row["CT_Num"]
                yield mapping.client(row, parameters, contacts.get(code, ()), modes.get(code, ()))
            return
        changed = [dict(row) for row in self._rows(query)]
        for rows in _parts(changed, CODES_AT_ONCE):
            codes = [row["CT_Num"] for row in rows]
            contacts, modes = self._contacts(statements, parameters, codes), self._modes(statements, codes)
            for row in rows:
                code = row["CT_Num"]
                yield mapping.client(row, parameters, contacts.get(code, ()), modes.get(code, ()))

    def _contacts(
        self, statements: Statements, parameters: Parameters, codes: Sequence[str] | None
    ) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = defaultdict(list)
        for row in self._rows(statements.contacts(codes)):
            found[row["client"]].append(mapping.contact(row, parameters))
        return found

    def _modes(self, statements: Statements, codes: Sequence[str] | None) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for client, mode in self._connection.execute(statements.client_modes(codes)):
            found[client].append(mode or 0)
        return found

    def _keys_and_totals(self, statements: Statements, *, with_keys: bool) -> tuple[list[str], Record]:
        """The keys of all entries and what the source counts: both of one moment, else the keys say nothing."""
        run = self._connection.execute
        for _ in range(PASSES):
            if not self._is_snapshot:
                self._connection.rollback()
            keys = [str(number) for (number,) in run(statements.keys())] if with_keys else []
            entries, balance = run(statements.totals()).one()
            if self._is_snapshot or not with_keys or len(keys) == entries:
                break
        totals = {
            "record": "totals",
            "entries": entries,
            "balance": f"{mapping.amount(balance):f}",
            "clients": run(statements.count_clients()).scalar_one(),
            "contacts": run(statements.count_contacts()).scalar_one(),
        }
        return keys, totals

    def _parameters(self, statements: Statements, assignment: Assignment) -> Parameters:
        """The small tables, whole."""
        run = self._connection.execute
        text_of, day = mapping.text, mapping.day
        iso = {n: text_of(code) for n, code in run(statements.listed("P_DEVISE", "cbIndice", "D_CodeISO"))}
        natures = {
            text_of(code): mapping.nature_of(kind, text_of(label))
            for code, kind, label in run(statements.listed("F_JOURNAUX", "JO_Num", "JO_Type", "JO_Intitule"))
        }
        people = run(statements.listed("F_COLLABORATEUR", "CO_No", "CO_Prenom", "CO_Nom"))
        modes = run(statements.listed("P_REGLEMENT", "cbIndice", "R_Intitule"))
        services = run(statements.listed("P_SERVICECPTA", "cbIndice", "S_Intitule"))
        starts = run(statements.exercises()).first() or ()
        company_number = run(statements.company_currency()).scalar() or 0
        return Parameters(
            currency=assignment.currency,
            currency_number=company_number,
            currencies={
                n: code for n, code in iso.items() if len(code) == 3 and code.isascii() and code.isupper()
            },
            modes={n: text_of(label) for n, label in modes if text_of(label)},
            journals=natures | {code: Nature(nature) for code, nature in assignment.journals.items()},
            sales_people={n: f"{text_of(first)} {text_of(last)}".strip() for n, first, last in people},
            services={n: text_of(label) for n, label in services},
            exercises=sorted(start for value in starts if (start := day(value)) is not None),
            entry_fields=tuple(self._options.entry_fields),
            client_fields=tuple(self._options.client_fields),
        )

    def _reference(self, assignment: Assignment, parameters: Parameters, cutoff: date | None) -> str:
        """A digest of all that gives rows their meaning: when it changes, everything is read anew."""
        meaning = [
            sorted(assignment.accounts),
            assignment.currency,
            parameters.currency_number,
            sorted(parameters.currencies.items()),
            sorted(parameters.modes.items()),
            sorted((code, nature.value) for code, nature in parameters.journals.items()),
            str(cutoff),
            self._options.model_dump(mode="json"),
        ]
        return hashlib.blake2b(json.dumps(meaning).encode(), digest_size=16).hexdigest()
