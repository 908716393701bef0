"""The scenarios that a new company starts with (rule 4.13): data, published as events when it registers."""

from functools import cache
from importlib.resources import files

import yaml

from contracts.dunning import PolicyChanged, ScenarioPublished

WITHOUT_SCENARIO = ("Interne",)
"""Delivered profiles whose clients are never reminded (rules 3.1, 3.6)."""


@cache
def delivered_scenarios() -> tuple[ScenarioPublished, ...]:
    """Read once: it takes a fifth of a second, and a group registers many companies."""
    text = files(__package__).joinpath("scenarios.yaml").read_text(encoding="utf-8")
    return tuple(
        ScenarioPublished(profile=profile, version=1, **variants)
        for profile, variants in yaml.safe_load(text).items()
    )


def delivered_policy() -> PolicyChanged:
    """Five days between two contacts of one client, and nothing that leaves by itself (rules 4.18, 22.7)."""
    return PolicyChanged(version=1, contact_gap_days=5)
