"""What is decided about one client on one day. Total and deterministic: the same facts give the same answer."""

from datetime import date

from services.dunning.domain import exclusions
from services.dunning.domain.dates import dates_of
from services.dunning.domain.exclusions import NONE, entry_reasons, promised_until, stop_is_over, together
from services.dunning.domain.grouping import Grouped, by_account, by_item
from services.dunning.domain.leaving import contact_over_on, data_is_stale, leaves_by_itself
from services.dunning.domain.looks import Draft, Look, draft
from services.dunning.domain.openly import Openly
from services.dunning.domain.planning import plan_action
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import NOTICE, THANKS, Plan, Scenario, Step
from services.dunning.domain.standing import SUPERSEDED, same_message, stands, withdrawal_reason
from services.dunning.domain.state import ClientState, EntryState, OpenAction
from services.dunning.domain.thanks import (
    Gratitude,
    gratitude,
    plan_thanks,
    same_thanks,
    thanks_for,
    thanks_stand,
    why_withdrawn,
)
from services.dunning.domain.tolerance import Tolerance, account_is_in_credit, late_total, tolerance_of
from services.dunning.domain.triggers import ONE_DAY, Pending
from services.dunning.domain.verdicts import (
    EXHAUSTED,
    NEVER_REMINDED,
    NO_SCENARIO,
    NO_STEP,
    VARIANT_OFF,
    Decision,
    Due,
    Excluded,
    NoStep,
    NotDue,
    PlannedAction,
    SilentMove,
    Verdict,
    Withdrawal,
)


def decide(
    client: ClientState, policy: Policy, scenario: Scenario | None, as_of: date, since: date | None = None
) -> Decision:
    """Everything due, not due, excluded or withdrawn for this client on ``as_of``.

    ``scenario`` is that of the client's profile, ``None`` when the profile has none (rule 3.6). ``since`` is the
    first day that no round has covered, ``as_of`` when none was missed (``calendar.uncovered_since``).
    """
    return _decided(client, policy, scenario, as_of, since).decision()


def decide_openly(
    client: ClientState, policy: Policy, scenario: Scenario | None, as_of: date, since: date | None = None
) -> Openly:
    """The very decision that ``decide`` makes, for whoever explains it."""
    day = _decided(client, policy, scenario, as_of, since)
    return Openly(
        day.decision(), day.plan, day.looks, day.stop, day.against, day.against_reminders, tuple(day.grouped)
    )


def _decided(
    client: ClientState, policy: Policy, scenario: Scenario | None, as_of: date, since: date | None
) -> "_Day":
    plan = None if scenario is None or client.never else scenario.plan(client.has_email)
    day = _Day(client, policy, plan, scenario, as_of)
    day.since = min(since or as_of, as_of)
    day.look()
    day.keep_standing_actions()
    day.group()
    if client.paid:
        day.thank()
    day.withdraw_the_rest()
    return day


class _Day:
    """The working state of one decision."""

    __slots__ = (
        "actions",
        "against",
        "against_reminders",
        "as_of",
        "by_account",
        "changes",
        "client",
        "grouped",
        "lapsed",
        "looks",
        "moves",
        "plan",
        "policy",
        "proposals",
        "scenario",
        "since",
        "sleeping",
        "stop",
        "verdicts",
        "withdrawals",
    )

    def __init__(
        self, client: ClientState, policy: Policy, plan: Plan | None, scenario: Scenario | None, as_of: date
    ) -> None:
        self.client = client
        self.policy = policy
        self.plan = plan
        self.scenario = scenario
        self.as_of = self.since = as_of
        self.looks: dict[str, Look] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.actions: list[PlannedAction] = []
        self.moves: list[SilentMove] = []
        self.withdrawals: list[Withdrawal] = []
        self.proposals: list[OpenAction] = []
        self.lapsed: list[OpenAction] = []
        self.changes: set[date] = set()
        self.grouped: list[Grouped] = []
        self.sleeping: dict[str, date | None] = {}
        self.by_account = policy.mode == "account"
        self.stop = NONE
        if client.stopped and not stop_is_over(client.resumes_on, as_of):
            self.stop = (exclusions.CLIENT_STOPPED,)
            if client.resumes_on is not None:
                self.changes.add(client.resumes_on)
        self.against = self.against_reminders = self.stop

    def look(self) -> None:
        as_of, by_account, policy, looks = self.as_of, self.by_account, self.policy, self.looks
        due_dates_matter = by_account or policy.netting == "account" or policy.upcoming_credits_excluded
        tolerance = tolerance_of(self.client, policy)
        self._look_at_the_client(tolerance)
        dates = None if self.plan is None else dates_of(self.plan, as_of)
        add_change, sleeping = self.changes.add, self.sleeping
        for entry in self.client.entries:
            found = changes_on = asleep = None
            if dates is not None:
                found, changes_on, asleep = dates.of(entry)
                if changes_on is not None:
                    add_change(changes_on)
            reasons = NONE
            if asleep is not None:
                sleeping[entry.entry_id] = changes_on
            if asleep is None or by_account:
                overdue = entry.due_date < as_of
                if (found is not None and asleep is None) or (by_account and overdue):
                    reasons = self._reasons(entry, found, changes_on, tolerance)
            looks[entry.entry_id] = Look(entry, found, reasons, asleep)
            if due_dates_matter and entry.due_date >= as_of and (by_account or entry.amount <= 0):
                add_change(entry.due_date + ONE_DAY)

    def _reasons(
        self, entry: EntryState, found: Pending | None, changes_on: date | None, tolerance: Tolerance
    ) -> tuple[str, ...]:
        """The reasons that lie in the entry; the days on which they end, or its step changes, are noted."""
        as_of = self.as_of
        reasons = entry_reasons(entry, self.client, self.policy, as_of)
        ends: list[date] = []
        if tolerance.days and (found is None or found.step.level) and tolerance.covers(entry, as_of):
            reasons = (*reasons, exclusions.WITHIN_TOLERANCE_DAYS)
            ends.append(tolerance.over_on(entry))
        if reasons:
            if exclusions.PROMISE_AHEAD in reasons and (until := promised_until(entry, as_of)):
                ends.append(until)
            if exclusions.ENTRY_STOPPED in reasons and entry.resumes_on is not None:
                ends.append(entry.resumes_on)
            self.changes.update(ends)
            if changes_on is not None:
                ends.append(changes_on)
            self.sleeping[entry.entry_id] = min(ends, default=None)
        return reasons

    def _look_at_the_client(self, tolerance: Tolerance) -> None:
        """The reasons that lie in the client as a whole."""
        client, as_of = self.client, self.as_of
        if account_is_in_credit(client, self.policy, as_of, self.changes):
            self.against = together(self.stop, (exclusions.CREDITOR_CLIENT,))
        if client.never:
            self.against = together(self.against, (NEVER_REMINDED,))
        self.against_reminders = self.against
        if tolerance.amount is not None and late_total(client, tolerance, as_of, self.changes) <= tolerance.amount:
            self.against_reminders = together(self.against, (exclusions.WITHIN_TOLERANCE_AMOUNT,))

    def _against(self, level: int) -> tuple[str, ...]:
        """The reasons that lie in the client, for a notice (level 0) or a reminder."""
        return self.against_reminders if level else self.against

    def keep_standing_actions(self) -> None:
        """Confirmed and ticked-back actions stand while they hold; other proposals must be drawn again alike."""
        for action in self.client.open_actions:
            if not action.confirmed and not action.accepted_reasons:
                self.proposals.append(action)
            elif action.step == THANKS:
                if not thanks_stand(action, self.client, self.against):
                    self.lapsed.append(action)
            elif stands(action, self.looks, self._against_action(action), self.policy, self.as_of):
                due = Due(action.step, action.action_id)
                for held in action.entries:
                    if held.entry_id in self.looks:
                        self.verdicts[held.entry_id] = due
            else:
                self.lapsed.append(action)

    def group(self) -> None:
        if self.plan is None:
            reason = NO_SCENARIO if self.scenario is None else VARIANT_OFF
            if self.client.never:
                reason = NEVER_REMINDED
            for entry_id in self.looks:
                self.verdicts.setdefault(entry_id, NoStep(reason))
            return
        free, account, barred = self._sorted_out()
        if free:
            self._settle(by_item(free, self.looks.values(), self.plan, self.policy, self.as_of))
        if account:
            grouped = by_account(account, self.policy, self.as_of)
            self._settle(grouped)
            for drawn in grouped.drafts:
                for look in barred:  # they would come along, were it not for their reasons
                    if look.entry.currency == drawn.currency:
                        verdict = Excluded(drawn.step.name, together(look.reasons, self.against_reminders))
                        self.verdicts[look.entry.entry_id] = verdict

    def _sorted_out(self) -> tuple[list[Look], list[Look], list[Look]]:
        """Entries free to be grouped by step, those of the overdue account, and those barred from it."""
        free: list[Look] = []
        account: list[Look] = []
        barred: list[Look] = []
        verdicts, by_account = self.verdicts, self.by_account
        for entry_id, look in self.looks.items():
            if entry_id in verdicts:
                continue
            if by_account and look.entry.due_date < self.as_of:
                if not look.reasons:
                    account.append(look)
                    continue
                barred.append(look)
            if look.asleep is not None:
                verdicts[entry_id] = look.asleep
                continue
            found = look.pending
            assert found is not None
            if look.reasons:
                reasons = together(look.reasons, self._against(found.step.level))
                verdicts[entry_id] = Excluded(found.step.name, reasons)
            elif by_account and found.step.level:
                until = look.entry.due_date + ONE_DAY  # not yet due, so not in the account's message (rule 6.6)
                verdicts[entry_id] = NotDue(found.step.name, until)
            else:
                free.append(look)
        return free, account, barred

    def _settle(self, grouped: Grouped) -> None:
        self.grouped.append(grouped)
        for drawn in grouped.drafts:
            self._judge(drawn)
        for look in grouped.alone:
            self._advance_silently(look)
        for look, step in grouped.waiting:
            self.verdicts[look.entry.entry_id] = NotDue(step.step.name, step.on)
            self.changes.add(step.on)
        for look in grouped.spent:
            self.verdicts[look.entry.entry_id] = NoStep(EXHAUSTED if look.entry.level else NO_STEP)

    def _judge(self, drawn: Draft) -> None:
        step, as_of = drawn.step, self.as_of
        reasons = together(drawn.reasons, self._against(step.level))
        automatic = step.automatic and leaves_by_itself(drawn, self.policy)
        kept = None if automatic or not self.proposals else self._kept(drawn)
        until = None
        if self.client.contacts and self.policy.contact_gap_days:
            round_on = as_of if kept is None else kept.opened_on
            until = contact_over_on(self.client, self.policy, round_on)
            if until is not None and until > as_of:
                reasons = together(reasons, (exclusions.CONTACTED_RECENTLY,))
                self.changes.add(until)
            else:
                until = None
        if automatic and data_is_stale(self.client, self.policy, as_of):
            reasons = together(reasons, (exclusions.STALE_DATA,))
            self.changes.add(as_of + ONE_DAY)  # the next round looks again, whatever is heard until then
        verdict: Verdict
        if reasons:
            verdict = Excluded(step.name, reasons, until)
        elif kept is not None:
            self.proposals.remove(kept)
            verdict = Due(step.name, kept.action_id)
        elif (opens := self._opens(step)) > as_of:
            self._wait_for(opens, drawn, automatic)
            return
        else:
            planned = plan_action(self.client, self.policy, self.plan, drawn)
            if automatic:
                planned = planned._replace(automatic=True)
            self.actions.append(planned)
            verdict = Due(step.name, planned.action_id)
        for member in drawn.members:
            self.verdicts[member.entry.entry_id] = verdict

    def _kept(self, drawn: Draft) -> OpenAction | None:
        """The proposal that says what would be proposed now."""
        return next((one for one in self.proposals if same_message(one, drawn, self.policy)), None)

    def _opens(self, step: Step) -> date:
        """The first day, from today on, on which something new may be said by this step (rule 4.16)."""
        return self.as_of if step.calendar is None else step.calendar.opens(self.as_of, self.since)

    def _wait_for(self, opens: date, drawn: Draft, automatic: bool) -> None:
        """On a closed day nothing new is said; what a person was asked before stays, less what was paid since."""
        step = drawn.step
        held: set[str] = set()
        if not automatic:
            for proposal in self.proposals:
                if proposal.step == step.name and proposal.currency == drawn.currency:
                    held.update(entry.entry_id for entry in proposal.entries)
        asked = [member for member in drawn.members if member.entry.entry_id in held]
        for member in drawn.members:
            if member.entry.entry_id not in held:
                self.verdicts[member.entry.entry_id] = NotDue(step.name, opens)
                self.changes.add(opens)
        if not asked:
            return
        smaller = draft(step, drawn.currency, asked, self.policy)
        kept = self._kept(smaller)
        verdict: Verdict
        if smaller.reasons:
            verdict = Excluded(step.name, smaller.reasons)
        elif kept is not None:
            self.proposals.remove(kept)
            verdict = Due(step.name, kept.action_id)
        else:
            planned = plan_action(self.client, self.policy, self.plan, smaller)
            self.actions.append(planned)
            verdict = Due(step.name, planned.action_id)
        for member in asked:
            self.verdicts[member.entry.entry_id] = verdict

    def thank(self) -> None:
        """Thank for payments (rule 12); nobody who is not to be reminded, nobody whom the company owes money."""
        if self.against:
            return
        confirmed = [one for one in self.client.open_actions if one.step == THANKS and one.confirmed]
        for one in gratitude(self.client, self.plan):
            if one.until < self.as_of or any(thanks_for(action, one.group) for action in confirmed):
                continue
            if one.on > self.as_of:
                self.changes.add(one.on)
                continue
            self.changes.add(one.until + ONE_DAY)
            self._thank_for(one)

    def _thank_for(self, one: Gratitude) -> None:
        automatic = one.step.automatic and self.policy.automatic_from is not None
        kept = None if automatic else next((own for own in self.proposals if same_thanks(own, one)), None)
        if kept is not None:
            self.proposals.remove(kept)
            return
        if self.client.contacts and self.policy.contact_gap_days:
            until = contact_over_on(self.client, self.policy, self.as_of)
            if until is not None and until > self.as_of:
                self.changes.add(until)
                return
        if (opens := self._opens(one.step)) > self.as_of:
            self.changes.add(opens)
        elif automatic and data_is_stale(self.client, self.policy, self.as_of):
            self.changes.add(self.as_of + ONE_DAY)
        else:
            self.actions.append(plan_thanks(self.client, self.policy.mode, one, automatic))

    def _advance_silently(self, look: Look) -> None:
        assert self.plan is not None
        assert look.pending is not None
        entry, step = look.entry, look.pending.step
        if self.stop:
            self.verdicts[entry.entry_id] = Excluded(
                step.name, together(self.stop, (exclusions.NET_NOT_POSITIVE,))
            )
            return
        self.moves.append(SilentMove(entry.entry_id, entry.level, step.level))
        moved = entry._replace(level=step.level, reminded_on=self.as_of)
        coming = dates_of(self.plan, self.as_of).of(moved)
        assert coming.asleep is not None  # an entry never has two steps on one day
        self.verdicts[entry.entry_id] = coming.asleep
        if coming.changes_on is not None:
            self.changes.add(coming.changes_on)

    def withdraw_the_rest(self) -> None:
        for action in (*self.lapsed, *self.proposals):
            if action.step == THANKS:
                why = why_withdrawn(action, self.client, self.plan, self.against, self.as_of)
                reason = SUPERSEDED if why is None else why
            else:
                against = self._against_action(action)
                reason = withdrawal_reason(action, self.looks, self.verdicts, against, self.policy)
            self.withdrawals.append(Withdrawal(action.action_id, reason))

    def _against_action(self, action: OpenAction) -> tuple[str, ...]:
        return self.against if action.step == NOTICE else self.against_reminders

    def decision(self) -> Decision:
        return Decision(
            profile=self.client.profile or self.policy.default_profile,
            scenario_version=0 if self.scenario is None else self.scenario.version,
            verdicts=self.verdicts,
            actions=self.actions,
            moves=self.moves,
            withdrawals=self.withdrawals,
            next_on=min(self.changes, default=None),
            policy_version=self.policy.version,
            sleeping=self.sleeping,
        )
