"""How often debtors' pages may be asked for."""

from services.console import pace


def test_so_many_knocks_a_minute_and_no_more() -> None:
    held = pace.Pace(2)
    assert [held.allows("link", at) for at in (0.0, 30.0, 59.9)] == [True, True, False]
    assert held.allows("another", 59.9)
    assert held.allows("link", 60.0), "the first knock is a minute old"
    assert not held.allows("link", 60.1)


def test_refused_knocks_do_not_count() -> None:
    held = pace.Pace(1)
    assert [held.allows("link", at) for at in (0.0, 10.0, 20.0, 60.0)] == [True, False, False, True]


def test_names_of_long_ago_are_forgotten() -> None:
    held = pace.Pace(1)
    for number in range(pace.REMEMBERED + 5):
        held.allows(str(number), 0.0)
    assert len(held._knocks) == pace.REMEMBERED
