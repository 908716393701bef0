"""Dunning's rows. Never qualified: the search path says which schema. The migrations hold the same, and indexes.

``DERIVED`` come from events and are rebuilt, each from one speaker's stream alone. ``schedule`` and ``decided``
(one row per client, read as the view ``verdict``) are a cache of the last decisions: made again from the rest at
any time, and tested to come out the same. ``round*`` is work and its history.
"""

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, MetaData, Numeric, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

AMOUNT = Numeric(18, 4)


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _p() -> Column[int]:
    return Column("p", SmallInteger, nullable=False)


# From sync's stream.

entry = Table(
    "entry",
    metadata,
    _key("company"),
    _key("client_id"),
    _key("entry_id"),
    _p(),
    _text("account"),
    _text("kind"),
    _text("piece"),
    _text("currency"),
    Column("amount", AMOUNT, nullable=False),
    Column("book_amount", AMOUNT, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("counted_on", Date, nullable=False),
    _text("payment_mode", nullable=True),
    _text("lettering", nullable=True),
    Column("removed", Boolean, nullable=False),
    Column("reopened_on", Date),
)

company_sync = Table("company_sync", metadata, _key("company"), _p(), Column("synced_on", Date, nullable=False))

# From ledger's stream.

company = Table(
    "company", metadata, _key("company"), _p(), _text("currency"), _text("time_zone"), _text("country")
)
client = Table(
    "client",
    metadata,
    _key("company"),
    _key("client_id"),
    _p(),
    Column("has_email", Boolean, nullable=False),
    _text("profile", nullable=True),
    _text("chosen_profile", nullable=True),
    _text("payment_mode", nullable=True),
    Column("stopped", Boolean, nullable=False),
    Column("resumes_on", Date),
)
entry_stop = Table(
    "entry_stop",
    metadata,
    _key("company"),
    _key("client_id"),
    _key("entry_id"),
    _p(),
    Column("resumes_on", Date),
)
dispute = Table(
    "dispute",
    metadata,
    _key("company"),
    _key("client_id"),
    Column("dispute_id", Uuid, primary_key=True),
    _text("entry_id", nullable=True),
    _p(),
)
promise = Table(
    "promise",
    metadata,
    _key("company"),
    _key("client_id"),
    Column("promise_id", Uuid, primary_key=True),
    _text("entry_id"),
    _p(),
    Column("promised_on", Date, nullable=False),
)
lettering_error = Table(
    "lettering_error", metadata, _key("company"), _key("client_id"), _key("account"), _key("lettering"), _p()
)

paid_group = Table(
    "paid_group",
    metadata,
    _key("company"),
    _key("client_id"),
    # the first of its payments names it: a payment is announced once
    _key("payment_id"),
    _p(),
    Column("payments", ARRAY(Text), nullable=False),
    Column("settled", ARRAY(Text), nullable=False),
    Column("paid_on", Date, nullable=False),
)

# From notify's stream.

contact = Table(
    "contact",
    metadata,
    _key("company"),
    _key("client_id"),
    Column("action_id", Uuid, primary_key=True),
    _p(),
    Column("contacted_on", Date, nullable=False),
)

# From dunning's own.

policy = Table(
    "policy",
    metadata,
    _key("company"),
    _p(),
    Column("version", Integer, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("set_on", Date, nullable=False),
)
scenario = Table(
    "scenario",
    metadata,
    _key("company"),
    _key("profile"),
    _p(),
    Column("version", Integer, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("set_on", Date, nullable=False),
)
scenario_version = Table(
    "scenario_version",
    metadata,
    _key("company"),
    _key("profile"),
    Column("version", Integer, primary_key=True),
    _p(),
    Column("body", JSONB, nullable=False),
    Column("set_on", Date, nullable=False),
    _text("actor"),
    Column("said_at", DateTime(timezone=True), nullable=False),
)
entry_level = Table(
    "entry_level",
    metadata,
    _key("company"),
    _key("client_id"),
    _key("entry_id"),
    _p(),
    Column("level", SmallInteger, nullable=False),
    Column("reminded_on", Date),
    Column("noticed_on", Date),
    Column("exhausted", Boolean, nullable=False),
    # chosen by a person; gone with the next reminder
    _text("next_step", nullable=True),
    Column("automatic", Boolean),
)
client_policy = Table(
    "client_policy",
    metadata,
    _key("company"),
    _key("client_id"),
    _p(),
    _text("profile", nullable=True),
    Column("never", Boolean, nullable=False),
    Column("tolerance_days", Integer),
    Column("tolerance_amount", AMOUNT),
)
action = Table(
    "action",
    metadata,
    _key("company"),
    Column("action_id", Uuid, primary_key=True),
    _text("client_id"),
    _p(),
    _text("profile"),
    Column("scenario_version", Integer, nullable=False),
    _text("kind"),
    _text("step"),
    _text("medium"),
    _text("template", nullable=True),
    _text("currency"),
    Column("amount", AMOUNT, nullable=False),
    Column("net_amount", AMOUNT, nullable=False),
    Column("book_net_amount", AMOUNT, nullable=False),
    Column("due_since", Date, nullable=False),
    _text("mode"),
    Column("accepted_reasons", ARRAY(Text), nullable=False),
    Column("copies", ARRAY(Uuid), nullable=False),
    _text("status"),
    Column("opened_on", Date, nullable=False),
    Column("confirmed_on", Date),
    _text("confirmed_by", nullable=True),
    Column("ended_on", Date),
    _text("reason", nullable=True),
    Column("by_hand", Boolean, nullable=False),
    Column("counts", Boolean, nullable=False),
    _text("next_step", nullable=True),
)
action_entry = Table(
    "action_entry",
    metadata,
    _key("company"),
    _key("client_id"),
    _key("entry_id"),
    _key("step"),
    Column("occurrence", Integer, primary_key=True),
    Column("action_id", Uuid, nullable=False),
    _p(),
    Column("amount", AMOUNT, nullable=False),
    Column("due_date", Date, nullable=False),
    _text("level_before", nullable=True),
    _text("level_after", nullable=True),
)
exclusion = Table(
    "exclusion",
    metadata,
    _key("company"),
    _key("client_id"),
    _key("entry_id"),
    _p(),
    _text("step"),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("until", Date),
)

DERIVED = (
    entry,
    company_sync,
    company,
    client,
    entry_stop,
    dispute,
    promise,
    lettering_error,
    contact,
    paid_group,
    policy,
    client_policy,
    scenario,
    scenario_version,
    entry_level,
    action,
    action_entry,
    exclusion,
)
