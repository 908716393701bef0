"""What the console keeps: who may sign in, for which companies, and what each person is busy with.

All of it comes from people at the console; none is derived from events.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

metadata = MetaData()

_now = text("now()")

account = Table(
    "account",
    metadata,
    Column("account_id", UUID, primary_key=True, server_default=text("uuidv7()")),
    Column("email", Text, nullable=False, unique=True, comment="lower case"),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("language", Text, nullable=False, server_default="fr"),
    Column("theme", Text, nullable=False, server_default="light"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("closed_at", DateTime(timezone=True)),
)

membership = Table(
    "membership",
    metadata,
    Column("account_id", UUID, ForeignKey("account.account_id", ondelete="cascade"), primary_key=True),
    Column("company", Text, primary_key=True),
    Column("role", Text, nullable=False, comment="reader, user or admin"),
    Column("portfolio", ARRAY(Text), comment="codes of sales people; null for every client (rule 15.2)"),
    Column("given_by", Text, nullable=False, server_default="hand", comment="hand, or groups of the provider"),
)

provider_identity = Table(
    "provider_identity",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column(
        "subject", Text, primary_key=True, comment="the provider's own name of the person, given to nobody else"
    ),
    Column("account_id", UUID, ForeignKey("account.account_id", ondelete="cascade"), nullable=False),
    Column("bound_at", DateTime(timezone=True), nullable=False, server_default=_now),
    UniqueConstraint("issuer", "account_id"),
    comment="who a person is at the provider of identities, from the first time that they came by it",
)

spent_attempt = Table(
    "spent_attempt",
    metadata,
    Column("digest", LargeBinary, primary_key=True, comment="SHA-256 of the state"),
    Column("spent_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Index("spent_attempt_at", "spent_at"),
    comment="attempts to sign in by the provider that came back: each does once",
)

let_in = Table(
    "let_in",
    metadata,
    Column("key", LargeBinary, primary_key=True, comment="SHA-256 of the link"),
    Column("account_id", UUID, ForeignKey("account.account_id", ondelete="cascade"), nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
    comment="links by which an operator lets somebody in, each once",
)

session = Table(
    "session",
    metadata,
    Column("key", LargeBinary, primary_key=True, comment="SHA-256 of the cookie"),
    Column("account_id", UUID, ForeignKey("account.account_id", ondelete="cascade"), nullable=False),
    Column("csrf_token", Text, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("seen_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("opened_by", Text, nullable=False, server_default="password", comment="password, provider or operator"),
    Column("shown_at", DateTime(timezone=True), comment="when the person last showed once more who they are"),
    Column("id_token", LargeBinary, comment="sealed; by which the provider ends its own session too"),
    Index("session_account", "account_id"),
)

failed_sign_in = Table(
    "failed_sign_in",
    metadata,
    Column("failure_id", UUID, primary_key=True, server_default=text("uuidv7()")),
    Column("email", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("failed_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Index("failed_sign_in_email", "email", "failed_at"),
    Index("failed_sign_in_address", "address", "failed_at"),
)

unticked = Table(
    "unticked",
    metadata,
    Column("company", Text, primary_key=True),
    Column("account_id", UUID, ForeignKey("account.account_id", ondelete="cascade"), primary_key=True),
    Column("as_of", Date, primary_key=True),
    Column("action_id", UUID, primary_key=True),
    comment="actions that a person has left out of today's sending",
)

cash_report = Table(
    "cash_report",
    metadata,
    Column("company", Text, primary_key=True),
    Column("account_id", UUID, ForeignKey("account.account_id", ondelete="cascade"), primary_key=True),
    Column("hour", SmallInteger, nullable=False, comment="of the company's day, from which on it leaves"),
    Column("tried_for", Date, comment="the day for which it was tried last"),
    Column("sent_for", Date, comment="the day for which it left last, or may have"),
    Column("claimed_until", DateTime(timezone=True), comment="a console asks for it, or died when it did"),
    Column(
        "failures",
        SmallInteger,
        nullable=False,
        server_default="0",
        comment="tries of tried_for that did not succeed",
    ),
    Column("failure", Text, comment="code of the last one, none once it left"),
    comment="who wants the figures of a company by mail every working day",
)

sending = Table(
    "sending",
    metadata,
    Column("company", Text, primary_key=True),
    Column("sending_id", UUID, primary_key=True, server_default=text("uuidv7()")),
    Column("account_id", UUID, ForeignKey("account.account_id"), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("action_ids", ARRAY(UUID), nullable=False),
    Column("refused", JSONB, nullable=False, server_default="[]", comment="[{action_id, reason}]"),
    Column("medium", Text, nullable=False, server_default="email"),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Index("sending_day", "company", "account_id", "as_of"),
    comment="what a person has confirmed at once, so that its progress outlives the page",
)

company_export = Table(
    "company_export",
    metadata,
    Column("company", Text, primary_key=True),
    Column("export_id", UUID, primary_key=True, server_default=text("uuidv7()")),
    Column("status", Text, nullable=False, server_default="asked"),
    Column("asked_by", UUID, ForeignKey("account.account_id", ondelete="set null")),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("done_at", DateTime(timezone=True)),
    Column("until", DateTime(timezone=True), comment="then its content is let go"),
    Column("bytes", BigInteger, nullable=False, server_default="0"),
    Column("told", Text, comment="busy, broken or too-large"),
    Column("contents", JSONB, comment="events, rows, files, archive_records, manifest_sha256"),
    Column("taken_at", DateTime(timezone=True)),
    Column("taken_by", UUID, ForeignKey("account.account_id", ondelete="set null")),
    CheckConstraint("status in ('asked', 'ready', 'failed', 'gone')"),
    comment="whole exports that administrators asked for; an operator's command makes them",
)

company_export_part = Table(
    "company_export_part",
    metadata,
    Column("company", Text, primary_key=True),
    Column("export_id", UUID, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["company", "export_id"], ["company_export.company", "company_export.export_id"], ondelete="cascade"
    ),
)

certificate = Table(
    "certificate",
    metadata,
    Column("certificate_id", UUID, primary_key=True, server_default=text("uuidv7()")),
    Column("account_id", UUID, ForeignKey("account.account_id", ondelete="cascade"), nullable=False),
    Column("about", Text, nullable=False, comment="the company that was deleted"),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("words", Text, nullable=False),
    Index("certificate_account", "account_id"),
    comment="for those who administered a company that is no more, and another that is",
)

api_key = Table(
    "api_key",
    metadata,
    Column("key_id", UUID, primary_key=True, server_default=text("uuidv7()")),
    Column("company", Text, nullable=False),
    Column("name", Text, nullable=False, comment="of the system, in which it acts"),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("secret_sha256", LargeBinary, nullable=False),
    Column("ends_at", DateTime(timezone=True), comment="from then on it opens nothing; never, when null"),
    Column("made_by", UUID, ForeignKey("account.account_id", ondelete="set null")),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("last_used_on", Date, comment="in UTC: a day is enough to know which keys are at rest"),
    Column("revoked_at", DateTime(timezone=True)),
    Column("revoked_by", UUID, ForeignKey("account.account_id", ondelete="set null")),
    Index("api_key_company", "company"),
    comment="of other systems, which ask over HTTP in their own name",
)
