"""What the messages of one company and day have in common, and what each is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from contracts.dunning import Action
from contracts.late_interest import Claim
from services.notify.addressing import Recipients, addressed_to, recipients
from services.notify.delivered import Draft, Key, Text, choose
from services.notify.document_links import with_links
from services.notify.domain import LinkedDocument, Person, Sender, Subjects, statement
from services.notify.formats import Medium
from services.notify.messages import usable_addresses
from services.notify.queries import Looked, Totals
from services.notify.signing import Signature


@dataclass(frozen=True, slots=True)
class Desk:
    """What all messages of one company and day share."""

    company: str
    as_of: date
    sender: Sender
    templates: Mapping[Key, Text]
    drafts: Mapping[UUID, Draft]
    looked: Mapping[UUID, Looked]
    totals: Mapping[tuple[str, str], Totals]
    people: Mapping[str, Person]
    copies: Mapping[UUID, str] = field(default_factory=dict)
    spaces: Mapping[str, str] = field(default_factory=dict)
    """The private link of each client; an example in previews, none where no space is offered (rule 13.8)."""
    signature: Signature | None = None
    signature_is_sealed: bool = False
    """The company signs, but its key cannot be read."""
    consents: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By client, who agreed that opening a message is told; empty where the company does not track it."""
    claims: Mapping[str, Mapping[str, Claim]] = field(default_factory=dict)
    """By client and entry, of businesses that are late."""
    _recipients: dict[UUID, Recipients] = field(default_factory=dict)
    """By action, found once: they are asked for whenever something of the message depends on them."""

    def wants_invoices(self, looked: Looked) -> bool:
        """Whether the documents of its invoices go with it; a thank-you asks for none."""
        draft = self.draft_of(looked)
        chosen = None if draft is None else draft.attach_invoices
        wanted = self.sender.attach_invoices and looked.action.kind != "thanks" if chosen is None else chosen
        return wanted and looked.action.medium == "email"

    def links_invoices(self, looked: Looked) -> bool:
        """Whether links to them stand in a text that the company wrote; a person's own text says so itself."""
        wanted = self.sender.link_invoices and looked.action.kind != "thanks"
        return wanted and looked.action.medium == "email"

    def draft_of(self, looked: Looked) -> Draft | None:
        """What a person wrote for this message."""
        return None if looked.draft_id is None else self.drafts.get(looked.draft_id)

    def text_for(self, looked: Looked, language: str, medium: Medium) -> tuple[Text, str]:
        """A person's draft, or the template of the step. Raises ``TemplateMissing``."""
        draft = self.draft_of(looked)
        if draft is not None and draft.text is not None:
            return draft.text, language
        found, language = choose(self.templates, looked.action.template, looked.action.step, medium, language)
        return (with_links(found) if self.links_invoices(looked) else found), language

    def recipients_of(self, looked: Looked) -> Recipients:
        """Those that a person named, else those of rules 19.1 and 4.14."""
        known = self._recipients.get(looked.action.action_id)
        if known is None:
            known = self._recipients[looked.action.action_id] = self._find_recipients(looked)
        return known

    def _find_recipients(self, looked: Looked) -> Recipients:
        usual = self.receivers(looked.action)
        draft = self.draft_of(looked)
        if draft is None:
            return usual
        to = usual.to if draft.to is None else usable_addresses(draft.to)
        copies = usual.copies if draft.copies is None else usable_addresses(draft.copies)
        return replace(usual, to=to, copies=tuple(email for email in copies if email not in to))

    def sender_of(self, looked: Looked) -> Sender:
        """The company, in the name of the person who writes where one was chosen; answers go to that person."""
        draft, action = self.draft_of(looked), looked.action
        space_url = self.spaces.get(action.client_id, "") if action.medium == "email" else ""
        sender = replace(self.sender, space_url=space_url) if space_url else self.sender
        if draft is None or draft.sender_name is None:
            return sender
        if not draft.reply_to:
            return replace(sender, name=draft.sender_name)
        return replace(sender, name=draft.sender_name, reply_to=draft.reply_to, person=draft.reply_to)

    def addressed(self, looked: Looked) -> Person:
        """The person as a message of this action speaks to it."""
        person = addressed_to(self.people[looked.action.client_id], self.recipients_of(looked))
        draft = self.draft_of(looked)
        return person if draft is None or draft.address is None else replace(person, address=draft.address)

    def receivers(self, action: Action) -> Recipients:
        """Who gets the mail: the client's people, and in copy those whom the step names (rule 4.14)."""
        found = recipients(self.people[action.client_id], action)
        named = usable_addresses([self.copies[copy_id] for copy_id in action.copies if copy_id in self.copies])
        known = {*found.to, *found.copies}
        more = tuple(email for email in named if email not in known) if found.to else ()
        return replace(found, copies=(*found.copies, *more))

    def subjects(
        self,
        looked: Looked,
        texts: Mapping[str, str],
        pixel_url: str = "",
        documents: tuple[LinkedDocument, ...] = (),
    ) -> Subjects:
        action = looked.action
        owed = self.totals.get((action.client_id, action.currency), Totals())
        return Subjects(
            action=action,
            statement=statement(action, looked.now.entries, self.as_of, texts),
            person=self.addressed(looked),
            sender=self.sender_of(looked),
            overdue=owed.overdue,
            upcoming=owed.upcoming,
            as_of=self.as_of,
            pixel_url=pixel_url,
            claims=self.claims.get(action.client_id, {}),
            documents=documents,
        )
