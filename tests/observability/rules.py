"""The alert rules as they are delivered, and made quick enough to be seen by a test."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import yaml

from cli.places import ROOT

FILE = ROOT / "deploy/observability/alerts.yaml"
GROUPS: list[dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"]
RULES: dict[str, dict[str, Any]] = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}

SHORTENED: Mapping[str, Mapping[str, str]] = {
    "ServiceDown": {},
    "ServiceRestarts": {"[15m]": "[8s]", "> 2": "> 0"},
    "EventsUnpublished": {"> 60": "> 2"},
    "RelayRefuses": {"[1m]": "[3s]"},
    "ProjectionBehind": {"> 120": "> 2"},
    "ClientsParked": {},
    "JobsWaiting": {"> 600": "> 3"},
    "MessagesWaiting": {},
    "MessagesInDoubt": {},
    "WorkHindered": {},
    "RequestsFail": {"[5m]": "[5s]"},
    "RebuildStuck": {"[15m]": "[6s]"},
    "OldTablesKept": {"> 604800": "> 2"},
}
"""What a test makes shorter in each expression; every ``for`` is left out as well."""


def shortened() -> list[dict[str, Any]]:
    """The groups of rules with seconds for minutes. A rule whose expression has changed since is refused."""
    groups = deepcopy(GROUPS)
    for group in groups:
        for rule in group["rules"]:
            rule.pop("for", None)
            for long, short in SHORTENED[rule["alert"]].items():
                assert long in rule["expr"], (rule["alert"], long)
                rule["expr"] = rule["expr"].replace(long, short)
    return groups
