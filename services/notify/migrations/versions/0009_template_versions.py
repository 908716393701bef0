"""Versions of templates, what each is for, and which one a message was written with."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    "alter table template add kind text, add level integer, add title text default '' not null,"
    " add form text default 'text' not null, add version integer default 1 not null",
    "update template set kind = case when name in ('notice', 'thanks') then name else 'reminder' end,"
    " level = case when name ~ '^R[1-7]$' then substr(name, 2)::integer end",
    "alter table template alter kind set not null",
    """
    create table template_version (
        company text not null,
        name text not null,
        medium text not null,
        language text not null,
        version integer not null,
        kind text not null,
        level integer,
        title text default '' not null,
        subject text not null,
        body text not null,
        form text not null,
        gone boolean default false not null,
        changed_by text not null,
        changed_at timestamptz default now() not null,
        primary key (company, name, medium, language, version)
    )
    """,
    "insert into template_version (company, name, medium, language, version, kind, level, title, subject, body,"
    " form, changed_by, changed_at) select company, name, medium, language, version, kind, level, title, subject,"
    " body, form, changed_by, changed_at from template",
    "alter table draft add form text default 'text' not null",
    "alter table message add template text, add template_language text, add template_version integer",
    "alter table letter add template text, add template_language text, add template_version integer",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant(Operations(op.get_context()), "notify")
