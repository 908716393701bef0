"""When a planned slot comes: on the company's own clock."""

from datetime import UTC, datetime

import pytest

from services.sync.inlets.slots import CronUnreadable, next_time


@pytest.mark.parametrize(
    ("cron", "after", "zone", "comes"),
    [
        pytest.param("30 6 * * 1-5", "2026-11-20T05:29", "Europe/Paris", "2026-11-20T05:30", id="this morning"),
        pytest.param("30 6 * * 1-5", "2026-11-20T05:30", "Europe/Paris", "2026-11-23T05:30", id="after a weekend"),
        pytest.param("30 6 * * *", "2026-11-20T05:30", "America/Montreal", "2026-11-20T11:30", id="elsewhere"),
        pytest.param(
            "0 8,12,18 * * *", "2026-07-01T07:00", "Europe/Paris", "2026-07-01T10:00", id="several a day"
        ),
        pytest.param(
            "30 2 * * *", "2026-03-29T00:00", "Europe/Paris", "2026-03-29T01:00", id="an hour that is not"
        ),
        pytest.param(
            "30 2 * * *", "2026-10-25T00:30", "Europe/Paris", "2026-10-26T01:30", id="an hour that is twice"
        ),
    ],
)
def test_the_next_time(cron: str, after: str, zone: str, comes: str) -> None:
    instant = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert next_time(cron, instant, zone).astimezone(UTC) == datetime.fromisoformat(comes).replace(tzinfo=UTC)


@pytest.mark.parametrize("cron", ["", "60 6 * * *", "6h30", "0 0 31 2 *", "* * * *"])
def test_what_is_no_time(cron: str) -> None:
    with pytest.raises(CronUnreadable):
        next_time(cron, datetime(2026, 11, 20, tzinfo=UTC), "Europe/Paris")
