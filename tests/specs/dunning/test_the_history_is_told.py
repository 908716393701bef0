"""C18: the history of a client, one line for each thing that came, was said, decided and done."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from contracts import dunning, ledger, notify
from contracts.event import Event
from services.dunning.domain.chronicle import Happened, chronicle
from services.dunning.domain.memory import Told
from tests.specs.dunning.given import (
    CLIENT,
    at_level,
    client,
    credit,
    day,
    dispute_closed,
    disputed,
    entry_id,
    entry_resumed,
    entry_stopped,
    invoice,
    promise,
    promise_cancelled,
    promise_reopened,
    resumed,
    stopped,
)

TODAY = day("2025-03-18")
ACTION = UUID(int=7)
UNKNOWN = UUID(int=8)
AT = datetime(2025, 3, 18, 8, tzinfo=UTC)
COMES = invoice("F1", 100, "2025-03-10")
PROMISE = {"promise_id": UUID(int=1), "client_id": CLIENT, "entry_id": entry_id("F1")}


def told(*events: Event, language: str = "en", after: Iterable[Event] = (COMES,)) -> list[Happened]:
    """The lines of these events, told after others that are known already."""
    known = [Told(event, TODAY) for event in after]
    history = [Told(event, TODAY, "user:u1", AT, "dunning/1/2") for event in events]
    before = chronicle(CLIENT, known, language=language)
    return chronicle(CLIENT, [*known, *history], language=language)[len(before) :]


def lines(*events: Event, **more: object) -> list[tuple[str, str]]:
    return [(one.told.code, one.told.text) for one in told(*events, **more)]  # type: ignore[arg-type]


def action(*names: str, step: str = "R1", medium: str = "email") -> dunning.Action:
    entries = tuple(
        dunning.ActionEntry(entry_id=entry_id(name), occurrence=1, amount=Decimal(100), due_date=TODAY)
        for name in names
    )
    return dunning.Action(
        action_id=ACTION,
        client_id=CLIENT,
        profile="Standard",
        scenario_version=1,
        kind="reminder",
        step=step,
        medium=medium,
        currency="EUR",
        amount=Decimal(120),
        net_amount=Decimal("100.50"),
        book_net_amount=Decimal("100.50"),
        due_since=date(2025, 3, 17),
        entries=entries,
    )


def profile_assigned(profile: str | None) -> Event:
    return ledger.ProfileAssigned(client_id=CLIENT, profile=profile)


def due(*names: str) -> Event:
    return dunning.ActionDue(action=action(*names))


def test_a_line_says_when_by_whom_of_what_and_where_it_stands():
    (line,) = told(entry_stopped("F1"))
    assert line.on == TODAY
    assert line.at == AT
    assert line.by == "user:u1"
    assert line.position == "dunning/1/2"
    assert line.entries == (entry_id("F1"),)
    assert line.action_id is None
    assert (line.told.code, line.told.rule) == ("entry_was_stopped", "8.2")
    assert line.told.facts == {"piece": "F1"}


# What accounting says (rules 1.1, 5.8, 5.9, 22.8, 22.9)


def test_an_entry_comes_is_moved_changed_lettered_unlettered_and_taken_back():
    (entry,) = COMES.entries  # type: ignore[attr-defined]

    def again(**fields: object) -> Event:
        nonlocal entry
        entry = entry.model_copy(update=fields)
        return COMES.model_copy(update={"entries": (entry,)})

    assert lines(
        COMES,
        again(due_date=day("2025-03-12")),
        again(debit=Decimal(80)),
        again(lettering="A"),
        again(lettering="B"),
        again(lettering=None),
        again(account="412"),
        again(removed=True),
        again(removed=True),
        again(removed=False),
        after=(),
    ) == [
        ("entry_came", "F1 came from accounting: €100.00, due on 10 Mar 2025."),
        ("entry_due_date_changed", "Accounting moved the due date of F1 from 10 Mar 2025 to 12 Mar 2025."),
        ("entry_amount_changed", "Accounting changed the amount of F1 from €100.00 to €80.00."),
        ("entry_settled", "F1 was lettered, code A: it left the cycle."),
        ("entry_settled", "F1 was lettered, code B: it left the cycle."),
        ("entry_reopened", "F1 was un-lettered: it goes on at its former level."),
        ("entry_changed_otherwise", "Accounting changed F1."),
        ("entry_taken_back", "Accounting took F1 back."),
        ("entry_came", "F1 came from accounting: €80.00, due on 12 Mar 2025."),
    ]


def test_an_entry_that_comes_lettered_is_told_twice_and_each_change_by_itself():
    both = told(invoice("F2", 10, "2025-03-10", lettering="A"))
    assert [one.told.code for one in both] == ["entry_came", "entry_settled"]
    assert both[1].told.text == "F2 was lettered, code A: it left the cycle."
    assert {one.entries for one in both} == {(entry_id("F2"),)}
    moved = told(invoice("F1", 90, "2025-03-11", lettering="A"))
    assert [one.told.code for one in moved] == [
        "entry_due_date_changed",
        "entry_amount_changed",
        "entry_settled",
    ]
    assert {one.entries for one in moved} == {(entry_id("F1"),)}
    assert told(credit("A1", 10, "2025-03-10"))[0].told.facts["amount"] == {"amount": "-10.00", "currency": "EUR"}
    dollars = invoice("U1", 10, "2025-03-10", currency="USD", book_amount=Decimal(9))
    assert told(dollars)[0].told.facts["amount"]["currency"] == "USD"


def test_what_accounting_does_to_an_entry_is_told_of_that_entry_once():
    (entry,) = COMES.entries  # type: ignore[attr-defined]
    lettered, gone, moved = (
        COMES.model_copy(update={"entries": (entry.model_copy(update=fields),)})
        for fields in ({"lettering": "A"}, {"removed": True}, {"account": "412"})
    )
    assert [(one.told.code, one.entries) for one in told(gone)] == [("entry_taken_back", (entry_id("F1"),))]
    assert told(gone, after=(COMES, gone)) == []
    assert [one.entries for one in told(COMES, after=(COMES, lettered))] == [(entry_id("F1"),)]
    assert [(one.told.code, one.entries) for one in told(moved)] == [
        ("entry_changed_otherwise", (entry_id("F1"),))
    ]


def test_an_amount_that_changed_is_told_as_it_was_in_its_currency_and_with_its_sign():
    was = credit("A1", 10, "2025-03-10", currency="USD", book_amount=Decimal(-9))
    now = credit("A1", 12, "2025-03-10", currency="USD", book_amount=Decimal(-11))
    assert [one.told.text for one in told(now, after=(was,))] == [
        "Accounting changed the amount of A1 from -US$10.00 to -US$12.00."
    ]


def test_an_entry_without_a_piece_is_called_by_the_beginning_of_its_identity():
    assert told(invoice("F2", 10, "2025-03-10", piece=""))[0].told.facts["piece"] == entry_id("F2")[:8]
    assert told(entry_stopped("F9"))[0].told.facts["piece"] == entry_id("F9")[:8]


def test_only_what_dunning_decides_by_is_told_of_a_client():
    first = lines(client(profile="Export", payment_mode="VIR"))
    assert first == [
        ("email_known", "The client has an e-mail address."),
        ("profile_is", "The client's profile is Export."),
        ("payment_mode_is", "The client's payment mode is VIR."),
    ]
    assert [code for code, _ in lines(client())] == ["email_known", "profile_is"]
    known = client(profile="Export", payment_mode="VIR")
    assert lines(known, after=(known,)) == []
    assert lines(client(email=False, profile="Export", payment_mode="VIR"), after=(known,)) == [
        ("email_unknown", "The client has no e-mail address.")
    ]
    assert lines(client(), after=(known,)) == [
        ("profile_is", "The client has the default profile."),
        ("payment_mode_is", "The client has no payment mode."),
    ]
    bulk = ledger.ClientsChanged(
        clients=(ledger.ChangedClient(client_id=CLIENT, version=2, profile="Export", payment_mode="VIR"),)
    )
    assert [code for code, _ in lines(bulk, after=(known,))] == ["email_unknown"]


def test_lettering_errors_and_merged_codes():
    found = {"client_id": CLIENT, "account": "411", "lettering": "A"}
    assert lines(
        ledger.LetteringErrorFound(**found, difference=Decimal("0.01")), ledger.LetteringErrorCleared(**found)
    ) == [
        ("lettering_error_found", "The lettering A does not balance: €0.01 too much or too little."),
        ("lettering_error_cleared", "The lettering A balances again."),
    ]
    away = ledger.ClientMerged(client_id=CLIENT, into="C2")
    here = ledger.ClientMerged(client_id="C0", into=CLIENT)
    assert lines(away, here) == [
        ("code_merged", "This code became C2: what was said and done of it goes on there."),
        ("code_merged", "The code C0 became this one."),
    ]


# What people state (rules 3.5, 8.1, 8.2, 10, 11, 5.7)


@pytest.mark.parametrize(
    ("event", "text", "of_entry"),
    [
        (
            ledger.ProfileAssigned(client_id=CLIENT, profile="VIP"),
            "A person gave the client the profile VIP.",
            False,
        ),
        (profile_assigned(None), "A person gave the choice of profile back to accounting.", False),
        (stopped(), "Reminders to the client were stopped.", False),
        (stopped("2025-04-01"), "Reminders to the client were stopped until 1 Apr 2025.", False),
        (resumed(), "Reminders to the client may go again.", False),
        (entry_stopped("F1"), "Reminders of F1 were stopped.", True),
        (entry_stopped("F1", "2025-04-01"), "Reminders of F1 were stopped until 1 Apr 2025.", True),
        (entry_resumed("F1"), "F1 may be reminded again.", True),
        (promise("F1", "2025-04-02"), "€1.00 of F1 promised for 2 Apr 2025.", True),
        (promise_reopened("F1", "2025-04-02"), "The promise for 2 Apr 2025 on F1 stands again.", True),
        (promise_cancelled("F1", "2025-04-02"), "A promise on F1 was cancelled.", True),
        (ledger.PromiseKept(**PROMISE), "A promise on F1 was kept.", True),
        (ledger.PromiseBroken(**PROMISE), "A promise on F1 is late.", True),
        (disputed("F1"), "A dispute was opened on F1.", True),
        (disputed(), "A dispute was opened on the whole account.", False),
        (dispute_closed("F1"), "The dispute on F1 was closed.", True),
        (dispute_closed(), "The dispute on the whole account was closed.", False),
        (
            ledger.EntryRepositioned(client_id=CLIENT, entry_id=entry_id("F1"), expected_on=day("2025-05-01")),
            "The money of F1 is expected on 1 May 2025; reminders do not move.",
            True,
        ),
        (
            ledger.EntryRepositioned(client_id=CLIENT, entry_id=entry_id("F1")),
            "The money of F1 is expected on its due date again.",
            True,
        ),
    ],
)
def test_what_people_state_is_told_with_its_entry(event, text, of_entry):
    (line,) = told(event)
    assert line.told.text == text
    assert line.entries == ((entry_id("F1"),) if of_entry else ())


def test_the_reason_of_a_dispute_is_recorded():
    assert told(disputed("F1"))[0].recorded == {"reason": "price"}
    assert told(dispute_closed("F1"))[0].recorded == {}


# What was decided and done (rules 4.12, 4.15, 5.3, 5.6, 8.17, 22.13, 22.27)


def test_an_action_is_proposed_confirmed_and_done():
    proposed, confirmed = dunning.ActionProposed(action=action("F1")), due("F1")
    moves = (dunning.LevelMove(entry_id=entry_id("F1"), level_before=None, level_after="R1"),)
    done = dunning.ActionDone(
        action_id=ACTION, client_id=CLIENT, step="R1", medium="email", done_on=TODAY, levels=moves
    )
    found = told(proposed, confirmed, done)
    assert [one.told.text for one in found] == [
        "R1 was proposed by e-mail: €100.50 for F1, due since 17 Mar 2025.",
        "R1 was confirmed, by e-mail: €100.50 for F1.",
        "R1 was done by e-mail; F1: level R1.",
    ]
    assert {one.entries for one in found} == {(entry_id("F1"),)}
    assert {one.action_id for one in found} == {ACTION}
    assert found[0].recorded["amount"] == "120"
    assert "template" not in found[0].recorded
    assert found[1].recorded == found[0].recorded
    assert found[2].recorded["done_on"] == "2025-03-18"
    assert set(found[2].recorded) == {"done_on", "levels"}


def test_what_is_asked_and_promised_in_another_currency_is_told_in_it():
    """Rule 19.3."""
    dollars = action("F1").model_copy(update={"currency": "USD"})
    assert "US$100.50" in told(dunning.ActionProposed(action=dollars))[0].told.text
    promised = promise("F1", "2025-04-02").model_copy(update={"currency": "USD"})
    assert told(promised)[0].told.text == "US$1.00 of F1 promised for 2 Apr 2025."


def test_an_action_that_nobody_was_asked_about_was_decided():
    (line,) = told(due("F1"))
    assert line.told.code == "action_was_decided"


def test_what_does_not_move_a_level_is_done_without_one():
    same = (dunning.LevelMove(entry_id=entry_id("F1"), level_before="R1", level_after="R1"),)
    done = dunning.ActionDone(
        action_id=ACTION, client_id=CLIENT, step="R1", medium="phone", done_on=TODAY, levels=same
    )
    assert lines(done) == [("action_was_done", "R1 was done by call: F1.")]
    gone = (dunning.LevelMove(entry_id=entry_id("F1"), level_before="R1", level_after=None),)
    assert lines(done.model_copy(update={"levels": gone})) == [("action_was_done", "R1 was done by call: F1.")]
    apart = [
        dunning.LevelMove(entry_id=entry_id("F1"), level_before=None, level_after=level) for level in ("R2", "R3")
    ]
    (line,) = told(done.model_copy(update={"levels": tuple(apart)}))
    assert line.told.facts["level"] == "R3"


def test_many_entries_are_named_by_the_first_three():
    four = [invoice(f"F{number}", 1, "2025-03-10") for number in range(1, 6)]
    assert told(due("F1", "F2", "F3", "F4"), after=four)[0].told.facts["pieces"] == "F1, F2, F3, F4"
    (line,) = told(due("F1", "F2", "F3", "F4", "F5"), after=four)
    assert line.told.facts["pieces"] == "F1, F2, F3 + 2"


def test_a_withdrawal_says_why():
    withdrawn = dunning.ActionWithdrawn(action_id=ACTION, client_id=CLIENT, reason="client_stopped")
    (line,) = told(withdrawn, after=(COMES, due("F1")))
    assert line.told.text.startswith("R1 was withdrawn: ")
    assert (line.entries, line.action_id, line.recorded) == (
        (entry_id("F1"),),
        ACTION,
        {"reason": "client_stopped"},
    )
    (line,) = told(withdrawn)
    assert line.told.text.startswith("An action was withdrawn: ")
    assert line.entries == ()


def test_exclusions_are_told_with_all_their_reasons_and_their_end():
    held = dunning.ExcludedEntry(entry_id=entry_id("F1"), step="R1", reasons=("client_stopped", "disputed"))
    free = dunning.ExcludedEntry(entry_id=entry_id("F1"), step="R1", reasons=())
    (line,) = told(dunning.ActionExcluded(client_id=CLIENT, entries=(held,)))
    assert line.told.text.startswith("F1 was due for R1 and not reminded: ")
    assert line.told.text.count(".") == 2
    assert line.recorded == {"step": "R1", "reasons": ["client_stopped", "disputed"]}
    assert line.entries == (entry_id("F1"),)
    (line,) = told(dunning.ActionExcluded(client_id=CLIENT, entries=(free,)))
    assert (line.told.text, line.entries) == ("Nothing held F1 back any more.", (entry_id("F1"),))
    (line,) = told(dunning.ActionExcluded(client_id=CLIENT, entries=(held,)), language="fr")
    assert line.told.text == (
        "F1, à relancer (R1), ne l'a pas été : "
        "Le client n'est pas à relancer. Elle est en litige, et les litiges arrêtent les relances."
    )


def test_levels_are_told_once_for_all_entries_alike():
    set_at = at_level("F1", "R2", "2025-03-18")
    (line,) = told(set_at)
    assert (line.told.text, line.entries) == ("F1: level R2.", (entry_id("F1"),))
    move = {"entry_id": entry_id("F1"), "level_before": None, "level_after": "R2", "next_step": None}
    assert line.recorded == {
        "reason": "set",
        "set_on": "2025-03-18",
        "levels": [{**move, "reminded_on": None}],
    }
    moves = [
        dunning.LevelMove(entry_id=entry_id(name), level_before=None, level_after=level, next_step=following)
        for name, level, following in (("F1", "R1", "R2"), ("F2", "R1", "R2"), ("F3", None, None))
    ]
    chosen = dunning.LevelSet(client_id=CLIENT, reason="set_by_person", set_on=TODAY, levels=tuple(moves))
    known = [invoice(name, 1, "2025-03-10") for name in ("F1", "F2", "F3")]
    assert lines(chosen, after=known) == [
        ("next_step_chosen", "A person chose R2 as the next step of F1, F2."),
        ("level_was_set", "F3: no level any more."),
    ]
    alone = dunning.LevelSet(client_id=CLIENT, reason="credit_alone", set_on=TODAY, levels=tuple(moves[2:]))
    alone = alone.model_copy(update={"levels": (moves[2].model_copy(update={"level_after": "R1"}),)})
    assert lines(alone, after=known) == [
        ("credit_went_on", "F3, alone without a debit, went on to R1 without a message.")
    ]


def test_what_may_leave_by_itself_is_told_by_choice():
    choices = zip(("F1", "F2", "F3", "F4"), (False, True, None, True), strict=True)
    chosen = dunning.AutomaticChosen(
        client_id=CLIENT,
        entries=tuple(dunning.AutomaticChoice(entry_id=entry_id(name), automatic=one) for name, one in choices),
    )
    known = [invoice(name, 1, "2025-03-10") for name in ("F1", "F2", "F3", "F4")]
    assert lines(chosen, after=known) == [
        ("automatic_chosen", "Reminders of F2, F4 may leave by themselves."),
        ("automatic_refused", "Reminders of F1 may not leave by themselves."),
        ("automatic_as_policy", "Reminders of F3 leave as the policy says."),
    ]
    assert told(chosen, after=known)[0].entries == (entry_id("F2"), entry_id("F4"))


def test_a_policy_of_ones_own_and_the_end_of_the_scenario():
    never = dunning.ClientPolicyChanged(client_id=CLIENT, never=True)
    own = dunning.ClientPolicyChanged(client_id=CLIENT, profile="VIP", tolerance_amount=Decimal(50))
    ends = dunning.DunningExhausted(client_id=CLIENT, entry_id=entry_id("F1"))
    found = told(never, own, ends)
    assert [one.told.text for one in found] == [
        "The client is never reminded.",
        "The client follows the scenario of the profile VIP.",
        "No step follows for F1.",
    ]
    assert found[0].recorded == {"never": True}
    assert found[1].recorded == {"never": False, "profile": "VIP", "tolerance_amount": "50"}
    assert found[1].entries == ()
    assert found[2].entries == (entry_id("F1"),)


# How the message fared (rules 16.5, 22.7, 22.16)

MAIL = {"action_id": ACTION, "client_id": CLIENT, "message_id": "<1@example.org>"}


@pytest.mark.parametrize(
    ("event", "code", "text", "recorded"),
    [
        (notify.EmailOpened(**MAIL, opened_at=AT), "email_was_opened", "The e-mail of R1 was opened: F1.", {}),
        (
            notify.EmailOpened(**MAIL, opened_at=AT, by_machine=False),
            "email_was_opened",
            "The e-mail of R1 was opened: F1.",
            {"by_machine": False},
        ),
        (
            notify.EmailOpened(**MAIL, opened_at=AT, by_machine=True),
            "email_was_perhaps_opened",
            "The e-mail of R1 was opened, it seems by a machine: F1.",
            {"by_machine": True},
        ),
        (
            notify.EmailBounced(**MAIL, status="5.1.1", permanent=True),
            "email_came_back",
            "The e-mail of R1 came back (5.1.1), the level stays: F1.",
            {"status": "5.1.1"},
        ),
        (
            notify.EmailBounced(**MAIL, status="5.2.2", permanent=False, kind="soft", reason="mailbox_full"),
            "email_came_back",
            "The e-mail of R1 came back (5.2.2), the level stays: F1.",
            {"status": "5.2.2"},
        ),
        (
            notify.EmailBounced(**MAIL, status="", permanent=False, kind="complaint", reason="abuse"),
            "email_was_unwanted",
            "The e-mail of R1 was reported as unwanted, the level stays: F1.",
            {"status": ""},
        ),
        (
            notify.EmailBounced(**MAIL, status="4.4.1", permanent=False),
            "email_was_delayed",
            "The e-mail of R1 has not arrived yet (4.4.1): F1.",
            {"status": "4.4.1"},
        ),
        (
            notify.ReplyReceived(**MAIL, received_at=AT),
            "email_was_answered",
            "The client answered the e-mail of R1: F1.",
            {},
        ),
        (
            notify.EmailFailed(**MAIL, reason="refused", status="550 5.1.1"),
            "email_did_not_leave",
            "The e-mail of R1 was refused (550 5.1.1) and the action is open again: F1.",
            {"reason": "refused", "status": "550 5.1.1"},
        ),
        (
            notify.EmailFailed(**MAIL, reason="gave_up"),
            "email_did_not_leave",
            "The e-mail of R1 did not leave and the action is open again: F1.",
            {"reason": "gave_up"},
        ),
        (
            notify.EmailInDoubt(**MAIL),
            "email_in_doubt",
            "Nobody knows whether the e-mail of R1 left; a person decides: F1.",
            {},
        ),
    ],
)
def test_the_history_tells_how_the_message_fared(event, code, text, recorded):
    (line,) = told(event, after=(COMES, due("F1")))
    assert (line.told.code, line.told.text) == (code, text)
    assert (line.entries, line.action_id, line.recorded) == ((entry_id("F1"),), ACTION, recorded)
    (line,) = told(event)
    assert (line.told.code, line.entries, line.action_id) == (code, (), ACTION)


def test_what_was_paid_online_is_told_with_its_lines_its_sum_and_its_moment():
    """Rule 8.6: in the currency that was paid."""
    paid = notify.PaymentLinkPaid(
        payment_id=UNKNOWN,
        client_id=CLIENT,
        amount=Decimal("120.5"),
        currency="USD",
        paid_at=AT,
        entries=tuple(notify.PaidEntry(entry_id=entry_id(name), amount=Decimal(60)) for name in ("F1", "F2")),
    )
    (line,) = told(paid, after=(COMES, invoice("F2", 20.5, "2025-03-10")))
    assert (line.told.code, line.told.rule) == ("was_paid_online", "8.6")
    assert line.told.text == "F1, F2 were paid online: US$120.50."
    assert (line.entries, line.action_id) == ((entry_id("F1"), entry_id("F2")), None)
    assert line.recorded == {"amount": "120.5", "currency": "USD", "paid_at": "2025-03-18T08:00:00Z"}


@pytest.mark.parametrize(
    ("why", "freed", "text"),
    [
        ("refunded", ("F1",), "Of a payment online US$50.00 were given back: F1 owed again."),
        ("refunded", (), "Of a payment online US$50.00 were given back."),
        ("charged_back", ("F1",), "The client's bank took US$50.00 of a payment online back: F1 owed again."),
        ("charged_back", (), "The client's bank took US$50.00 of a payment online back."),
    ],
)
def test_money_that_went_back_is_told_with_what_is_owed_again(why, freed, text):
    """Rule 8.6: of all the lines of the payment, those that stay paid among them."""
    returned = notify.PaymentReturned(
        payment_id=UNKNOWN,
        client_id=CLIENT,
        amount=Decimal(50),
        currency="USD",
        why=why,
        returned_at=AT,
        freed=tuple(map(entry_id, freed)),
        held=(entry_id("F2"),),
    )
    (line,) = told(returned, after=(COMES, invoice("F2", 20, "2025-03-10")))
    assert (line.told.code, line.told.rule, line.told.text) == (f"payment_was_{why}", "8.6", text)
    assert (line.entries, line.action_id) == ((*map(entry_id, freed), entry_id("F2")), None)
    told_as = {"amount": "50", "currency": "USD", "why": why, "returned_at": "2025-03-18T08:00:00Z"}
    assert line.recorded == told_as


def test_what_the_action_tells_already_is_not_told_again():
    sent = notify.EmailSent(**MAIL, sent_at=AT)
    withheld = notify.MessageWithheld(action_id=ACTION, client_id=CLIENT, reason="paid")
    posted = notify.LetterPrepared(action_id=ACTION, client_id=CLIENT)
    called = notify.CallLogged(action_id=ACTION, client_id=CLIENT, outcome="reached")
    assert told(sent, withheld, posted, called, after=(COMES, due("F1"))) == []


def test_a_contact_of_ones_own_accord_is_told():
    called = notify.CallLogged(action_id=UNKNOWN, client_id=CLIENT, outcome="reached", done_on=TODAY)
    visited = notify.OtherContactLogged(action_id=UNKNOWN, client_id=CLIENT, outcome="visited")
    first, second = told(called, visited, after=(COMES, due("F1")))
    assert first.told.text == "A person noted a contact of their own accord: call."
    assert first.recorded == {"outcome": "reached", "done_on": "2025-03-18"}
    assert second.told.text == "A person noted a contact of their own accord: other contact."
    assert second.recorded == {"outcome": "visited"}
    assert (first.entries, first.action_id) == ((), None)
