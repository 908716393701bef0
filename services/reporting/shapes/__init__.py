"""The JSON that reporting answers, one model per endpoint.

Every endpoint stands under ``/companies/{company}`` and is a GET; ``as_of`` (ISO date, default: the company's
business date) decides what is late, paid or stale. Amounts are exact decimal strings with at least two decimals,
in the bookkeeping currency unless a ``currency`` stands beside them; rounding is left to whoever displays them
(rule 1.7). Dates are ISO dates, instants ISO 8601 in UTC. Lists never hold more than ``size`` rows.

Errors are problem+json: 401 without a good token, 404 for a company that the caller may not see or a client never
heard of, 422 for a parameter that means nothing.

==================  ==============================================================================  ===========
endpoint            parameters (all optional unless marked !)                                       answers
==================  ==============================================================================  ===========
/home               as_of                                                                           Home
/who-owes-what      as_of, stopped (true|false), level (R1..R7|none, repeatable), profile           WhoOwesWhat
                    (repeatable), payment_mode (repeatable), category (repeatable), q,
                    salesperson (code|none, repeatable), tag1..tag10 (what a free field holds,
                    repeatable), late, automatic (true|false), balance (debtor|creditor|all; debtor),
                    slices ("30,60"),
                    sort (name|profile|level|last_reminder|overdue|upcoming|total|salesperson|
                    tag1..tag10|slice1..sliceN;
                    prefix "-" = descending; -overdue), page (1), size (15, at most 500),
                    format (json|csv|xlsx), language (fr|en, of csv and xlsx headings)
/client             client_id!, as_of, statement_on (the statement as of a past day)                ClientPage
/clients            as_of, q, stopped, level, profile, category, payment_mode, sort, page, size,    WhoOwesWhat
                    format: as /who-owes-what with every client, also those who owe nothing
                    (balance=all)
/activities         as_of, client_id, actor, medium, kind, status (each repeatable), since, until,  Activities
                    sort (-on|on), page, size, format
/promises           as_of, status (late|expected|kept|cancelled, repeatable; late and expected),    Promises
                    client_id, salesperson (code|none, repeatable), page, size, format
/disputes           as_of, status (open|closed, repeatable; open), reason (repeatable), client_id,      Disputes
                    page, size, format
/mentions           user! (user:…), as_of: notes of the last 30 days that call on a user            Mentions
/timeline           as_of: the events of flagged clients                                            Timeline
/receipts           as_of, client_id, since, until (the fiscal year), page, size, format            Receipts
/due-items          as_of, client_id, medium, step, automatic, disputed (true|false), profile,      DueItems
                    payment_mode, salesperson (each repeatable), page, size, format: entries of
                    pending actions
/forecast           as_of, weeks (8, at most 26), cards (12, at most 50): when money is expected, by    Forecast
                    week and month
/expected           as_of, since, until, page, size, format: open lines by the day they are         ExpectedEntries
                    expected
/payers             as_of, score (A..E, repeatable), page, size, format: DSO, delays and scores        Payers
/search             q! (two characters or more), limit (8): names, codes, pieces                    Found
/options            values that the filters can take                                                Options
==================  ==============================================================================  ===========
"""

from services.reporting.shapes.client import (
    ClientPage,
    ContactSummary,
    EntryPromise,
    PendingAction,
    Statement,
    StatementEntry,
)
from services.reporting.shapes.clients import ClientField, Debtor, Salesperson, Slice, Totals, WhoOwesWhat
from services.reporting.shapes.forecast import (
    ExpectedEntries,
    ExpectedEntry,
    Forecast,
    ForecastMonth,
    ForecastWeek,
    Objective,
    ObjectiveMonth,
)
from services.reporting.shapes.history import Activities, Activity, ActivityPiece
from services.reporting.shapes.home import (
    AgeingBucket,
    Alert,
    AlertKind,
    Alerts,
    Check,
    Checks,
    ClientAmount,
    Home,
    LastSync,
    LetteringError,
    MediumToRemind,
    Owed,
    Paid,
    Share,
    ToRemind,
    Week,
)
from services.reporting.shapes.lists import (
    DisputeLine,
    Disputes,
    DueItem,
    DueItems,
    FieldOptions,
    Found,
    FoundClient,
    FoundPiece,
    Mention,
    Mentions,
    Options,
    PromiseLine,
    Promises,
    Receipt,
    Receipts,
    Timeline,
    TimelineEvent,
)
from services.reporting.shapes.parts import Medium, Money, Shape, exact
from services.reporting.shapes.payers import Payer, Payers, ScoreShare

__all__ = [
    "Activities",
    "Activity",
    "ActivityPiece",
    "AgeingBucket",
    "Alert",
    "AlertKind",
    "Alerts",
    "Check",
    "Checks",
    "ClientAmount",
    "ClientField",
    "ClientPage",
    "ContactSummary",
    "Debtor",
    "DisputeLine",
    "Disputes",
    "DueItem",
    "DueItems",
    "EntryPromise",
    "ExpectedEntries",
    "ExpectedEntry",
    "FieldOptions",
    "Forecast",
    "ForecastMonth",
    "ForecastWeek",
    "Found",
    "FoundClient",
    "FoundPiece",
    "Home",
    "LastSync",
    "LetteringError",
    "Medium",
    "MediumToRemind",
    "Mention",
    "Mentions",
    "Money",
    "Objective",
    "ObjectiveMonth",
    "Options",
    "Owed",
    "Paid",
    "Payer",
    "Payers",
    "PendingAction",
    "PromiseLine",
    "Promises",
    "Receipt",
    "Receipts",
    "Salesperson",
    "ScoreShare",
    "Shape",
    "Share",
    "Slice",
    "Statement",
    "StatementEntry",
    "Timeline",
    "TimelineEvent",
    "ToRemind",
    "Totals",
    "Week",
    "WhoOwesWhat",
    "exact",
]
