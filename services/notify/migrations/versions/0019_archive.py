"""The legal archive, and contents that were sealed and stay as they are."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine, grant

revision = "0019"
down_revision = "0018"

STATEMENTS = (
    """
    create table archive (
        company text not null,
        n bigint not null,
        kind text not null,
        client_id text not null,
        action_id uuid,
        body text not null,
        hash text not null,
        primary key (company, n)
    )
    """,
    "comment on table archive is 'append only'",
    "create index archive_client on archive (company, client_id)",
    "create index archive_action on archive (company, action_id)",
    """
    create table archive_person (
        company text not null,
        n bigint not null,
        client_id text not null,
        body text not null,
        primary key (company, n)
    )
    """,
    "create table archive_head (company text primary key, n bigint not null, hash text not null)",
    "create table archive_cursor (p smallint primary key, number bigint not null)",
    "insert into archive_cursor (p, number) select p, 0 from partition_head",
    "alter table report add archived boolean default false not null",
    "create index report_to_archive on report (company) where not archived and action_id is not null",
    # an erasure empties a content; nothing else may touch one that was sealed
    """
    create function sealed_content_stays() returns trigger language plpgsql as $$
    begin
        if exists (
            select from archive where company = old.company and action_id = old.action_id
                and kind in ('email_sent', 'letter_prepared')
        ) then
            raise exception 'what was sent and sealed is not changed' using errcode = 'restrict_violation';
        end if;
        if tg_op = 'DELETE' then
            return old;
        end if;
        return new;
    end
    $$
    """,
    """
    create trigger sealed_content before update of raw on message for each row
    when (new.raw is not null and new.raw is distinct from old.raw) execute function sealed_content_stays()
    """,
    """
    create trigger sealed_content before update of pdf, sha256 on letter for each row
    when ((new.pdf is not null and new.pdf is distinct from old.pdf) or new.sha256 <> old.sha256)
    execute function sealed_content_stays()
    """,
    "create trigger sealed_row before delete on message for each row execute function sealed_content_stays()",
    "create trigger sealed_row before delete on letter for each row execute function sealed_content_stays()",
)


def upgrade() -> None:
    operations = Operations(op.get_context())
    for statement in STATEMENTS:
        op.execute(statement)
    grant(operations, "notify")
    confine(operations, "notify", "salesperson")
