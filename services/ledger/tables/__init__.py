"""Ledger's rows.

``DERIVED`` come from events and are rebuilt; each is written from one speaker's stream alone, so that any
interleaving of the streams ends in the same rows. The others are kept: personal data, which no event carries, and
the memory of what is still to be done.
"""

from services.ledger.tables.kept import (
    contact,
    dead_address,
    dispute_file,
    document_file,
    entry_field,
    entry_label,
    erased_person,
    note_text,
    person,
    person_field,
    person_source,
)
from services.ledger.tables.metadata import metadata
from services.ledger.tables.stated import (
    cash_objective,
    client,
    client_merge,
    company,
    dispute,
    document,
    entry_expectation,
    entry_stop,
    free_field,
    late_interest_terms,
    legal_hold,
    lettered_payment,
    lettering_error,
    merged_entry,
    note,
    profile_list,
    promise,
    retention,
)
from services.ledger.tables.synced import entry, synced_client

__all__ = ["DERIVED", "PERSONAL", "metadata"]

DERIVED = (
    entry,
    synced_client,
    company,
    profile_list,
    late_interest_terms,
    cash_objective,
    retention,
    legal_hold,
    free_field,
    client,
    promise,
    dispute,
    document,
    entry_stop,
    entry_expectation,
    client_merge,
    merged_entry,
    note,
    lettering_error,
    lettered_payment,
)

PERSONAL = (
    person_source,
    person,
    person_field,
    contact,
    dead_address,
    entry_label,
    entry_field,
    note_text,
    dispute_file,
    document_file,
    erased_person,
)
"""What an erasure looks at, besides the events' own tables, which hold no person."""
