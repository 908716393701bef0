"""Many texts as one parameter of a statement.

An array of texts is spelled element by element on its way to PostgreSQL, which of tens of thousands costs more
than what is done with them there; one text with a sign between is made and taken apart at once.
"""

from collections.abc import Mapping, Sequence


def one_text(columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Each column as one text, and as ``between`` the sign that ends each value, which none of them holds."""
    for code in range(1, 0xD800):  # most often the first
        between = chr(code)
        texts = {name: between.join([*values, ""]) for name, values in columns.items()}
        if all(text.count(between) == len(columns[name]) for name, text in texts.items()):
            return {**texts, "between": between}
    raise ValueError("every sign stands in the texts")


def unnest(*columns: str) -> str:
    """The set-returning function that gives these columns of ``one_text`` back, side by side, as texts."""
    apart = (f"trim_array(string_to_array(%({name})s, %(between)s), 1)" for name in columns)
    return f"unnest({', '.join(apart)})"
