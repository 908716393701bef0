"""What is wrong with a file is named by line, column and remedy; the whole file is looked at."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.sync.connectors import Rules
from services.sync.connectors.fec.columns import LEGAL
from services.sync.connectors.fec.wording import WORDS, wording
from services.sync.domain.problems import HABIT_FROM, KEPT_PROBLEMS, Findings, Problem, shown
from tests.specs.sync.books import Row, Writing, book, codes, invoice, payment, read

SHARED = Path(__file__).parents[4] / "shared" / "data"
ONE = "one defect in a small book"


def changed(line: int, **cells: str) -> Callable[[list[Row]], list[Row]]:
    """Cells of one line (the first after the header is 2) replaced."""

    def change(rows: list[Row]) -> list[Row]:
        rows[line - 2] = rows[line - 2] | cells
        return rows

    return change


SMALL_BOOK_DEFECTS = [
    pytest.param(changed(2, JournalCode=""), (2, "JournalCode", "field_empty"), id="no journal"),
    pytest.param(changed(2, EcritureDate=""), (2, "EcritureDate", "field_empty"), id="no date"),
    pytest.param(changed(2, EcritureDate="2026-03-10"), (2, "EcritureDate", "date_invalid"), id="other format"),
    pytest.param(changed(2, PieceDate="20260230"), (2, "PieceDate", "date_invalid"), id="no such day"),
    pytest.param(changed(2, DateLet="2026/04/12"), (2, "DateLet", "date_invalid"), id="slashes"),
    pytest.param(changed(2, EcritureDate="00260310"), (2, "EcritureDate", "date_invalid"), id="year 26"),
    pytest.param(changed(2, Debit="1000,00000"), (2, "Debit", "amount_invalid"), id="five decimals"),
    pytest.param(changed(2, Debit="1.000,00"), (2, "Debit", "amount_invalid"), id="thousands"),
    pytest.param(changed(2, Debit="120.00"), (2, "Debit", "amount_invalid"), id="the other mark"),
    pytest.param(changed(2, Debit="douze"), (2, "Debit", "amount_invalid"), id="words"),
    pytest.param(changed(2, Credit="5,00"), (2, "Credit", "debit_and_credit"), id="both sides"),
    pytest.param(
        changed(3, CompAuxNum="C1", CompAuxLib="x"), (3, "CompAuxNum", "sub_account_misplaced"), id="aux"
    ),
    pytest.param(changed(2, CompAuxLib=""), (2, "CompAuxLib", "sub_account_unnamed"), id="no name"),
    pytest.param(changed(3, Credit="110,00"), (2, "Debit", "entry_unbalanced"), id="unbalanced"),
    pytest.param(changed(2, ValidDate="20260309"), (2, "ValidDate", "validated_before_entry"), id="validated"),
    pytest.param(changed(2, CompAuxNum="C" * 65), (2, "CompAuxNum", "client_too_long"), id="long code"),
]


@pytest.mark.parametrize(("change", "expected"), SMALL_BOOK_DEFECTS)
def test_a_defect_refuses_a_small_book(
    tmp_path: Path, change: Callable[[list[Row]], list[Row]], expected: tuple[int, str, str]
) -> None:
    rows = change([*invoice(1, amount="120,00"), *invoice(2, amount="80,00"), *payment(3)])
    reading, _ = read(tmp_path, Writing().bytes(rows))
    assert expected in codes(reading.verdict().errors)


FATAL_ON_CUSTOMERS = [one for one in SMALL_BOOK_DEFECTS if one.values[1][0] == 2 and "invalid" in one.values[1][2]]  # type: ignore[index]


@pytest.mark.parametrize(("change", "expected"), FATAL_ON_CUSTOMERS)
def test_a_doubtful_customer_line_refuses_a_book_of_any_size(
    tmp_path: Path, change: Callable[[list[Row]], list[Row]], expected: tuple[int, str, str]
) -> None:
    reading, _ = read(tmp_path, Writing().bytes(change(book(200))))
    assert codes(reading.verdict().errors) == [expected]


@pytest.mark.parametrize(
    "cells",
    [
        {"EcritureDate": "2026-03-10", "PieceDate": "20260310"},
        {"PieceDate": "20260230"},
        {"Credit": "101.50"},
        {"Debit": "7,00"},
    ],
)
def test_the_same_on_another_account_of_a_large_book_is_a_warning(tmp_path: Path, cells: dict[str, str]) -> None:
    """Unless the account itself cannot be known, as when the line has no date."""
    rows = book(200)
    whole = read(tmp_path, Writing().bytes(rows))[1]
    reading, lines = read(tmp_path, Writing().bytes(changed(3, **cells)(rows)))
    verdict = reading.verdict()
    if "EcritureDate" in cells:
        assert codes(verdict.errors) == [(3, "EcritureDate", "date_invalid")]
        return
    assert not verdict.errors
    assert [problem.line for problem in verdict.warnings] == [3]
    assert lines == whole


def test_a_shifted_line_of_another_account_is_set_aside_and_its_entry_is_not_called_unbalanced(
    tmp_path: Path,
) -> None:
    lines = Writing(end="\n").bytes(book(60)).split(b"\n")
    lines[2] = lines[2].replace(b"\tPrestations\t", b"\tPrestations\tx\t")
    reading, customers = read(tmp_path, b"\n".join(lines))
    verdict = reading.verdict()
    assert not verdict.errors
    assert codes(verdict.warnings) == [(3, "PieceDate", "fields_too_many")]
    assert customers == read(tmp_path, Writing().bytes(book(60)))[1]


def test_a_shifted_line_of_a_customer_refuses_the_file(tmp_path: Path) -> None:
    lines = Writing(end="\n").bytes(book(60)).split(b"\n")
    lines[1] = lines[1].replace(b"\tClients\t", b"\tClients\tx\t")
    assert codes(read(tmp_path, b"\n".join(lines))[0].verdict().errors) == [(2, "PieceDate", "fields_too_many")]


def test_more_than_one_line_in_fifty_refuses_the_book(tmp_path: Path) -> None:
    rows = book(60)
    others = [index for index, one in enumerate(rows) if not one["CompAuxNum"]]
    most = len(rows) // 50
    for count, refused in ((most, False), (most + 1, True)):
        broken = [
            one | {"PieceDate": "20260230"} if index in others[:count] else one for index, one in enumerate(rows)
        ]
        assert read(tmp_path, Writing().bytes(broken))[0].verdict().refused is refused


def test_a_defect_of_form_met_often_is_a_habit(tmp_path: Path) -> None:
    """The eve and the day."""
    for times, refused in ((HABIT_FROM - 1, True), (HABIT_FROM, False)):
        rows = [row for number in range(times) for row in invoice(number, CompAuxLib="")]
        verdict = read(tmp_path, Writing().bytes(rows))[0].verdict()
        assert verdict.refused is refused
        if not refused:
            assert codes(verdict.warnings) == [(2, "CompAuxLib", "sub_account_unnamed")]
            assert "20" in wording("sub_account_unnamed", "en", verdict.warnings[0].details)[0]


def test_an_accepted_defect_of_form_is_told_once(tmp_path: Path) -> None:
    rows = [*invoice(1, CompAuxLib=""), *invoice(2)]
    rules = Rules(accepted=frozenset({"sub_account_unnamed"}))
    verdict = read(tmp_path, Writing().bytes(rows), rules)[0].verdict()
    assert not verdict.errors
    assert codes(verdict.warnings) == [(2, "CompAuxLib", "sub_account_unnamed")]


def test_numbers_that_go_forward_while_dates_go_back_break_the_chronology(tmp_path: Path) -> None:
    rows = [*invoice(1, day="20260310"), *invoice(2, day="20260309")]
    errors = read(tmp_path, Writing().bytes(rows))[0].verdict().errors
    assert codes(errors) == [(4, "EcritureDate", "chronology_broken")]


def test_lines_in_no_order_say_nothing_about_chronology(tmp_path: Path) -> None:
    rows = [*invoice(2, day="20260310"), *invoice(3, day="20260312"), *invoice(1, day="20260309")]
    verdict = read(tmp_path, Writing().bytes(rows))[0].verdict()
    assert not verdict.errors
    assert codes(verdict.warnings) == [(6, "EcritureNum", "lines_unordered")]


def test_entries_that_share_a_number_or_span_days_balance_together(tmp_path: Path) -> None:
    zero = [one | {"EcritureNum": "0"} for one in book(20)]
    assert not read(tmp_path, Writing().bytes(zero))[0].verdict().errors
    spanning = invoice(1)
    spanning[1] = spanning[1] | {"EcritureDate": "20260311", "ValidDate": "20260311"}
    assert not read(tmp_path, Writing().bytes(spanning))[0].verdict().errors


def test_an_entry_whose_lines_lie_apart_balances(tmp_path: Path) -> None:
    one, two = invoice(1), invoice(2)
    assert not read(tmp_path, Writing().bytes([one[0], two[0], one[1], two[1]]))[0].verdict().errors


def swapped(name: str) -> str:
    return {"Debit": "Credit", "Credit": "Debit"}.get(name, name)


HEADERS = [
    pytest.param(Writing(separator=";"), "JournalCode", "separator_wrong", id="semicolons"),
    pytest.param(
        Writing(columns=[c for c in LEGAL if c != "EcritureLet"]), "EcritureLet", "column_missing", id="let"
    ),
    pytest.param(Writing(columns=[c for c in LEGAL if c != "Debit"]), "Debit", "column_missing", id="debit"),
    pytest.param(Writing(columns=[*LEGAL, "Debit"]), "Debit", "column_twice", id="twice"),
    pytest.param(Writing(header=swapped), "Debit", "columns_out_of_order", id="swapped"),
    pytest.param(Writing(header=lambda n: f"x{n}"), "JournalCode", "header_missing", id="unknown"),
]


@pytest.mark.parametrize(("writing", "column", "code"), HEADERS)
def test_a_header_that_cannot_be_trusted(tmp_path: Path, writing: Writing, column: str, code: str) -> None:
    errors = read(tmp_path, writing.bytes(book(3)))[0].verdict().errors
    assert (1, column, code) in codes(errors)


def test_a_header_shorter_than_its_lines_names_what_it_lacks(tmp_path: Path) -> None:
    content = Writing().bytes(book(3)).replace(b"\tIdevise\r\n", b"\r\n", 1)
    assert codes(read(tmp_path, content)[0].verdict().errors) == [(1, "Idevise", "header_short")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"\xef\xbb\xbf\r\n", "file_empty"),
        (b"PK\x03\x04rest", "not_a_fec"),
        (b"%PDF-1.7", "not_a_fec"),
        ("Une phrase sans colonne.\r\n".encode("utf-16"), "separator_wrong"),
        (bytes(range(256)), "not_a_fec"),
        (b"Just a sentence.\r\n", "separator_wrong"),
        (Writing().bytes([]), "no_lines"),
    ],
)
def test_files_that_are_no_book(tmp_path: Path, content: bytes, code: str) -> None:
    assert [problem.code for problem in read(tmp_path, content)[0].verdict().errors] == [code]


def test_a_line_with_the_other_separator(tmp_path: Path) -> None:
    lines = Writing(end="\n").bytes(book(60)).split(b"\n")
    lines[4] = lines[4].replace(b"\t", b"|")
    assert codes(read(tmp_path, b"\n".join(lines))[0].verdict().errors) == [(5, "JournalCode", "separator_mixed")]


def test_a_file_cut_off_in_its_last_line(tmp_path: Path) -> None:
    content = Writing().bytes(book(200))
    reading, _ = read(tmp_path, content[: len(content) - 40])
    assert "file_cut" in {problem.code for problem in reading.verdict().errors}


def test_mixed_line_ends_and_control_characters(tmp_path: Path) -> None:
    content = Writing().bytes(invoice(1)).replace(b"\r\n", b"\n", 2)
    content = content.replace(b"\n", b"\r\n", 1)
    assert codes(read(tmp_path, content)[0].verdict().errors) == [(2, "Idevise", "line_ends_mixed")]
    content = Writing().bytes(book(200)).replace(b"Clients", b"Cli\x01ents", 1)
    assert codes(read(tmp_path, content)[0].verdict().errors) == [(2, "CompteLib", "control_character")]


def test_every_defect_is_named_up_to_a_thousand_and_the_rest_counted(tmp_path: Path) -> None:
    rows = [one | {"Debit": "x"} for number in range(KEPT_PROBLEMS + 10) for one in invoice(number)[:1]]
    verdict = read(tmp_path, Writing().bytes(rows))[0].verdict()
    assert len(verdict.errors) == KEPT_PROBLEMS
    assert verdict.uncounted == {"amount_invalid": 10}


def test_every_code_has_words_in_both_languages_and_a_remedy() -> None:
    class Anything(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return f"<{key}>"

    for code in WORDS:
        for language in ("en", "fr"):
            message, remedy = wording(code, language, Anything())
            assert message, (code, language)
            assert remedy, (code, language)


def test_findings_tell_nothing_of_a_clean_book() -> None:
    clean = Findings().judge(10)
    assert not clean.refused
    assert (clean.errors, clean.warnings, clean.uncounted) == ((), (), {})


@pytest.mark.parametrize(("lines", "refused"), [(49, True), (50, False), (51, False)])
def test_a_book_is_refused_when_more_than_one_line_in_fifty_is_touched(lines: int, refused: bool) -> None:
    findings = Findings()
    findings.tolerable(7, "Debit", "entry_unbalanced", difference="0,01")
    told = (Problem(7, "Debit", "entry_unbalanced", {"difference": "0,01"}),)
    verdict = findings.judge(lines)
    assert (verdict.refused, verdict.errors, verdict.warnings) == (
        (True, told, ()) if refused else (False, (), told)
    )


@pytest.mark.parametrize(("lines", "refused"), [(99, True), (100, False)])
def test_defects_of_form_that_are_mistakes_touch_lines_as_well(lines: int, refused: bool) -> None:
    findings = Findings()
    findings.tolerable(7, "Debit", "entry_unbalanced")
    findings.form(9, "JournalCode", "field_empty")
    assert findings.judge(lines).refused is refused


def test_a_defect_that_the_importer_accepted_is_told_where_it_stands_and_refuses_nothing() -> None:
    findings = Findings(frozenset({"entry_unbalanced", "field_empty"}))
    findings.tolerable(7, "Debit", "entry_unbalanced", difference="0,01")
    findings.form(9, "JournalCode", "field_empty")
    verdict = findings.judge(lines=1)
    assert verdict.errors == ()
    assert verdict.warnings == (
        Problem(7, "Debit", "entry_unbalanced", {"difference": "0,01"}),
        Problem(9, "JournalCode", "field_empty", {"habit": "1"}),
    )


@pytest.mark.parametrize(("times", "habit"), [(19, False), (20, True), (21, True)])
def test_a_defect_of_form_met_twenty_times_is_how_the_software_works(times: int, habit: bool) -> None:
    findings = Findings()
    for line in range(2, 2 + times):
        findings.form(line, "JournalCode", "field_empty", value="x")
    assert not findings.is_fatal
    warnings = findings.judge(lines=10_000).warnings
    if habit:
        assert warnings == (Problem(2, "JournalCode", "field_empty", {"value": "x", "habit": str(times)}),)
    else:
        assert [one.line for one in warnings] == list(range(2, 2 + times))
    assert findings.judge(lines=10).refused is not habit


def test_mistakes_and_habits_of_several_kinds_are_all_told() -> None:
    findings = Findings()
    for line in range(2, 2 + HABIT_FROM):
        findings.form(line, "JournalCode", "field_empty")
    for line, code in ((30, "date_invalid"), (31, "validated_before_entry"), (32, "date_invalid")):
        findings.form(line, "EcritureDate", code)
    warnings = findings.judge(10_000).warnings
    assert [(one.line, one.code) for one in warnings] == [
        (2, "field_empty"),
        (30, "date_invalid"),
        (31, "validated_before_entry"),
        (32, "date_invalid"),
    ]


def test_what_was_told_often_enough_is_only_counted() -> None:
    findings = Findings()
    for line in range(2, 2 + HABIT_FROM):
        findings.form(line, "JournalCode", "field_empty")
    findings.more_of_form("field_empty", 5)
    findings.more_of_form("field_empty", 7)
    assert findings.judge(100).warnings[0].details == {"habit": "32"}


def test_problems_are_told_in_the_order_of_their_lines_and_remarks_refuse_nothing() -> None:
    findings = Findings()
    findings.remark(8, "DateLet", "date_late", value="20260412")
    findings.remark(3, "DateLet", "b", value="1")
    findings.remark(3, "DateLet", "a", value="2")
    verdict = findings.judge(lines=1)
    assert verdict.errors == ()
    assert [(one.line, one.code, one.details["value"]) for one in verdict.warnings] == [
        (3, "a", "2"),
        (3, "b", "1"),
        (8, "date_late", "20260412"),
    ]


def test_a_fatal_defect_refuses_the_file_whatever_its_length_and_is_known_at_once() -> None:
    findings = Findings()
    assert findings.is_fatal is False
    findings.fatal(4, "Debit", "amount_invalid", value="x")
    assert findings.is_fatal
    assert findings.judge(1_000_000).errors == (Problem(4, "Debit", "amount_invalid", {"value": "x"}),)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (" 31/02/2026 ", "31/02/2026"),
        ("-1 234,50", "-1 234,50"),
        ("12345678", "12345678"),
        ("0612345678", "9999999999"),
        ("Mme Durand, 3 rue", "xxx xxxxxx, 9 xxx"),
        ("1" * 8 + "-" * 60, "1" * 8 + "-" * 32),
    ],
)
def test_a_value_is_told_by_its_form_where_it_may_be_a_name_or_a_telephone(value: str, told: str) -> None:
    assert shown(value) == told


MALFORMED = {
    "analysefec_mini_fec_sig_unbalanced": (1, "EcritureLet", "column_missing"),
    "rezdevops_A02-separateur-mixte": (3, "JournalCode", "separator_mixed"),
    "rezdevops_A03-entete-colonnes-manquantes": (1, "Idevise", "header_short"),
    "rezdevops_A04-entete-ordre-faux": (1, "Debit", "columns_out_of_order"),
    "rezdevops_A05-ligne-tronquee": (3, "Idevise", "fields_missing"),
    "rezdevops_A06-eol-mixte": (2, "Idevise", "line_ends_mixed"),
    "rezdevops_A07-champ-obligatoire-vide": (3, "JournalCode", "field_empty"),
    "rezdevops_B01-ecriture-desequilibree": (2, "Debit", "entry_unbalanced"),
    "rezdevops_B02-total-global-desequilibre": (2, "Debit", "entry_unbalanced"),
    "rezdevops_B03-format-numerique-invalide": (2, "Debit", "amount_invalid"),
    "rezdevops_B04-debit-et-credit-non-nuls": (10, "Credit", "debit_and_credit"),
    "rezdevops_B05-compaux-num-sans-lib": (4, "CompAuxLib", "sub_account_unnamed"),
    "rezdevops_B06-compaux-sur-compte-non-tiers": (6, "CompAuxNum", "sub_account_misplaced"),
    "rezdevops_C01-ecriture-date-invalide": (2, "EcritureDate", "date_invalid"),
    "rezdevops_C02-piece-date-invalide": (2, "PieceDate", "date_invalid"),
    "rezdevops_C04-date-let-invalide": (2, "DateLet", "date_invalid"),
    "rezdevops_C06-validation-anterieure-ecriture": (2, "ValidDate", "validated_before_entry"),
    "rezdevops_C07-chronologie-cassee": (4, "EcritureDate", "chronology_broken"),
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not beside the project")
@pytest.mark.parametrize("name", [*MALFORMED, "rezdevops_fec-minimal-conforme"])
def test_the_collected_malformed_files(name: str) -> None:
    content = (SHARED / "fec_malformed" / f"{name}.txt").resolve()
    from services.sync.connectors.fec import Fec

    reading = Fec().open(content, Rules())
    list(reading.batches())
    errors = reading.verdict().errors
    assert codes(errors)[:1] == ([MALFORMED[name]] if name in MALFORMED else [])


REAL = {
    "123456789FEC20190731.txt": ("utf-8", 12605, 3310, 732, 1310, 0, 310, 2_831_138_300),
    "552100554FEC20231231.csv": ("utf-8", 9074, 64, 16, 19, 4, 14, 1_218_377_800),
    "111111111FEC20221231.TXT": ("cp850", 934, 151, 34, 45, 0, 34, 144_165_200),
    "lsn_sample_pipe_montant_sens.txt": ("utf-8", 4, 1, 1, 0, 0, 1, 25_000_000),
    "lsn_sample_tab.txt": ("utf-8", 7, 1, 1, 0, 0, 1, 12_000_000),
    "olivedu13_sample_fec_bijouterie.txt": ("utf-8", 54, 13, 9, 0, 0, 13, -256_000_000),
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not beside the project")
@pytest.mark.parametrize("name", REAL)
def test_the_collected_real_files(name: str) -> None:
    from services.sync.connectors.fec import Fec

    reading = Fec().open(SHARED / "fec" / name, Rules())
    lines = [line for batch in reading.batches() for line in batch]
    assert not reading.verdict().errors
    groups: dict[tuple[str, str, str], int] = {}
    for line in lines:
        if line.lettering:
            key = (line.account, line.client_id, line.lettering)
            groups[key] = groups.get(key, 0) + line.book
    open_ones = [line.book for line in lines if not line.lettering]
    assert (
        reading.read.encoding, reading.read.lines, len(lines), len(reading.read.names), len(groups),
        sum(1 for balance in groups.values() if balance), len(open_ones), sum(open_ones),
    ) == REAL[name]  # fmt: skip
