"""C18: days of some clients explained entry by entry, in both languages, word for word.

Golden: after a change that is meant, tell it anew and read every line that differs.
``python -m tests.specs.dunning.test_explained_days > tests/specs/dunning/explained_days.txt``
"""

from collections.abc import Iterator
from pathlib import Path

from contracts.dunning import PolicyChanged
from services.dunning.domain.explain import ExplainedEntry, explain_client
from services.dunning.domain.words import Explanation
from tests.specs.dunning.given import (
    STANDARD,
    at_level,
    chosen_next,
    client,
    credit,
    disputed,
    entry_stopped,
    invoice,
    previous,
    promise,
    scenario,
    step,
    stopped,
)
from tests.specs.dunning.life import Life

GOLDEN = Path(__file__).with_name("explained_days.txt")


def life(*facts: object, on: str = "2025-03-01", steps: object = STANDARD, **policy: object) -> Life:
    one = Life(scenario(*steps), PolicyChanged.model_validate({"version": 1, **policy}))  # type: ignore[misc]
    return one.on(on, *facts)  # type: ignore[arg-type]


def told() -> Iterator[str]:
    """Title, then the explained days of each life."""
    one = life(
        invoice("F1", 1000, "2025-03-10"), invoice("F2", "12.5", "2025-03-10", currency="USD", book_amount=11)
    )
    yield from days("An invoice that nobody pays", one, "2025-03-01", "2025-03-02")
    one.when("2025-03-02")
    yield from days("Its notice was proposed", one, "2025-03-03")
    one.confirm_all("2025-03-03")
    yield from days("And confirmed", one, "2025-03-04")
    one.carry_out("2025-03-04")
    yield from days("And sent", one, "2025-03-04", "2025-03-17", "2025-03-18")
    one.on("2025-03-20", at_level("F1", "R5", "2025-03-20"), chosen_next("F2", "R4", "2025-03-20"))
    yield from days("After the last step, and with a step that a person chose", one, "2025-03-21")

    one = life(
        invoice("F1", 100, "2025-03-10"), invoice("F2", 15, "2025-03-10"), credit("A1", 30, "2025-03-12"),
        invoice("F3", 500, "2025-03-20"), client(payment_mode="PRLV"), on="2025-03-01",
    )  # fmt: skip
    one.on(
        "2025-03-11", promise("F1", "2025-03-20"), disputed("F1"), disputed(), entry_stopped("F2", "2025-04-01")
    )
    one.on("2025-03-12", stopped("2025-03-25"))
    one.with_policy(promises_exclude=True, disputes_exclude=True, minimum_per_entry="20", tolerance_days=9)
    yield from days("Everything that keeps an entry back", one, "2025-03-19")
    one.with_policy(automatic_payment_modes=["PRLV"], minimum_per_reminder="50", minimum_per_entry=None)
    yield from days("A payment mode that needs nobody", one, "2025-03-26")
    yield from days("The promise is late, the stops are over", one, "2025-04-02")

    one = life(invoice("F1", 100, "2025-03-10"), invoice("F2", 50, "2025-03-12"), credit("A1", 20, "2025-03-01"))
    one.with_policy(mode="account", contact_gap_days=5, tolerance_amount="20").called("2025-03-17")
    yield from days("The whole account, after a call", one, "2025-03-18", "2025-03-22")

    steps = (
        step("R1", 8, mode="automatic"),
        previous("R2", 5, ignorable=True),
        previous("R3", 5, "phone", end_of_month=True),
    )
    one = life(invoice("F1", 6000, "2025-03-10"), credit("A1", 200, "2025-02-20"), steps=steps)
    one.with_policy(automatic_from="2025-01-01", maximum_per_reminder="5000", netting="account")
    yield from days("Above the maximum, a person is asked", one, "2025-03-18")
    one.on("2025-03-19", at_level("F1", "R1", "2025-03-19"), at_level("A1", "R1", "2025-03-19"))
    yield from days("A step that may be passed over", one, "2025-03-24")
    yield from days("It was passed over, and the one after is pushed to the end of its month", one, "2025-04-30")

    one = life(invoice("F1", 100, "2025-03-10"), client(email=False, profile="Export"))
    one.with_own_policy("2025-03-02", never=True)
    yield from days("Never reminded", one, "2025-03-18")
    one = life(credit("A1", 500, "2025-03-10"), invoice("F1", 100, "2025-03-10"))
    yield from days("A client in credit", one, "2025-03-18")


def days(title: str, one: Life, *on: str) -> Iterator[str]:
    yield f"# {title}"
    for text in on:
        seen = one.seen(text)
        english, french = explain_client(seen, "en"), explain_client(seen, "fr")
        yield f"## {text}"
        for entry_id, explained in english.items():
            yield from _entry(one.name(entry_id), explained, french[entry_id])
    yield ""


def _entry(name: str, one: ExplainedEntry, french: ExplainedEntry) -> Iterator[str]:
    coming = "nothing" if one.coming is None else f"{one.coming.step} {one.coming.on}"
    yield f"{name}: {one.status}, step {one.step}, until {one.until}; to come: {coming}"
    pairs = ((one.reasons, french.reasons), (one.rules, french.rules), ((one.next,), (french.next,)))
    for kind, (said, in_french) in zip(("why", "rule", "next"), pairs, strict=True):
        for english, other in zip(said, in_french, strict=True):
            yield from _part(kind, english, other)


def _part(kind: str, english: Explanation, french: Explanation) -> Iterator[str]:
    facts = " ".join(f"{name}={value}" for name, value in english.facts.items())
    yield f"  {kind} {english.rule} {english.code} {facts}".rstrip()
    yield f"    {english.text}"
    yield f"    {french.text}"


def test_the_days_are_explained_word_for_word():
    assert list(told()) == GOLDEN.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    print("\n".join(told()))
