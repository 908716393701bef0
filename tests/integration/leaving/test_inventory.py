"""What leaves with a company is decided column by column, and by nobody's forgetting."""

import psycopg
import pytest

from cli.company.inventory import CONTENTS, HEARS, NUMBERS, tables
from cli.trial import Trial
from tests.integration.leaving.wiring import wired

SECRETS = {
    ("console", "api_key", "secret_sha256"),
    ("console", "company_export_part", "content"),
    ("notify", "dkim_key", "private_key"),
    ("notify", "mail_authorization", "pending"),
    ("notify", "mail_authorization", "refresh_token"),
    ("notify", "mail_authorization", "secret"),
    ("notify", "mail_server", "password"),
    ("notify", "mailbox_account", "password"),
    ("notify", "payment_account", "api_key"),
    ("notify", "payment_account", "webhook_secret"),
    ("reporting", "webhook", "secret"),
    ("reporting", "webhook", "previous_secret"),
    ("reporting", "webhook_former_secret", "secret"),
}
"""Columns of bytes that stay here when a company leaves: an export is in no other export."""
NO_EVENTS = {("reporting", "webhook_delivery", "number"), ("reporting", "webhook_position", "numbers")}
"""Of tables that are not handed on."""


def test_bytes_are_files_or_secrets(trial: Trial) -> None:
    """A new column of bytes: name it in ``inventory.CONTENTS`` when it is a file that leaves with the company,
    here when it is a secret."""
    with psycopg.connect(trial.dsn) as connection:
        found = {
            (*table.place, one.name): one
            for table in tables(connection)
            for one in table.columns
            if one.is_content or one.is_secret
        }
    assert {place for place, one in found.items() if one.is_content} == CONTENTS
    assert {place for place, one in found.items() if one.is_secret} == SECRETS


def test_numbers_of_events_are_known(trial: Trial) -> None:
    """A new column that holds numbers of events: name it in ``inventory.NUMBERS``, with whose they are."""
    with psycopg.connect(trial.dsn) as connection:
        rows = connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns"
            " where column_name in ('number', 'numbers', 'pseq') and data_type in ('bigint', 'ARRAY')"
        ).fetchall()
        known = {table.place for table in tables(connection)}
    found = {(schema, table, column) for schema, table, column in rows if (schema, table) in known}
    assert {place for place in found if place[1] != "parked"} - NO_EVENTS == set(NUMBERS)


@pytest.mark.parametrize("service", HEARS)
def test_listeners_are_as_they_are_wired(service: str) -> None:
    assert wired(service).streams == HEARS[service]
