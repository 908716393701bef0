"""Other systems that hear events: subscribers by NATS, webhooks and what is delivered to them."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("""
        create table subscriber (
            company text not null,
            name text not null check (name ~ '^[a-z0-9_-]{1,32}$'),
            events text[] not null,
            secret_hash text not null,
            previous_hash text,
            previous_until timestamptz,
            since timestamptz not null,
            caught_up_at jsonb not null default '{}',
            created_at timestamptz not null default now(),
            created_by text not null,
            rotated_at timestamptz,
            primary key (company, name)
        )
    """)
    op.execute("""
        create table webhook (
            company text not null,
            webhook_id uuid not null,
            url text not null,
            events text[] not null,
            active boolean not null default true,
            secret bytea not null,
            previous_secret bytea,
            previous_until timestamptz,
            failures int not null default 0,
            resting_until timestamptz,
            told text,
            created_at timestamptz not null default now(),
            created_by text not null,
            primary key (company, webhook_id)
        )
    """)
    op.execute("""
        create table webhook_position (
            company text not null,
            webhook_id uuid not null,
            speaker text not null,
            since timestamptz not null,
            pos bigint not null default 0,
            anchor text,
            numbers bigint[] not null default array_fill(0::bigint, array[64]),
            owner text,
            until timestamptz,
            primary key (company, webhook_id, speaker),
            foreign key (company, webhook_id) references webhook on delete cascade
        )
    """)
    op.execute("""
        create table webhook_delivery (
            company text not null,
            webhook_id uuid not null,
            speaker text not null,
            p smallint not null,
            number bigint not null,
            event_id uuid not null,
            client_id text,
            type text not null,
            message text not null,
            status text not null default 'waiting' check (status in ('waiting', 'sending', 'done', 'dead')),
            attempts int not null default 0,
            run_at timestamptz not null default now(),
            owner text,
            until timestamptz,
            told text,
            created_at timestamptz not null default now(),
            changed_at timestamptz not null default now(),
            primary key (company, webhook_id, speaker, p, number),
            foreign key (company, webhook_id) references webhook on delete cascade
        )
    """)
    op.execute("create index webhook_delivery_due on webhook_delivery (run_at) where status = 'waiting'")
    op.execute(
        "create index webhook_delivery_before on webhook_delivery (company, webhook_id, speaker, p, number)"
        " where status in ('waiting', 'sending')"
    )
    op.execute("create index webhook_delivery_held on webhook_delivery (until) where status = 'sending'")
    op.execute("create index webhook_delivery_ended on webhook_delivery (changed_at) where status = 'done'")
    op.execute(
        "create index webhook_delivery_listed on webhook_delivery (company, webhook_id, status, changed_at desc)"
    )
    grant(Operations(op.get_context()), "reporting")
