"""Balances brought forward: which entries of last year an opening line stands for."""

from decimal import Decimal

from services.sync.domain.opening import Brought, OpenEntry, OpeningLine, bring_forward


def line(number: int, amount: str, client: str = "C1", **more: str) -> OpeningLine:
    told = {"currency": "EUR", "piece": "AN", "dated": "2026-01-01", "lettering": "", "account": "411"} | more
    return OpeningLine(line=number, client_id=client, amount=Decimal(amount), **told)


def entry(
    name: str, amount: str, client: str = "C1", former: str | None = None, *, released: bool = False, **more: str
) -> OpenEntry:
    told = {"currency": "EUR", "piece": name, "dated": "2025-11-03", "account": "411"} | more
    return OpenEntry(
        entry_id=name, client_id=client, amount=Decimal(amount), former=former, released=released, **told
    )


def pairs(brought: Brought) -> dict[int, list[str]]:
    return {number: [one.entry_id for one in entries] for number, entries in brought.stands_for.items()}


def test_a_line_stands_for_the_entry_of_its_client_and_amount() -> None:
    brought = bring_forward(
        [line(1, "100"), line(2, "200"), line(3, "100", "C2")],
        [entry("F1", "200"), entry("F2", "100"), entry("F3", "100", "C2"), entry("F4", "70")],
    )
    assert pairs(brought) == {1: ["F2"], 2: ["F1"], 3: ["F3"]}
    assert [one.entry_id for one in brought.left] == ["F4"]


def test_among_equal_amounts_the_piece_decides_then_the_date() -> None:
    entries = [entry("F1", "100"), entry("F2", "100"), entry("F3", "100", dated="2025-12-24")]
    brought = bring_forward([line(1, "100", piece="F2"), line(2, "100", dated="2025-12-24")], entries)
    assert pairs(brought) == {1: ["F2"], 2: ["F3"]}


def test_read_again_with_one_of_two_equal_lines_lettered_the_other_keeps_its_entry() -> None:
    first = bring_forward(
        [line(1, "100"), line(2, "100", lettering="A")], [entry("F1", "100"), entry("F2", "100")]
    )
    former = {
        one.entry_id: {1: "", 2: "A"}[number] for number, entries in first.stands_for.items() for one in entries
    }
    entries = [entry(name, "100", former=former[name]) for name in ("F1", "F2")]
    again = bring_forward([line(1, "100", lettering="A"), line(2, "100")], entries)
    assert {former[again.stands_for[1][0].entry_id], former[again.stands_for[2][0].entry_id]} == {"A", ""}
    assert former[again.stands_for[1][0].entry_id] == "A"


def test_one_line_for_a_clients_balance_stands_for_all_its_entries() -> None:
    brought = bring_forward([line(1, "250")], [entry("F1", "100"), entry("F2", "200"), entry("P1", "-50")])
    assert pairs(brought) == {1: ["F1", "F2", "P1"]}
    assert not brought.left


def test_one_line_for_its_debits_and_one_for_its_credits() -> None:
    brought = bring_forward(
        [line(1, "300"), line(2, "-50")], [entry("F1", "100"), entry("F2", "200"), entry("P1", "-50")]
    )
    assert pairs(brought) == {1: ["F1", "F2"], 2: ["P1"]}


def test_a_line_for_a_whole_account_lets_every_client_keep_its_entries() -> None:
    entries = [entry("F1", "100"), entry("F2", "200", "C2")]
    brought = bring_forward([line(1, "300", "411")], entries)
    assert pairs(brought) == {1: ["F1", "F2"]}
    assert not brought.differing
    brought = bring_forward([line(1, "290", "411")], entries)
    assert pairs(brought) == {1: ["F1", "F2"]}
    assert [(one.line, total) for one, total in brought.differing] == [(1, Decimal(300))]


def test_a_line_that_stands_for_nothing_is_an_entry_of_its_own() -> None:
    brought = bring_forward([line(1, "99"), line(2, "5", "C9")], [entry("F1", "100")])
    assert not brought.stands_for
    assert [one.entry_id for one in brought.left] == ["F1"]


def test_another_currency_or_account_is_another_debt() -> None:
    brought = bring_forward([line(1, "100", currency="USD"), line(2, "100", account="416")], [entry("F1", "100")])
    assert not brought.stands_for


def test_what_was_released_takes_no_line_of_what_is_open() -> None:
    entries = [entry("F1", "100", released=True), entry("F2", "100"), entry("F3", "50")]
    brought = bring_forward([line(1, "100")], entries)
    assert pairs(brought) == {1: ["F2"]}
    assert [one.entry_id for one in brought.left] == ["F3"]
    brought = bring_forward([line(1, "150")], entries)
    assert pairs(brought) == {1: ["F2", "F3"]}


def test_what_was_released_comes_back_with_a_line_of_its_own_or_of_its_client() -> None:
    entries = [entry("F1", "100", released=True), entry("F2", "200", released=True), entry("F3", "50")]
    assert pairs(bring_forward([line(1, "100"), line(2, "50")], entries)) == {1: ["F1"], 2: ["F3"]}
    brought = bring_forward([line(1, "350")], entries)
    assert sorted(pairs(brought)[1]) == ["F1", "F2", "F3"]
    assert not brought.left


def test_a_client_whose_sides_do_not_match_keeps_no_other_from_matching() -> None:
    brought = bring_forward(
        [line(1, "301"), line(2, "-50"), line(3, "70", "C2"), line(4, "-6", "C2"), line(5, "9", "C3")],
        [
            *(entry("F1", "100"), entry("F2", "200"), entry("P1", "-20"), entry("P2", "-30")),
            *(entry("G1", "40", "C2"), entry("G2", "30", "C2"), entry("Q1", "-5", "C2"), entry("Q2", "-1", "C2")),
        ],
    )
    assert pairs(brought) == {2: ["P1", "P2"], 3: ["G1", "G2"], 4: ["Q1", "Q2"]}


def test_a_client_without_entries_and_one_with_one_balance_keep_no_other_from_its_own() -> None:
    brought = bring_forward(
        [line(1, "9", "C1"), line(2, "70", "C2"), line(3, "300", "C3")],
        [entry("G1", "40", "C2"), entry("G2", "30", "C2"), entry("H1", "100", "C3"), entry("H2", "200", "C3")],
    )
    assert pairs(brought) == {2: ["G1", "G2"], 3: ["H1", "H2"]}


def test_cents_have_their_side_as_well() -> None:
    brought = bring_forward(
        [line(1, "0.70"), line(2, "-0.60")],
        [entry("F1", "0.40"), entry("F2", "0.30"), entry("P1", "-0.50"), entry("P2", "-0.10")],
    )
    assert pairs(brought) == {1: ["F1", "F2"], 2: ["P1", "P2"]}


def test_an_account_that_had_nothing_left_keeps_no_other_from_its_entries() -> None:
    lumps = [line(1, "5", "410", account="410"), line(2, "100", "411")]
    assert pairs(bring_forward(lumps, [entry("F1", "60"), entry("F2", "40", "C2")])) == {2: ["F1", "F2"]}


def test_two_lines_of_one_side_stand_for_no_balance() -> None:
    brought = bring_forward([line(1, "150"), line(2, "150")], [entry("F1", "100"), entry("F2", "200")])
    assert pairs(brought) == {}


def test_a_second_lump_of_an_account_stands_for_nothing_and_counts_in_the_total() -> None:
    entries = [entry("F1", "100", account="411"), entry("F2", "200", "C2"), entry("H1", "7", "C3", account="412")]
    lumps = [
        line(1, "100", "411"),
        line(2, "100", "411"),
        line(3, "100", "411"),
        line(4, "5", "413", account="413"),
    ]
    brought = bring_forward([*lumps, line(5, "7", "412", account="412")], entries)
    assert pairs(brought) == {1: ["F1", "F2"], 2: [], 3: [], 5: ["H1"]}
    assert brought.differing == ()
