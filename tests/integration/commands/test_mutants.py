"""How the command that changes the domains for the worse counts what the specs noticed."""

from cli.mutants import report, scores

FOUND = [
    ("services.dunning.domain.triggers.x_pending__mutmut_1", "killed"),
    ("services.dunning.domain.triggers.x_pending__mutmut_2", "timeout"),
    ("services.dunning.domain.triggers.x_pending__mutmut_3", "survived"),
    ("services.dunning.domain.policy.x_load__mutmut_1", "no tests"),
    ("services.dunning.domain.policy.x_load__mutmut_2", "not checked"),
]


def test_what_no_spec_reaches_has_survived_and_what_was_not_run_does_not_count():
    told = report(scores(FOUND))
    assert told["services.dunning.domain.triggers"] == {
        "score": 0.6667,
        "killed": 2,
        "survived": 1,
        "unchecked": 0,
    }
    assert told["services.dunning.domain.policy"] == {"score": 0.0, "killed": 0, "survived": 1, "unchecked": 1}
    assert told["all"] == {"score": 0.5, "killed": 2, "survived": 2, "unchecked": 1}
    assert told["survivors"] == [FOUND[2][0], FOUND[3][0]]


def test_nothing_run_is_no_score():
    assert report(scores([]))["survivors"] == []
