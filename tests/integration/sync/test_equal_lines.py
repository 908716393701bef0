"""Equal lines of a book, told apart by what was seen of them last (architecture, decision 9)."""

from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from tests.integration.sync.conftest import Sync
from tests.specs.sync.books import Row, Writing, invoice

WRITING = Writing()
KINDS = st.tuples(
    st.sampled_from(["C1", "C2"]), st.sampled_from(["10,00", "20,00"]), st.sampled_from(["", "A", "B"])
)


def rows_of(lines: list[tuple[str, str, str]]) -> list[Row]:
    """Customer lines alone, in one unnumbered entry of nothing: many of them equal but for their lettering."""
    rows: list[Row] = []
    for client, amount, code in lines:
        debit, counterpart = invoice(0, client, amount, EcritureLet=code)
        rows += [debit, counterpart]
    return rows


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(lines=st.lists(KINDS, min_size=1, max_size=8), data=st.data())
async def test_any_order_says_nothing_and_lettering_k_lines_changes_k(
    sync: Sync, lines: list[tuple[str, str, str]], data: DataObject
) -> None:
    company = f"t{uuid4().hex[:12]}"
    await sync.register(company)
    first = await sync.imported(company, WRITING.bytes(rows_of(lines)))
    assert first["changed"] == len(lines), first["errors"]

    shuffled = data.draw(st.permutations(lines))
    assert (await sync.imported(company, WRITING.bytes(rows_of(shuffled))))["changed"] == 0

    picks = data.draw(st.sets(st.integers(0, len(lines) - 1)))
    lettered = [
        (client, amount, "NEW" if i in picks else code) for i, (client, amount, code) in enumerate(shuffled)
    ]
    again = data.draw(st.permutations(lettered))
    run = await sync.imported(company, WRITING.bytes(rows_of(again)))
    assert (run["changed"], run["archived"]) == (len(picks), 0)
    ids = {entry["entry_id"] for entry in await sync.entries_said(company)}
    assert len(ids) == len(lines)


async def test_of_equal_lines_the_paid_one_stays_paid_when_terms_move(sync: Sync, company: str) -> None:
    """Equal lettering decides before order does."""
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(rows_of([("C1", "10,00", ""), ("C1", "10,00", "A")])))
    paid = {entry["entry_id"] for entry in await sync.entries_said(company) if entry["lettering"] == "A"}
    rows = [one | {"PieceDate": one["PieceDate"]} for one in rows_of([("C1", "10,00", "A"), ("C1", "10,00", "")])]
    dated = [one | {"DateLet": "20260401"} if one["EcritureLet"] else one for one in rows]
    assert (await sync.imported(company, WRITING.bytes(dated)))["changed"] == 1
    said = (await sync.entries_said(company))[-1]
    assert (said["entry_id"] in paid, said["lettered_on"]) == (True, "2026-04-01")


async def test_one_of_two_equal_lines_gone_leaves_the_other(sync: Sync, company: str) -> None:
    await sync.register(company)
    twice = [("C1", "10,00", ""), ("C1", "10,00", "A")]
    await sync.imported(company, WRITING.bytes(rows_of(twice)))
    run = await sync.imported(company, WRITING.bytes(rows_of(twice[1:])))
    assert (run["changed"], run["archived"]) == (1, 1)
    assert (await sync.entries_said(company))[-1]["removed"]
