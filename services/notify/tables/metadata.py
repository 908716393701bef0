"""What notify's tables belong to. Never qualified: the search path says which schema."""

from sqlalchemy import MetaData

metadata = MetaData()
