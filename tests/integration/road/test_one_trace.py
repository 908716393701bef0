"""The main job is one trace, from the file to the mail, over HTTP, NATS, SQL and SMTP."""

from datetime import date

import pytest

from cli.books import FILE_NAME, write_fec
from cli.tracing.collector import Span
from cli.tracing.story import Story, traced_run
from cli.tracing.waterfall import bars_of, page


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    file = tmp_path_factory.mktemp("story") / FILE_NAME
    write_fec(file, 60, clients=8)
    return traced_run(file, "traced", date(2026, 6, 1), "example.org")


def _above(story: Story, span: Span) -> list[str]:
    """The names from a span up to the first."""
    known = {one.span: one for one in story.spans}
    names = [span.name]
    while span.parent in known:
        span = known[span.parent]
        names.append(span.name)
    return names


def test_every_service_tells_its_part_and_every_part_has_its_reason(story: Story) -> None:
    assert story.done["mails_received"] > 0
    assert {span.service for span in story.spans} == {
        "caller", "sync", "ledger", "dunning", "notify", "reporting",
    }  # fmt: skip
    assert {_above(story, span)[-1] for span in story.spans} == {"the main job of traced"}


def test_an_import_is_followed_from_the_request_to_whoever_heard_of_it(story: Story) -> None:
    heard = [_above(story, span) for span in story.spans if span.name == "dunning hears ledger"]
    assert [
        "dunning hears ledger",
        "ledger hears sync",
        "import carried out",
        "POST /companies/{company}/imports",
        "the main job of traced",
    ] in heard


def test_a_mail_is_followed_from_the_confirmation_to_the_mail_server(story: Story) -> None:
    sent = [_above(story, span) for span in story.spans if span.name == "SMTP"]
    assert len(sent) == story.done["mails_received"]
    road = ["SMTP", "notify hears dunning", "POST /confirm", "the main job of traced"]
    assert [names for names in sent if names != road] == []


def test_no_name_of_a_span_tells_of_a_client_or_a_person(story: Story) -> None:
    names = {span.name for span in story.spans} - {"the main job of traced"}
    assert [name for name in names if "example.org" in name or "traced" in name] == []


def test_the_picture_shows_each_kind_of_work_once_below_its_reason(story: Story) -> None:
    bars = bars_of(story.spans)
    assert sum(bar.count for bar in bars) == len(story.spans)
    assert bars[0].name == "the main job of traced"
    assert all(0 <= bar.left <= 100 and bar.left + bar.width <= 101 for bar in bars)
    drawn = page("A <story>", story.spans)
    assert "A &lt;story&gt;" in drawn
    assert drawn.count("<tr><td") == len(bars)
