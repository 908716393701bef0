"""Columns of texts on their way as one text each."""

from hypothesis import given
from hypothesis import strategies as st

from chassis.one_text import one_text

texts = st.lists(st.tuples(st.text(), st.text(alphabet="\x01\x02é")))


@given(texts)
def test_texts_are_taken_apart_where_they_were_joined(rows: list[tuple[str, str]]) -> None:
    columns = {"a": [a for a, _ in rows], "b": [b for _, b in rows]}
    told = one_text(columns)
    for name, values in columns.items():
        # as string_to_array and the slice do; PostgreSQL makes nothing of an empty text
        apart = str(told[name]).split(str(told["between"])) if told[name] else []
        assert apart[: int(told["many"])] == values
