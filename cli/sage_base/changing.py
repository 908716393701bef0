"""Change a base as a day of accounting does: lines, lettering and its undoing, corrections, deletions, clients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any

import psycopg

from cli.sage_base.filling import client_code

OURS = """ "CT_Num" like 'CL%%' and "EC_ANType" = 0 """


@dataclass
class Accountant:
    """Makes changes one at a time in an open transaction; ``at`` is what Sage stamps each with."""

    connection: psycopg.Connection[Any]
    random: Random
    at: datetime

    def __post_init__(self) -> None:
        self.kinds: dict[str, Callable[[], bool]] = {
            "new_invoice": self.new_invoice,
            "lettered": self.letter,
            "unlettered": self.unletter,
            "prelettered": self.preletter,
            "amount_changed": self.change_amount,
            "due_date_changed": self.change_due_date,
            "deleted": self.delete,
            "client_renamed": self.rename_client,
            "client_renumbered": self.renumber_client,
            "contact_added": self.add_contact,
            "contact_removed": self.remove_contact,
            "label_changed": self.change_label,
            "moved_to_another_account": self.move_account,
        }

    def make(self, changes: int) -> Counter[str]:
        """So many changes, of every kind in turn; answers how many of each could be made."""
        made: Counter[str] = Counter()
        names = list(self.kinds)
        tried = 0
        while sum(made.values()) < changes:
            name = names[tried % len(names)]
            tried += 1
            if self.kinds[name]():
                made[name] += 1
            elif tried > 50 * (changes + 1):
                raise RuntimeError(f"the base lets itself be changed no further: {dict(made)}")
        return made

    def _one(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        return self.connection.execute(query, values).fetchone()

    def _pick(self, condition: str) -> tuple[int, str] | None:
        """Some line that meets a condition: its number and its client."""
        last = self._one('select max("EC_No") from "F_ECRITUREC"')
        assert last is not None
        start = self.random.randrange(0, last[0] + 1)
        for comparison, order in ((">=", "asc"), ("<", "desc")):
            found = self._one(
                f"""select "EC_No", "CT_Num" from "F_ECRITUREC" where "EC_No" {comparison} %s and {OURS}
                    and {condition} order by "EC_No" {order} limit 1""",
                start,
            )
            if found is not None:
                return found[0], found[1]
        return None

    def _change(self, number: int, assignments: str, *values: Any) -> None:
        self.connection.execute(
            f"""update "F_ECRITUREC" set {assignments}, "cbModification" = %s where "EC_No" = %s""",
            (*values, self.at, number),
        )

    def _client(self) -> str | None:
        found = self._one(
            """select "CT_Num" from "F_COMPTET" where "CT_Type" = 0
            order by md5("CT_Num" || %s) limit 1""",
            str(self.random.random()),
        )
        return found[0] if found else None

    def _enter(self, client: str, amount: Decimal, journal: str, code: str = "") -> int:
        """A line of the day; answers its number."""
        made = self._one(
            """insert into "F_ECRITUREC" ("EC_No", "JO_Num", "JM_Date", "EC_Jour", "EC_Date", "EC_Piece",
                "EC_RefPiece", "CG_Num", "CT_Num", "EC_Intitule", "N_Reglement", "EC_Echeance", "EC_Sens",
                "EC_Montant", "EC_Lettre", "EC_Lettrage", "cbModification")
            select max("EC_No") + 1, %s, %s, %s, %s, 'N' || max("EC_No"), '', '4110000', %s, 'Saisie du jour', 2,
                %s, %s, %s, %s, %s, %s from "F_ECRITUREC" returning "EC_No" """,
            journal, date(2026, 10, 1), self.random.randrange(1, 31), date(2026, 10, 1), client,
            date(2026, 11, 15) if amount > 0 else date(1753, 1, 1), int(amount < 0), abs(amount), int(bool(code)),
            code, self.at,
        )  # fmt: skip
        assert made is not None
        return int(made[0])

    def new_invoice(self) -> bool:
        client = self._client()
        if client is None:
            return False
        self._enter(client, Decimal(self.random.randrange(100, 500_000)) / 100, "VTE")
        return True

    def letter(self) -> bool:
        """An open invoice is paid: a new line, and both lines lettered."""
        picked = self._pick(""" "EC_Lettre" = 0 and "EC_Sens" = 0 and "N_Devise" = 0 """)
        if picked is None:
            return False
        number, client = picked
        amount = self._one('select "EC_Montant" from "F_ECRITUREC" where "EC_No" = %s', number)
        assert amount is not None
        following = f"Z{chr(65 + self.random.randrange(26))}{chr(65 + self.random.randrange(26))}"
        self._change(number, '"EC_Lettre" = 1, "EC_Lettrage" = %s', following)
        self._enter(client, -amount[0], "BNQ", following)
        return True

    def unletter(self) -> bool:
        """The lettering of one group of a client is taken back."""
        picked = self._pick(""" "EC_Lettre" = 1 """)
        if picked is None:
            return False
        number, client = picked
        self.connection.execute(
            """update "F_ECRITUREC" set "EC_Lettre" = 0, "EC_Lettrage" = '', "cbModification" = %s
            where "CT_Num" = %s
                and "EC_Lettrage" = (select "EC_Lettrage" from "F_ECRITUREC" where "EC_No" = %s)""",
            (self.at, client, number),
        )
        return True

    def preletter(self) -> bool:
        picked = self._pick(""" "EC_Lettre" = 0 and "EC_Lettrage" = '' """)
        if picked is not None:
            self._change(picked[0], '"EC_Lettrage" = %s', "pp")
        return picked is not None

    def change_amount(self) -> bool:
        picked = self._pick(""" "EC_Lettre" = 0 and "N_Devise" = 0 """)
        if picked is not None:
            self._change(
                picked[0], '"EC_Montant" = "EC_Montant" + %s', Decimal(self.random.randrange(1, 900)) / 100
            )
        return picked is not None

    def change_due_date(self) -> bool:
        picked = self._pick(""" "EC_Lettre" = 0 """)
        if picked is not None:
            self._change(picked[0], '"EC_Echeance" = %s', date(2026, 12, self.random.randrange(1, 29)))
        return picked is not None

    def change_label(self) -> bool:
        picked = self._pick("true")
        if picked is not None:
            self._change(picked[0], '"EC_Intitule" = %s', f"Libellé corrigé {self.random.randrange(10**6)}")
        return picked is not None

    def delete(self) -> bool:
        picked = self._pick(""" "EC_Lettre" = 0 """)
        if picked is not None:
            self.connection.execute('delete from "F_ECRITUREC" where "EC_No" = %s', (picked[0],))
        return picked is not None

    def move_account(self) -> bool:
        """A line entered for a client was not a client's: it goes to another account."""
        picked = self._pick(""" "EC_Lettre" = 0 """)
        if picked is not None:
            self._change(picked[0], '"CG_Num" = %s, "CT_Num" = null', "4710000")
        return picked is not None

    def rename_client(self) -> bool:
        client = self._client()
        self.connection.execute(
            'update "F_COMPTET" set "CT_Intitule" = %s, "cbModification" = %s where "CT_Num" = %s',
            (f"Nouveau nom {self.random.randrange(10**6)}", self.at, client),
        )
        return client is not None

    def renumber_client(self) -> bool:
        """The client takes another code, with all that is his."""
        client = self._client()
        last = self._one("""select max(substr("CT_Num", 3)::integer) from "F_COMPTET" where "CT_Type" = 0""")
        if client is None or last is None:
            return False
        code = client_code(last[0] + 1)
        for table in ("F_COMPTET", "F_ECRITUREC", "F_CONTACTT", "F_REGLEMENTT"):
            self.connection.execute(
                f'update "{table}" set "CT_Num" = %s, "cbModification" = %s where "CT_Num" = %s',
                (code, self.at, client),
            )
        return True

    def add_contact(self) -> bool:
        client = self._client()
        if client is not None:
            number = self.random.randrange(10**6)
            self.connection.execute(
                """insert into "F_CONTACTT"
                    ("CT_Num", "CT_Nom", "CT_Prenom", "CT_EMail", "CT_No", "cbModification")
                select %s, 'Nouveau', 'Contact', %s, coalesce(max("CT_No"), 0) + 1, %s from "F_CONTACTT" """,
                (client, f"n{number}@client.example", self.at),
            )
        return client is not None

    def remove_contact(self) -> bool:
        removed = self.connection.execute(
            """delete from "F_CONTACTT" where "CT_No" = (select "CT_No" from "F_CONTACTT"
            order by md5("CT_No" || %s) limit 1)""",
            (str(self.random.random()),),
        )
        return removed.rowcount > 0
