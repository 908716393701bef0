"""What a company chose: texts, senders, servers, keys."""

from sqlalchemy import Boolean, Column, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.columns import FALSE, INSTANT, NOW, day, instant, key, money, word
from services.notify.tables.metadata import metadata

# a company's own texts as they are used now
template = Table(
    "template",
    metadata,
    word("company"),
    word("name"),
    word("medium"),
    word("language"),
    word("subject"),
    word("body"),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    # notice | reminder | thanks
    word("kind"),
    # 1 to 7; null: any
    Column("level", Integer),
    Column("title", Text, nullable=False, server_default=""),
    # text | html, of the body
    Column("form", Text, nullable=False, server_default="text"),
    Column("version", Integer, nullable=False, server_default="1"),
    PrimaryKeyConstraint("company", "name", "medium", "language"),
)

# every text that ever was in use, and when there was none any more
template_version = Table(
    "template_version",
    metadata,
    word("company"),
    word("name"),
    word("medium"),
    word("language"),
    Column("version", Integer, nullable=False),
    word("kind"),
    Column("level", Integer),
    Column("title", Text, nullable=False, server_default=""),
    word("subject"),
    word("body"),
    word("form"),
    # from here on the delivered text was used, or none
    Column("gone", Boolean, nullable=False, server_default=FALSE),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "name", "medium", "language", "version"),
)

sender = Table(
    "sender",
    metadata,
    key("company"),
    Column("body", JSONB, nullable=False),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
)

# a company's own; without one its messages leave by the installation's
mail_server = Table(
    "mail_server",
    metadata,
    key("company"),
    word("host"),
    Column("port", Integer, nullable=False),
    # none | starttls | tls
    word("encryption"),
    word("username"),
    # sealed; null: none is needed
    Column("password", LargeBinary),
    Column("connections", Integer, nullable=False),
    # messages a second; 0: no limit
    money("per_second"),
    money("per_second_and_domain"),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    # password | oauth
    Column("sign_in", Text, nullable=False, server_default="password"),
)

# a company's own account at Stripe; without one it has the operator's file, or takes no payments online
payment_account = Table(
    "payment_account",
    metadata,
    key("company"),
    # both sealed
    Column("api_key", LargeBinary, nullable=False),
    Column("webhook_secret", LargeBinary, nullable=False),
    # the key moves real money
    Column("live", Boolean, nullable=False),
    # Stripe's name of the account; null where the key may not tell, or Stripe did not answer
    word("account_id", nullable=True),
    # Stripe's names; none: as set at Stripe
    Column("methods", ARRAY(Text), nullable=False),
    money("minimum"),
    money("maximum", nullable=True),
    Column("use_credits", Boolean, nullable=False),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    # when Stripe last told something with the account's signature
    instant("heard_at", nullable=True),
)

# how a company signs in where no password is taken (OAuth 2)
mail_authorization = Table(
    "mail_authorization",
    metadata,
    key("company"),
    # microsoft | google | other
    word("provider"),
    # application | consent
    word("way"),
    word("tenant"),
    word("client_id"),
    # sealed, all three; null: none
    Column("secret", LargeBinary),
    # secret | certificate | none
    word("secret_kind"),
    # of ``other``; empty of the others
    word("authorize_url"),
    word("token_url"),
    word("revoke_url"),
    word("scope"),
    Column("hosts", ARRAY(Text), nullable=False),
    Column("refresh_token", LargeBinary),
    # the consent that somebody is about to give
    Column("pending", LargeBinary),
    word("consented_by", nullable=True),
    instant("consented_at", nullable=True),
    # a code; null while tokens come
    word("trouble", nullable=True),
    instant("trouble_since", nullable=True),
    # counts what makes tokens of before worth nothing
    Column("version", Integer, nullable=False, server_default="1"),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
)

# where what comes back to a company is read by IMAP
mailbox_account = Table(
    "mailbox_account",
    metadata,
    key("company"),
    word("host"),
    Column("port", Integer, nullable=False),
    # tls | starttls
    word("encryption"),
    word("username"),
    # sealed
    Column("password", LargeBinary),
    word("folder"),
    # move | seen | leave: what becomes of reports that were read
    word("after"),
    # the folder they move to
    word("away"),
    # nothing that arrived before is looked at
    day("since"),
    # messages name themselves in the address that answers and reports come to
    Column("tagged", Boolean, nullable=False, server_default=FALSE),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    # password | oauth
    Column("sign_in", Text, nullable=False, server_default="password"),
)

dkim_key = Table(
    "dkim_key",
    metadata,
    key("company"),
    word("domain"),
    word("selector"),
    # PEM, sealed
    Column("private_key", LargeBinary, nullable=False),
    # as DNS shows it
    word("public_key"),
    # messages are signed
    Column("active", Boolean, nullable=False, server_default=FALSE),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
)

copy_address = Table(
    "copy_address",
    metadata,
    word("company"),
    Column("copy_id", Uuid, nullable=False),
    word("email"),
    Column("name", Text, nullable=False, server_default=""),
    # of the account, when it is one of its users
    word("user_id", nullable=True),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "copy_id"),
)

logo = Table(
    "logo",
    metadata,
    key("company"),
    # image/png | image/jpeg
    word("media_type"),
    word("sha256"),
    Column("content", LargeBinary, nullable=False),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
)
