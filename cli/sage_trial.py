"""A trial whose company is read from a Sage base by an agent: from the rows of the base to those of ledger."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from psycopg import sql

from chassis.auth import mint, read_key
from cli.places import ROOT
from cli.processes import Child
from cli.road import Json, Road
from cli.sage_base.changing import Accountant
from cli.sage_base.filling import LAST_WRITTEN_AT, Filled, fill
from cli.trial import Trial

CONNECTOR = "bijou"
BEAT_SECONDS = "0.2"
FAST_BEATS = {"sync": {"RELANCE_HEARTBEAT_SECONDS": BEAT_SECONDS}}
"""For the environment of a trial, so that an agent hears at once what it is asked."""

# written by hand from the tables alone, as somebody would who checks the product against the accounting
DIFFERENCES = """
    with base as (
        select e."EC_No"::text as key, e."CT_Num" as client_id, e."CG_Num" as account,
            (case e."EC_Sens" when 0 then 1 else -1 end * e."EC_Montant")::numeric(18, 2) as amount,
            case when e."N_Devise" in (0, 1) then 'EUR' else 'USD' end as currency,
            (e."JM_Date" + (e."EC_Jour" - 1) * interval '1 day')::date as entry_date,
            nullif(e."EC_Echeance"::date, '1753-01-01') as due_date,
            case when e."EC_Lettre" = 1 then e."EC_Lettrage" end as lettering, m."R_Intitule" as payment_mode
        from {schema}."F_ECRITUREC" e
            join {schema}."F_COMPTET" c on c."CT_Num" = e."CT_Num" and c."CT_Type" = 0
            left join {schema}."P_REGLEMENT" m on m."cbIndice" = e."N_Reglement"
        where e."CG_Num" like '411%%' and (e."EC_ANType" = 0 or e."JM_Date" < '2025-01-01')
    ),
    known as (
        select k.key, l.client_id, l.account, l.book_amount::numeric(18, 2) as amount, l.currency, l.entry_date,
            l.due_date, l.lettering, l.payment_mode
        from ledger.entry l left join sync.keyed_entry k
            on k.company = l.company and replace(k.entry_id::text, '-', '') = l.entry_id::text
        where l.company = %s and not l.removed
    )
    select coalesce(base.key, known.key), base, known
    from base full outer join known on known.key = base.key
    where base.key is null or known.key is null
        or (base.client_id, base.account, base.amount, base.currency, base.entry_date, base.lettering,
            base.payment_mode, coalesce(base.due_date, known.due_date)) is distinct from
            (known.client_id, known.account, known.amount, known.currency, known.entry_date, known.lettering,
            known.payment_mode, known.due_date)
    order by 1 limit 20
"""

FREE_COLUMNS: Json = {
    "profile_column": "CT_Statistique01",
    "client_fields": {"tag1": "REP TEL", "tag10": "Segment"},
    "entry_fields": {"tag3": "EC_Piece"},
}
"""Options that read the columns which the base's company added, and one of its entries."""

DIFFERING_FIELDS = """
    with base as (
        select c."CT_Num" as what, nullif(c."CO_No", 0)::text as seller,
            v."CO_Prenom" || ' ' || v."CO_Nom" as name,
            nullif(c."CT_Statistique01", '') as profile, nullif(c."REP TEL", '') as one,
            nullif(c."Segment", '') as other
        from {schema}."F_COMPTET" c left join {schema}."F_COLLABORATEUR" v on v."CO_No" = c."CO_No"
        where c."CT_Type" = 0
        union all
        select e."EC_No"::text, null, null, null, null, nullif(e."EC_Piece", '')
        from {schema}."F_ECRITUREC" e join {schema}."F_COMPTET" c on c."CT_Num" = e."CT_Num" and c."CT_Type" = 0
        where e."CG_Num" like '411%%' and (e."EC_ANType" = 0 or e."JM_Date" < '2025-01-01')
    ),
    known as (
        select c.client_id as what, c.salesperson as seller, v.name, c.profile, p.fields ->> 'tag1' as one,
            p.fields ->> 'tag10' as other
        from ledger.synced_client c join ledger.person p using (company, client_id)
            left join ledger.salesperson v on v.company = c.company and v.code = c.salesperson
        where c.company = %(company)s and not c.removed
        union all
        select k.key, null, null, null, null, f.fields ->> 'tag3'
        from ledger.entry e join sync.keyed_entry k
            on k.company = e.company and replace(k.entry_id::text, '-', '') = e.entry_id
            left join ledger.entry_field f on f.company = e.company and f.entry_id = e.entry_id
        where e.company = %(company)s and not e.removed
    )
    select what, base, known from base full outer join known using (what)
    where (base.seller, base.name, base.profile, base.one, base.other) is distinct from
        (known.seller, known.name, known.profile, known.one, known.other)
    order by 1 limit 20
"""


class SageTrial:
    """One company, its base on the trial's own server, and the agent between them."""

    def __init__(self, trial: Trial, road: Road, folder: Path) -> None:
        self._trial = trial
        self.road = road
        self._folder = folder
        self.schema = f"sage_{road.company.replace('-', '_')}"
        self._changed_at = LAST_WRITTEN_AT
        self._agent: Child | None = None

    def fill(self, entries: int) -> Filled:
        """Make the base."""
        with psycopg.connect(self._trial.dsn) as connection:
            return fill(connection, self.schema, entries)

    def change(self, changes: int, seed: int = 1) -> dict[str, int]:
        """A day of accounting; answers how many changes of each kind."""
        self._changed_at += timedelta(days=1)
        with psycopg.connect(self._trial.dsn) as connection:
            connection.execute(sql.SQL("set search_path to {}").format(sql.Identifier(self.schema)))
            return Accountant(connection, Random(seed), self._changed_at).make(changes)

    def connect(self, options: Json | None = None) -> None:
        """Register the company and its connector, and start the agent."""
        self.road.register("Fournitures Bijou")
        chosen = {"db_schema": self.schema, **(options or {})}
        self.road.put_connector(CONNECTOR, {"base": "BIJOU", "place": "agent", "options": chosen})
        embedded = self._trial.stack.embedded
        token = mint(read_key(embedded.private_key_file), "connector:bijou", [self.road.company], "user", 600)
        self._write("token", token)
        self._write("address", embedded.superuser_url)
        self._write(
            "connector.toml",
            f'sync_url = "{self.road.addresses.sync}"\ntoken_file = "token"\n'
            f'[[base]]\ncompany = "{self.road.company}"\nconnector = "{CONNECTOR}"\naddress_file = "address"\n',
        )
        self._agent = Child(
            "connector",
            [sys.executable, "-P", "-m", "services.sync.agent", str(self._folder / "connector.toml")],
            env={"PYTHONPATH": str(ROOT)},
            log=self._folder / "connector.log",
        )
        self._agent.start()

    @property
    def agent_pid(self) -> int:
        """Of the agent that ``connect`` started."""
        assert self._agent is not None
        assert self._agent.pid is not None
        return self._agent.pid

    def _write(self, name: str, content: str) -> None:
        file = self._folder / name
        file.touch(mode=0o600)
        file.write_text(content, encoding="utf-8")

    def stop(self) -> None:
        if self._agent is not None:
            self._agent.ask_to_stop()
            self._agent.wait_stopped()

    def sync(self, mode: str = "incremental", within: float = 1800) -> list[Json]:
        """Ask for a sync and follow it, and those that follow it by themselves, until ledger has heard all; their
        results."""
        runs: list[Json] = []
        run_id = self.road.synchronise(CONNECTOR, mode)["run_id"]
        while run_id:
            runs.append(self.road.follow_import(run_id, within))
            run_id = runs[-1].get("follow_up")
        heard = {p: n for run in runs for p, n in (run.get("positions") or {}).get("sync", {}).items()}
        self.road.wait_until_ledger_heard({"sync": {int(p): n for p, n in heard.items()}}, within)
        return runs

    def differences(self) -> list[tuple[Any, ...]]:
        """(number, the base's line, ledger's entry) of the first few that are not the same."""
        query = sql.SQL(DIFFERENCES).format(schema=sql.Identifier(self.schema))
        with psycopg.connect(self._trial.dsn) as connection:
            return connection.execute(query, (self.road.company,)).fetchall()

    def differing_fields(self) -> list[tuple[Any, ...]]:
        """(client or entry number, what the base holds, what ledger holds) where free fields, sales person or
        profile differ. To be asked of a base that was connected with ``FREE_COLUMNS``."""
        query = sql.SQL(DIFFERING_FIELDS).format(schema=sql.Identifier(self.schema))
        with psycopg.connect(self._trial.dsn) as connection:
            return connection.execute(query, {"company": self.road.company}).fetchall()
