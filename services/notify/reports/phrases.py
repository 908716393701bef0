"""The words by which mail servers say why they refuse, where their status code says it wrongly or not at all.

Each pattern is one that a server is known to send; none is a guess from a single word, since a wrong match would
silence a good address. French ones are those of Orange, La Poste, Free and SFR.
"""

import re

SPACES = re.compile(r"\s+")


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


MAILBOX_FULL = _any(
    r"(mail)?box (is |for user is )?(full|exceeded)",
    r"mailbox size limit exceeded",
    r"(over|exceeded|exceeds?|out of) (the |its |his |their )?(mail |mailbox |storage |disk )?(quota|storage)",
    r"quota (is )?(exceeded|full|reached)",
    r"(not enough|insufficient|no|out of) (disk|system|mailbox|storage) (space|storage)",
    r"bo[iî]te (aux lettres |de r[ée]ception )?(du destinataire )?(est )?pleine",
    r"quota d[ée]pass[ée]",
    r"\bofr_?417\b",
)

TOO_LARGE = _any(
    r"line limit exceeded",
    r"(message|mail) (is )?(too (large|big|long)|size exceeds)",
    r"exceeds? (the )?(maximum|allowed|fixed) (message )?size",
    r"message trop (volumineux|gros|grand)",
)

REFUSED = _any(
    r"\breputation\b",
    r"(blocked|rejected) (due to|because of|as|for) (spam|policy|content)",
    r"(likely|considered|detected as|identified as|looks like) (unsolicited|spam|suspicious)",
    r"\b(blacklist|blocklist|block list|spamhaus|dnsbl|rbl)",
    r"(grey|gray)list",
    r"(spf|dkim|dmarc)\b.{0,40}\b(fail|reject|policy|not pass)",
    r"(try|retry) (again )?later",
    r"veuillez essayer plus tard",
    r"too many (connections|messages|recipients)",
    r"rate limit",
    r"service refus[ée]",
    r"unverified (address|recipient)",
)

SUSPENDED = _any(
    r"account (is |has been )?(blocked|disabled|inactive|suspended|deactivated|locked)",
    r"compte du destinataire est (bloqu[ée]|suspendu|d[ée]sactiv[ée])",
    r"mailbox (is |has been )?(blocked|disabled|inactive|suspended|locked)",
    r"blocked due to inactivity",
    r"\blpn007_426\b",
)

MOVED = _any(
    r"(recipient|user|mailbox) (is )?no longer (on|at|with|exists)", r"(recipient|user|mailbox) has moved"
)

ADDRESS_UNKNOWN = _any(
    r"(user|recipient|address|mailbox|account|alias) (is )?(unknown|not known)",
    r"unknown (user|recipient|local part|mailbox|account|alias)",
    r"unknown or illegal (alias|user)",
    r"no such (user|mailbox|recipient|address|account|person)",
    r"no mailbox here by that name",
    r"(user|recipient|mailbox|account|address)\b.{0,30}\b(does not|doesn t|doesn't|did not) exist",
    r"(user|recipient|mailbox|account|address) (was )?not found",
    r"recipnotfound|recipientnotfound",
    r"recipient address rejected: access denied",
    r"not a (registered|valid|known) (gateway )?(user|recipient|mailbox)",
    r"invalid (recipient|mailbox|user)",
    r"(adresse|utilisateur|destinataire|bo[iî]te)\b.{0,30}\b(inconnue?|invalide|inexistante?|n'existe pas)",
    r"\bofr_?416\b",
)

DOMAIN_UNKNOWN = _any(
    r"(host or )?domain (name )?(was )?not found",
    r"domain (name )?does not exist",
    r"host (or domain name )?not found",
    r"no such (domain|host)",
    r"unrouteable (address|domain|mail domain)",
)

NETWORK = _any(
    r"(connection|operation|session) (was )?(timed out|refused|reset|lost|dropped)",
    r"(host name|dns) lookup failure",
    r"(network is unreachable|no route to host)",
    r"smtp server does not advertise",
)

NOT_DELIVERED = _any(
    r"could not be delivered",
    r"(wasn't|was not|weren't) able to deliver",
    r"delivery (has |to the following recipients |to these recipients )?failed",
    r"(was|is|were) undeliverable",
    r"undelivered mail returned",
    r"returned (mail|to sender)",
    r"permanent (fatal )?error",
    r"message (was )?not delivered",
    r"n'a pas pu [êe]tre (remis|distribu[ée]|livr[ée])",
    r"[ée]chec de (la )?(remise|distribution)",
    r"failure notice",
)
"""That a text tells of a failure at all, for reports without a part that machines read."""

ABSENT = _any(
    r"^(re: ?)?(automatic reply|auto(matic)?[ -]?reply|auto(matic)?[ -]?response|out of (the )?office)\b",
    r"^(re ?: ?)?(r[ée]ponse automatique|absen(ce|t)e? du bureau|message d'absence|absence)\b",
    r"^(automatische antwort|abwesenheit|respuesta autom[áa]tica|risposta automatica)\b",
)
"""Subjects of automatic answers that carry no header saying so."""


def flat(text: str) -> str:
    """Lower case on one line, as the patterns read it; typographic apostrophes become plain ones."""
    return SPACES.sub(" ", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")).strip().lower()
