"""What reporting remembers: rows made from events, each table from one speaker's stream, and a cache of names.

Amounts are in the currency beside them, ``book_`` amounts in the company's bookkeeping currency. Identities of
entries are UUIDs here and 32 hexadecimal digits outside. ``p`` is the client's partition.
"""

from sqlalchemy import Table

from services.reporting.tables.carried_out import delivery, reply
from services.reporting.tables.decided import (
    action,
    automatic_choice,
    dunning_round,
    entry_level,
    exclusion,
    policy,
    scenario,
)
from services.reporting.tables.kept import client_field, person, salesperson, standing, standing_day
from services.reporting.tables.stated import (
    author,
    cash_objective,
    client,
    client_merge,
    dispute,
    entry_mark,
    fact,
    followed_company,
    free_field,
    late_interest_terms,
    mention,
    profile_names,
    promise,
)
from services.reporting.tables.synced import entry, lettering_error, sync_run, synced_account, synced_partition

DERIVED: tuple[Table, ...] = (
    entry,
    lettering_error,
    synced_account,
    synced_partition,
    sync_run,
    followed_company,
    profile_names,
    late_interest_terms,
    cash_objective,
    free_field,
    client,
    entry_mark,
    client_merge,
    dispute,
    mention,
    promise,
    fact,
    author,
    action,
    entry_level,
    exclusion,
    automatic_choice,
    scenario,
    policy,
    dunning_round,
    delivery,
    reply,
)

KEPT: tuple[Table, ...] = (person, client_field, salesperson, standing, standing_day)
