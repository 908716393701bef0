"""The queries on a Sage base: the same for SQL Server and for the PostgreSQL tables they are tested on.

Only what every dialect compiles alike is used: no date arithmetic, no functions beyond aggregates. Columns are
named one by one, since companies add their own and shadow columns are not to be read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Select, and_, case, distinct, func, or_, select
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from services.sync.connectors.live import SourceTrouble
from services.sync.connectors.sage100.options import SageOptions
from services.sync.connectors.sage100.shapes import Shape

CLIENT = 0
"""CT_Type of a client; 1 is a supplier."""
CREDIT = 1
EXERCISES = 5


@dataclass(frozen=True)
class Since:
    """How far the base was read: the newest change stamp, and the highest row number."""

    modified: datetime
    marq: int


class Statements:
    """Queries of one base, made for the columns it has."""

    def __init__(self, connection: Connection, options: SageOptions, accounts: Sequence[str]) -> None:
        self._connection = connection
        self._options = options
        self._accounts = accounts
        self.entry = self.shape("F_ECRITUREC")
        self.third_party = self.shape("F_COMPTET")
        self.contact = self.shape("F_CONTACTT")
        self.cutoff: date | None = None
        """First day from which lines brought forward repeat others (see ``SageOptions.carried_forward``)."""

    def shape(self, name: str) -> Shape:
        return Shape(self._connection, name, self._options.db_schema)

    @cached_property
    def _joined(self) -> FromClause:
        return self.entry.table.outerjoin(
            self.third_party.table, self.entry("CT_Num") == self.third_party("CT_Num")
        )

    def _is_carried(self) -> ColumnElement[bool]:
        kind = self.entry.maybe("EC_ANType")
        return and_(kind.is_not(None), kind != 0)

    def _on_customer_accounts(self) -> ColumnElement[bool]:
        account = self.entry("CG_Num")
        return and_(
            self.third_party("CT_Type") == CLIENT,
            or_(*(account.startswith(prefix, autoescape=True) for prefix in self._accounts)),
        )

    def is_ours(self) -> ColumnElement[bool]:
        """A line of a client on a customer account, that repeats no other."""
        month, is_carried = self.entry("JM_Date"), self._is_carried()
        customers = self._on_customer_accounts()
        if self.cutoff is None:
            return customers
        start = datetime(self.cutoff.year, self.cutoff.month, self.cutoff.day)  # noqa: DTZ001 Sage knows no zone
        if self._options.carried_forward == "originals":
            return and_(customers, or_(~is_carried, month < start))
        return and_(customers, or_(month >= start, self.entry("EC_Lettre") == 1))

    def first_month(self) -> Select[Any]:
        """The month of the oldest customer line that was entered, not brought forward."""
        ordinary = and_(self._on_customer_accounts(), ~self._is_carried())
        return select(func.min(self.entry("JM_Date"))).select_from(self._joined).where(ordinary)

    def last_carried_month(self) -> Select[Any]:
        """The month of the newest customer line that was brought forward."""
        carried = and_(self._on_customer_accounts(), self._is_carried())
        return select(func.max(self.entry("JM_Date"))).select_from(self._joined).where(carried)

    def exercises(self) -> Select[Any]:
        """The first days of the fiscal years in the base, oldest first; empty ones are 1753."""
        company = self.shape("P_DOSSIER")
        return select(*(company(f"D_DebutExo{n:02d}") for n in range(1, EXERCISES + 1)))

    def company_currency(self) -> Select[Any]:
        query: Select[Any] = select(self.shape("P_DOSSIER")("N_DeviseCompte"))
        return query

    def listed(self, table: str, *names: str) -> Select[Any]:
        """Columns of a small table, whole."""
        shape = self.shape(table)
        return select(*shape.labelled(*names)).order_by(shape(names[0]))

    def newest(self) -> Select[Any]:
        """The newest change stamp and the highest row number."""
        return select(func.max(self.entry("cbModification")), func.max(self.entry("cbMarq")))

    def entries(self) -> Select[Any]:
        """Every line there is, those of no customer included, with ``is_ours``."""
        entry = self.entry
        fields = [entry(name).label(f"field_{field}") for field, name in self._options.entry_fields.items()]
        return select(
            *entry.labelled(
                "EC_No",
                "JO_Num",
                "JM_Date",
                "EC_Jour",
                "CG_Num",
                "EC_Intitule",
                "EC_Sens",
                "EC_Montant",
                "EC_Lettre",
                "EC_Lettrage",
                optional=("EC_Piece", "EC_RefPiece", "N_Reglement", "EC_Echeance", "N_Devise", "EC_Devise"),
            ),
            self.third_party("CT_Num").label("CT_Num"),
            case((self.is_ours(), 1), else_=0).label("is_ours"),
            *fields,
        ).select_from(self._joined)

    def all_entries(self) -> Select[Any]:
        return self.entries().where(self.is_ours())

    def changed_entries(self, since: Since) -> Select[Any]:
        return self.entries().where(self._changed(self.entry, since))

    def entries_numbered(self, numbers: Sequence[int]) -> Select[Any]:
        return self.entries().where(self.entry("EC_No").in_(numbers))

    def keys(self) -> Select[Any]:
        """The numbers of all customer lines, and nothing else."""
        query: Select[Any] = select(self.entry("EC_No")).select_from(self._joined).where(self.is_ours())
        return query

    def totals(self) -> Select[Any]:
        """How many customer lines there are, and debits minus credits of them."""
        amount = self.entry("EC_Montant")
        signed = case((self.entry("EC_Sens") == CREDIT, -amount), else_=amount)
        both: list[ColumnElement[Any]] = [func.count(distinct(self.entry("EC_No"))), func.sum(signed)]
        return select(*both).select_from(self._joined).where(self.is_ours())

    def count_clients(self) -> Select[Any]:
        return select(func.count(distinct(self.third_party("CT_Num")))).where(
            self.third_party("CT_Type") == CLIENT
        )

    def _of_clients(self) -> FromClause:
        return self.contact.table.join(
            self.third_party.table,
            and_(self.contact("CT_Num") == self.third_party("CT_Num"), self.third_party("CT_Type") == CLIENT),
        )

    def count_contacts(self) -> Select[Any]:
        number: ColumnElement[int] = func.count(distinct(self.contact("CT_No")))
        return select(number).select_from(self._of_clients())

    @staticmethod
    def _changed(shape: Shape, since: Since) -> ColumnElement[bool]:
        """A stamp since then, or none at all: rows that other programs wrote may have none."""
        stamp = shape("cbModification")
        changed = or_(stamp >= since.modified, stamp.is_(None))
        return or_(changed, shape("cbMarq") > since.marq) if shape.name == "F_ECRITUREC" else changed

    def clients(self) -> Select[Any]:
        party = self.third_party
        chosen = {"profile": self._options.profile_column, "category": self._options.category_column}
        fields = {f"field_{field}": name for field, name in self._options.client_fields.items()}
        more = {**{label: name for label, name in chosen.items() if name}, **fields}
        return select(
            *party.labelled(
                "CT_Num",
                "CT_Intitule",
                "CG_NumPrinc",
                optional=(
                    "CT_Contact", "CT_Adresse", "CT_Complement", "CT_CodePostal", "CT_Ville", "CT_CodeRegion",
                    "CT_Pays", "CT_Telephone", "CT_EMail", "CT_LangueISO2", "CT_Siret", "N_Devise", "CO_No",
                ),
            ),
            *(party(name).label(label) for label, name in more.items()),
        ).where(party("CT_Type") == CLIENT)  # fmt: skip

    def changed_clients(self, since: Since) -> Select[Any]:
        """Clients of whom the row, a contact, the sales person or the payment mode changed."""
        party = self.third_party
        contacts = select(self.contact("CT_Num")).where(self._changed(self.contact, since))
        people, modes = self.shape("F_COLLABORATEUR"), self.shape("F_REGLEMENTT")
        return self.clients().where(
            or_(
                self._changed(party, since),
                party("CT_Num").in_(contacts),
                party("CO_No").in_(select(people("CO_No")).where(self._changed(people, since))),
                party("CT_Num").in_(select(modes("CT_Num")).where(self._changed(modes, since))),
            )
        )

    def contacts(self, clients: Sequence[str] | None) -> Select[Any]:
        """Contacts of all clients, or of some, in the order they were entered."""
        contact = self.contact
        query = (
            select(
                self.third_party("CT_Num").label("client"),
                *contact.labelled(
                    "CT_No",
                    "CT_Nom",
                    optional=(
                        "CT_Prenom",
                        "N_Service",
                        "CT_Fonction",
                        "CT_Telephone",
                        "CT_TelPortable",
                        "CT_EMail",
                    ),
                ),
            )
            .select_from(self._of_clients())
            .order_by(self.third_party("CT_Num"), contact("cbMarq"))
        )
        return query if clients is None else query.where(self.third_party("CT_Num").in_(clients))

    def client_modes(self, clients: Sequence[str] | None) -> Select[Any]:
        """Payment modes of clients, the first entered first."""
        modes = self.shape("F_REGLEMENTT")
        query = select(modes("CT_Num"), modes("N_Reglement")).order_by(modes("CT_Num"), modes("cbMarq"))
        return query if clients is None else query.where(modes("CT_Num").in_(clients))

    def find_cutoff(self, exercises: Sequence[date]) -> None:
        """Look up from when on lines brought forward repeat others. Raises ``SourceTrouble``."""
        if not exercises:
            raise SourceTrouble("exercises_missing", table="P_DOSSIER", column="D_DebutExo01")
        if self._options.carried_forward == "originals":
            oldest = self._connection.execute(self.first_month()).scalar()
            following = [start for start in exercises if oldest is not None and start > oldest.date()]
            self.cutoff = min(following, default=None)
        else:
            newest = self._connection.execute(self.last_carried_month()).scalar()
            begun = [start for start in exercises if newest is not None and start <= newest.date()]
            self.cutoff = max(begun, default=None)
