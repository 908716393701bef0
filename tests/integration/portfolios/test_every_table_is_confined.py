"""Every row that speaks of a client is confined to portfolios, in every service (rule 15.2)."""

import pytest
from sqlalchemy import text

from chassis.database import engine
from chassis.embedded import Stack

SERVICES = ("ledger", "dunning", "notify", "reporting")
COMPANY_WIDE = {
    "ledger": {
        "cash_objective", "company", "command", "day_passed", "free_field", "late_interest_terms", "milestone",
        "profile_list", "retention", "salesperson",
        # named by the entry, which whoever reads them has found first; their own addresses are for whole companies
        "entry_label", "entry_field",
    },
    "dunning": {
        "company", "company_sync", "contact_cost", "policy", "round", "round_partition", "scenario",
        "scenario_version", "simulation", "simulation_part",
    },
    "notify": {
        "archive_head", "cash_report", "company", "copy_address", "dkim_key", "expired_day",
        "late_interest_terms", "logo", "mail_authorization", "mail_server", "mailbox", "mailbox_account",
        "mailbox_mail", "money_back",
        "payment_account", "policy", "retention", "sender", "template", "template_version",
        # by its content, and handed out with the message that carries it alone
        "attachment",
    },
    "reporting": {
        "author", "cash_objective", "dunning_round", "followed_company", "free_field", "late_interest_terms",
        "policy", "profile_names", "salesperson", "scenario", "standing_day", "sync_run", "synced_partition",
        # of other systems, for those who see every client alone
        "subscriber", "webhook", "webhook_delivery", "webhook_former_secret", "webhook_position",
    },
}  # fmt: skip
"""Nothing of one client, or reached through it."""
OF_THE_CHASSIS = {"job", "parked", "company_hold"}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_table_is_confined_or_of_the_whole_company(stack: Stack, service: str) -> None:
    """A new table that speaks of a client: call ``chassis.database.confine`` at the end of its migration."""
    reader = engine(stack.database_url(service, "owner"), service, size=1)
    async with reader.connect() as tx:
        found = await tx.execute(
            text(
                "select c.relname, exists (select from pg_policy y where y.polrelid = c.oid"
                " and y.polname = 'portfolio' and not y.polpermissive) as confined"
                " from pg_class c join pg_attribute a on a.attrelid = c.oid"
                " where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')"
                " and a.attname = 'company' and not a.attisdropped"
            )
        )
        confined = {row.relname: row.confined for row in found}
    await reader.dispose()
    open_to_all = {name for name, is_confined in confined.items() if not is_confined} - OF_THE_CHASSIS
    assert open_to_all == COMPANY_WIDE[service]
