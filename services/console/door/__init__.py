"""The debtors' own pages (rule 13.8): a door beside that of users, without login, session or cookie.

Whoever shows a link that notify made gets, for each page, a token that reads and answers for one client; the door
itself has no right to anything.
"""

from services.console.door.app import door

__all__ = ["door"]
