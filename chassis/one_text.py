"""Many texts as one parameter of a statement.

An array of texts is spelled element by element on its way to PostgreSQL, which of tens of thousands costs more
than what is done with them there; one text with a sign between is made and taken apart at once.
"""

from collections.abc import Mapping, Sequence


def one_text(columns: Mapping[str, Sequence[str]]) -> dict[str, str | int]:
    """Each column as one text, as ``between`` the sign that ends each value, which none of them holds, and as
    ``many`` how many values each has."""
    for code in range(1, 0xD800):  # most often the first
        between = chr(code)
        texts = {name: between.join([*values, ""]) for name, values in columns.items()}
        if all(text.count(between) == len(columns[name]) for name, text in texts.items()):
            many = max(map(len, columns.values()), default=0)
            return {**texts, "between": between, "many": many}
    raise ValueError("every sign stands in the texts")


def unnest(*columns: str) -> str:
    """The set-returning function that gives these columns of ``one_text`` back, side by side, as texts."""
    apart = (f"(string_to_array(%({name})s, %(between)s))[:%(many)s]" for name in columns)
    return f"unnest({', '.join(apart)})"
