"""A problem in words: what is wrong, and what to do about it, in English and in French."""

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """``{name}`` in a text stands for a detail of the problem."""

    message: str
    remedy: str
    message_fr: str
    remedy_fr: str

    def told(self, language: str, details: Mapping[str, str]) -> tuple[str, str]:
        """Message and remedy in ``fr`` or else in English. Raises ``KeyError`` on a detail that is not there."""
        message, remedy = (self.message_fr, self.remedy_fr) if language == "fr" else (self.message, self.remedy)
        return message.format_map(details), remedy.format_map(details)
