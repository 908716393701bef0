"""Whole exports that administrators ask for, and certificates of companies that were deleted."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # a new schema is made of the tables as they are now
    op.execute(
        "create table if not exists company_export (company text not null,"
        " export_id uuid not null default uuidv7(), status text not null default 'asked',"
        " asked_by uuid references account (account_id) on delete set null,"
        " asked_at timestamptz not null default now(), done_at timestamptz, until timestamptz,"
        " bytes bigint not null default 0, told text, contents jsonb, taken_at timestamptz,"
        " taken_by uuid references account (account_id) on delete set null, primary key (company, export_id),"
        " check (status in ('asked', 'ready', 'failed', 'gone')))"
    )
    op.execute(
        "create table if not exists company_export_part (company text not null, export_id uuid not null,"
        " part integer not null, content bytea not null, primary key (company, export_id, part),"
        " foreign key (company, export_id) references company_export (company, export_id) on delete cascade)"
    )
    # a ZIP does not get smaller: it is not tried
    op.execute("alter table company_export_part alter column content set storage external")
    op.execute(
        "create table if not exists certificate (certificate_id uuid primary key default uuidv7(),"
        " account_id uuid not null references account (account_id) on delete cascade, about text not null,"
        " made_at timestamptz not null default now(), words text not null)"
    )
    op.execute("create index if not exists certificate_account on certificate (account_id)")
    grant(Operations(op.get_context()), "console")
