"""Dunning's rows. Never qualified: the search path says which schema. The migrations hold the same, and indexes.

``DERIVED`` come from events and are rebuilt, each from one speaker's stream alone. ``schedule`` and ``decided``
(one row per client, read as the view ``verdict``) are a cache of the last decisions: made again from the rest at
any time, and tested to come out the same. ``round*`` is work and its history.
"""

from sqlalchemy import Boolean, Column, Integer, MetaData, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.columns import day, instant, key, money, partition, word

metadata = MetaData()

# From sync's stream.

entry = Table(
    "entry",
    metadata,
    key("company"),
    key("client_id"),
    key("entry_id"),
    partition(),
    word("account"),
    word("kind"),
    word("piece"),
    word("currency"),
    money("amount"),
    money("book_amount"),
    day("due_date"),
    day("counted_on"),
    word("payment_mode", nullable=True),
    word("lettering", nullable=True),
    Column("removed", Boolean, nullable=False),
    day("reopened_on", nullable=True),
)

company_sync = Table("company_sync", metadata, key("company"), partition(), day("synced_on"))

# From ledger's stream.

company = Table(
    "company", metadata, key("company"), partition(), word("currency"), word("time_zone"), word("country")
)
client = Table(
    "client",
    metadata,
    key("company"),
    key("client_id"),
    partition(),
    Column("has_email", Boolean, nullable=False),
    word("profile", nullable=True),
    word("chosen_profile", nullable=True),
    word("payment_mode", nullable=True),
    Column("stopped", Boolean, nullable=False),
    day("resumes_on", nullable=True),
    word("category", nullable=True),
    # the code by which portfolios are given
    word("salesperson", nullable=True),
)
entry_stop = Table(
    "entry_stop",
    metadata,
    key("company"),
    key("client_id"),
    key("entry_id"),
    partition(),
    day("resumes_on", nullable=True),
)
dispute = Table(
    "dispute",
    metadata,
    key("company"),
    key("client_id"),
    Column("dispute_id", Uuid, primary_key=True),
    word("entry_id", nullable=True),
    partition(),
)
promise = Table(
    "promise",
    metadata,
    key("company"),
    key("client_id"),
    Column("promise_id", Uuid, primary_key=True),
    word("entry_id"),
    partition(),
    day("promised_on"),
)
lettering_error = Table(
    "lettering_error", metadata, key("company"), key("client_id"), key("account"), key("lettering"), partition()
)

paid_group = Table(
    "paid_group",
    metadata,
    key("company"),
    key("client_id"),
    # the first of its payments names it: a payment is announced once
    key("payment_id"),
    partition(),
    Column("payments", ARRAY(Text), nullable=False),
    Column("settled", ARRAY(Text), nullable=False),
    day("paid_on"),
)

# From notify's stream.

contact = Table(
    "contact",
    metadata,
    key("company"),
    key("client_id"),
    Column("action_id", Uuid, primary_key=True),
    partition(),
    day("contacted_on"),
)

# From dunning's own.

policy = Table(
    "policy",
    metadata,
    key("company"),
    partition(),
    Column("version", Integer, nullable=False),
    Column("body", JSONB, nullable=False),
    day("set_on"),
)
scenario = Table(
    "scenario",
    metadata,
    key("company"),
    key("profile"),
    partition(),
    Column("version", Integer, nullable=False),
    Column("body", JSONB, nullable=False),
    day("set_on"),
)
scenario_version = Table(
    "scenario_version",
    metadata,
    key("company"),
    key("profile"),
    Column("version", Integer, primary_key=True),
    partition(),
    Column("body", JSONB, nullable=False),
    day("set_on"),
    word("actor"),
    instant("said_at"),
)
entry_level = Table(
    "entry_level",
    metadata,
    key("company"),
    key("client_id"),
    key("entry_id"),
    partition(),
    Column("level", SmallInteger, nullable=False),
    day("reminded_on", nullable=True),
    day("noticed_on", nullable=True),
    Column("exhausted", Boolean, nullable=False),
    # chosen by a person; gone with the next reminder
    word("next_step", nullable=True),
    Column("automatic", Boolean),
)
client_policy = Table(
    "client_policy",
    metadata,
    key("company"),
    key("client_id"),
    partition(),
    word("profile", nullable=True),
    Column("never", Boolean, nullable=False),
    Column("tolerance_days", Integer),
    money("tolerance_amount", nullable=True),
)
# What was done under a code that was merged (rule 22.24).
thanked_before = Table("thanked_before", metadata, key("company"), key("client_id"), key("entry_id"), partition())
contact_before = Table(
    "contact_before",
    metadata,
    key("company"),
    key("client_id"),
    key("from_client_id"),
    Column("place", SmallInteger, primary_key=True),
    partition(),
    day("contacted_on"),
    day("round_on", nullable=True),
)
action = Table(
    "action",
    metadata,
    key("company"),
    Column("action_id", Uuid, primary_key=True),
    word("client_id"),
    partition(),
    word("profile"),
    Column("scenario_version", Integer, nullable=False),
    word("kind"),
    word("step"),
    word("medium"),
    word("template", nullable=True),
    word("currency"),
    money("amount"),
    money("net_amount"),
    money("book_net_amount"),
    day("due_since"),
    word("mode"),
    Column("accepted_reasons", ARRAY(Text), nullable=False),
    Column("copies", ARRAY(Uuid), nullable=False),
    word("status"),
    day("opened_on"),
    day("confirmed_on", nullable=True),
    word("confirmed_by", nullable=True),
    day("ended_on", nullable=True),
    word("reason", nullable=True),
    Column("by_hand", Boolean, nullable=False),
    Column("counts", Boolean, nullable=False),
    word("next_step", nullable=True),
)
action_entry = Table(
    "action_entry",
    metadata,
    key("company"),
    key("client_id"),
    key("entry_id"),
    key("step"),
    Column("occurrence", Integer, primary_key=True),
    Column("action_id", Uuid, nullable=False),
    partition(),
    money("amount"),
    day("due_date"),
    word("level_before", nullable=True),
    word("level_after", nullable=True),
)
# from notify's stream: lines that debtors paid online (rule 8.6)
online_payment = Table(
    "online_payment",
    metadata,
    key("company"),
    key("client_id"),
    key("entry_id"),
    Column("payment_id", Uuid, primary_key=True),
    partition(),
    day("paid_on"),
)
exclusion = Table(
    "exclusion",
    metadata,
    key("company"),
    key("client_id"),
    key("entry_id"),
    partition(),
    word("step"),
    Column("reasons", ARRAY(Text), nullable=False),
    day("until", nullable=True),
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
    online_payment,
    contact,
    paid_group,
    policy,
    client_policy,
    scenario,
    scenario_version,
    entry_level,
    thanked_before,
    contact_before,
    action,
    action_entry,
    exclusion,
)
