"""What PostgreSQL says of plain groups is what the domain says of them."""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic_core import from_json
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import engine, migrate, transaction
from chassis.embedded import Stack
from chassis.eventlog import Said
from contracts.ledger import PaymentsLettered
from contracts.subjects import partition_of
from services.ledger import settling, tables
from services.ledger.domain import Group, GroupLine, GroupSeen
from services.ledger.settling import SeenGroup
from services.ledger.tables.kept import touched_client

COMPANY = "settling"
DAY = date(2026, 3, 10)
CENTS = Decimal("0.0001")
"""As PostgreSQL gives amounts back."""
HEARD = 7
"""The number up to which every partition is heard; clients touched later are not due."""
CODES = ("AA", "AB", 'A"C', "é\\D")


@dataclass
class Books:
    """Clients with groups of every kind; of some of them something was stated or said before."""

    dice: random.Random
    rows: dict[Any, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    due: list[SeenGroup] = field(default_factory=list)
    later: int = 0
    _entries: int = 0

    def add_client(self, client_id: str) -> None:
        p = partition_of(COMPANY, client_id)
        about = {"company": COMPANY, "client_id": client_id, "p": p}
        self.rows[tables.client].append(about)
        promised: list[str] = []
        number = HEARD + 1 if self.dice.random() < 0.1 else self.dice.randrange(1, HEARD + 1)
        self.rows[touched_client].append({**about, "number": number})
        self.later += number > HEARD
        for account in ("411000", "411100"):
            for code in self.dice.sample(CODES, self.dice.randrange(1, len(CODES) + 1)):
                lines = self._lines(about, account, code)
                group = {**about, "account": account, "lettering": code}
                if number <= HEARD:
                    self.due.append(SeenGroup(client_id, GroupSeen(Group(account, code), tuple(lines))))
                self._know(group, lines)
                promised += [line.entry_id for line in lines[:1]]
        if promised and self.dice.random() < 0.2:
            self._promise(about, self.dice.choice(promised))

    def _lines(self, about: dict[str, Any], account: str, code: str) -> list[GroupLine]:
        kinds = self.dice.choice([
            ("invoice", "payment"), ("invoice", "payment"), ("invoice", "invoice", "payment"),
            ("invoice", "credit_note"), ("payment",), ("invoice", "payment", "payment"), (),
        ])  # fmt: skip
        amounts = [Decimal(self.dice.randrange(100, 90_000)).scaleb(-2).quantize(CENTS) for _ in kinds]
        signed = [amount if kind == "invoice" else -amount for kind, amount in zip(kinds, amounts, strict=True)]
        if len(signed) > 1 and self.dice.random() < 0.8:
            signed[-1] = -sum(signed[:-1])  # an invoice paid twice has its second payment taken back
        lines = []
        for kind, amount in zip(kinds, signed, strict=True):
            self._entries += 1
            line = GroupLine(f"{self._entries:032x}", kind, DAY - timedelta(days=self.dice.randrange(90)), amount)
            removed = self.dice.random() < 0.05
            self.rows[tables.entry].append({
                **about, "entry_id": line.entry_id, "account": account, "kind": kind, "journal": "VE",
                "piece": "F", "entry_date": line.entry_date, "due_date": DAY, "debit": max(amount, Decimal(0)),
                "credit": max(-amount, Decimal(0)), "currency": "EUR", "book_amount": amount, "lettering": code,
                "removed": removed,
            })  # fmt: skip
            if not removed:
                lines.append(line)
        return lines

    def _know(self, group: dict[str, Any], lines: list[GroupLine]) -> None:
        if self.dice.random() < 0.1:
            self.rows[tables.lettering_error].append({**group, "difference": Decimal("3.50"), "found_on": DAY})
        payments = [line.entry_id for line in lines if line.kind == "payment"]
        if payments and self.dice.random() < 0.2:
            settled = [line.entry_id for line in lines if line.kind == "invoice"]
            told = {"payments": payments[:1], "settled": settled[:1], "paid_on": DAY}
            self.rows[tables.lettered_payment].append({**group, **told})

    def _promise(self, about: dict[str, Any], entry_id: str) -> None:
        self.rows[tables.promise].append({
            **about, "promise_id": UUID(int=self._entries), "entry_id": entry_id, "amount": Decimal(10),
            "currency": "EUR", "promised_on": DAY, "state": self.dice.choice(["open", "broken", "kept"]),
            "recorded_on": DAY, "recorded_by": "user:alice",
        })  # fmt: skip


def told(said: list[Said]) -> list[tuple[str, Any]]:
    """What is said, group by group, in an order of its own."""
    found: list[tuple[str, Any]] = []
    for one in said:
        body = from_json(one.body) if one.body else one.event.model_dump(mode="json")
        if isinstance(one.event, PaymentsLettered):
            assert len(body["groups"]) > 1
            found += [("PaymentLettered", {**group, "partition": one.partition}) for group in body["groups"]]
        else:
            found.append((type(one.event).__name__, {**body, "partition": one.partition_in(COMPANY)}))
    return sorted(found, key=str)


async def filled(tx: AsyncConnection, books: Books) -> None:
    for table, rows in books.rows.items():
        await tx.execute(insert(table), rows)


@pytest.mark.parametrize("seed", range(4))
async def test_groups_are_judged_as_the_domain_judges_them(stack: Stack, seed: int) -> None:
    schema, url = f"ledger_settling_{seed}", stack.database_url("ledger", "owner")
    migrate("services.ledger", url, schema)
    books = Books(random.Random(seed))
    for number in range(90):
        books.add_client(f'C"{number}é' if number % 7 == 0 else f"C{number}")
    made = engine(url, schema)
    try:
        async with transaction(made) as tx:
            await filled(tx, books)
        async with transaction(made) as tx:
            expected = await settling._judged(tx, COMPANY, books.due, DAY)
            heard = dict.fromkeys(range(64), HEARD)
            said = await settling.judge_groups(tx, COMPANY, heard, DAY)
            left = (await tx.execute(select(touched_client.c.number))).scalars().all()
        assert told(said) == told(expected)
        assert len({name for name, _ in told(said)}) > 3
        assert left == [HEARD + 1] * books.later
        # most of them never came here
        assert sum(one.body is not None for one in said) > 10
    finally:
        await made.dispose()


async def test_a_promise_made_beside_the_look_is_not_overlooked(stack: Stack) -> None:
    """Given plain groups that were taken, when their clients have a promise by the time they are held, then all is
    looked at anew."""
    schema, url = "ledger_settling_beside", stack.database_url("ledger", "owner")
    migrate("services.ledger", url, schema)
    books = Books(random.Random(1))
    for number in range(20):
        books.add_client(f"C{number}")
    made = engine(url, schema)
    take = settling._take_groups

    async def taken_and_then_promised(tx: AsyncConnection, *args: Any) -> settling.Taken:
        found = await take(tx, *args)
        async with transaction(made) as beside:
            about = {"company": COMPANY, "client_id": found.of_clients[0], "p": 0}
            lately = Books(random.Random(2))
            lately._promise(about, "0" * 32)
            await filled(beside, lately)
        return found

    try:
        async with transaction(made) as tx:
            await filled(tx, books)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(settling, "_take_groups", taken_and_then_promised)
            with pytest.raises(settling.StatedMeanwhile):
                async with transaction(made) as tx:
                    await settling.judge_groups(tx, COMPANY, dict.fromkeys(range(64), HEARD), DAY)
        async with transaction(made) as tx:
            left = (await tx.execute(select(touched_client.c.number))).scalars().all()
        assert len(left) == len(books.rows[touched_client])
    finally:
        await made.dispose()
