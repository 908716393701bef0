"""Notify's own knobs."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from chassis.settings import Settings


class NotifySettings(Settings):
    """``RELANCE_*`` variables that only notify reads."""

    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(default=2525, ge=1, le=65535)
    smtp_user: str = ""
    smtp_password: str = Field(default="", repr=False)
    smtp_encryption: Literal["none", "starttls", "tls"] = "none"
    """``starttls`` is the usual port 587, ``tls`` the usual port 465."""
    smtp_ca_file: Path | None = None
    """Certificates of authorities that mail servers of this network are known by, besides the usual ones."""
    mail_networks: str = ""
    """Networks besides the public internet in which companies may name mail servers and mailboxes of their own:
    ``10.20.0.0/16,127.0.0.1``. The installation's own mail server is not asked."""
    sealing_key: str = Field(default="", repr=False)
    """Any long secret; passwords and private keys that companies give are kept sealed by it. Several, separated by
    commas: the first seals, all open. Empty: companies give none."""
    smtp_timeout_seconds: float = Field(default=30, gt=0)
    """How long the mail server may take for any one answer but the last."""
    smtp_answer_seconds: float = Field(default=300, gt=0)
    """How long the mail server may take to say whether it has a message it was handed. Past it the message is in
    doubt; servers that scan what they get may be slow."""
    smtp_connections: int = Field(default=8, ge=1, le=50)
    """Kept open while there is mail; providers allow only so many. The more there are, the faster mail leaves; a
    crash leaves at most one message per connection in doubt."""
    messages_per_second: float = Field(default=0, ge=0)
    """What the mail server wants at most, over all connections of this process; 0 is no limit."""
    messages_per_second_and_domain: float = Field(default=0, ge=0)
    """What the mail servers of one recipient domain want at most, per process; 0 is no limit. What has to wait for
    its domain lets the others pass."""
    sending_batch: int = Field(default=128, ge=1, le=1000)
    """How many messages are written at a time, before they wait for a connection."""
    job_lease_seconds: float = Field(default=15, gt=1)
    """How long after a crash another process takes over its messages."""
    retry_seconds: float = Field(default=15, gt=0)
    """Pause after the mail server put a message off; it doubles each time, up to a quarter of an hour."""
    give_up_after_hours: float = Field(default=48, gt=0)
    """A message that the mail server keeps putting off fails after so long."""
    default_sender_domain: str = "relance.example"
    """A company without a sender of its own writes as ``<company>@`` this domain."""
    public_url: str = ""
    """Where recipients reach this service, for the pixel of companies that track opens; empty is never."""
    reports_dir: Path | None = None
    """Delivery reports and answers as files, one folder per company below it; empty is never."""
    reports_pause_seconds: float = Field(default=60, gt=0)
    """How often the places where reports arrive are looked into."""
    imap_timeout_seconds: float = Field(default=20, gt=0)
    """How long a mailbox's server may take for any one answer."""
    space_url: str = ""
    """Where debtors reach their own pages: the console as the outside sees it. Empty: no links are made."""
    console_url: str = ""
    """Where people reach the console, where that is another address than ``space_url``. Providers of mailboxes
    send them back there. Both empty: nobody can consent, and only applications that act for themselves sign in."""
    link_secret: str = Field(default="", repr=False)
    """Signs the links to debtors' pages; empty: none are made. Another secret ends every link at once."""
    payments_dir: Path | None = None
    """Accounts at Stripe as files, one ``<company>.json`` each; none: nobody pays online."""
    stripe_url: str = ""
    """Another address than Stripe's own, for trials."""
    link_days: int = Field(default=60, ge=1, le=3650)
    """How long a link is good."""
    pixel_secret: str = Field(default="", repr=False)
    """Signs the pixel's links; empty is never."""
    letter_batch: int = Field(default=32, ge=1, le=500)
    """How many letters are made at a time; together they are kept and said."""
    letter_fonts: str = ""
    """A folder of fonts for letters in scripts that Source Sans and Libertinus do not write; empty is none."""
