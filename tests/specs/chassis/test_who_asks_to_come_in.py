"""What NATS asks of somebody who connects."""

from chassis.issuing import Question


def test_a_question_that_is_told_does_not_tell_the_password() -> None:
    assert "secret-word" not in repr(Question("server", "key", "acme", "secret-word"))
