"""What an agent is told: where sync is, and which bases it looks after. Secrets stay in files or variables."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Slug = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]


class ConfigurationRefused(Exception):
    """The file cannot be used; the text says what is wrong with it, and where."""


class BaseConfiguration(BaseModel):
    """One base. Its address (``mssql+pymssql://login:password@server/BASE``) is in ``address_file`` or in the
    environment variable ``address_variable``, never in the configuration itself."""

    model_config = ConfigDict(extra="forbid")

    company: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
    connector: Slug
    kind: Literal["sage100"] = "sage100"
    address_file: Path | None = None
    address_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None

    def address(self) -> str:
        """Read anew each time, so that a changed password needs no restart. Raises ``ConfigurationRefused``."""
        place = f"{self.company}/{self.connector}"
        if self.address_file is not None:
            return _secret(self.address_file, f"the address of {place}")
        found = os.environ.get(self.address_variable or "")
        if not found:
            raise ConfigurationRefused(f"{place}: name an address_file, or an address_variable that is set")
        return found


class Configuration(BaseModel):
    """``token_file`` holds the token that sync knows the agent by (``relance connector-token`` makes one)."""

    model_config = ConfigDict(extra="forbid")

    sync_url: str
    token_file: Path
    bases: list[BaseConfiguration] = Field(alias="base", min_length=1)

    def token(self) -> str:
        """Read anew each time, so that it can be renewed. Raises ``ConfigurationRefused``."""
        return _secret(self.token_file, "the token")


def _secret(file: Path, what: str) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as unreadable:
        raise ConfigurationRefused(f"{what} cannot be read from {file}") from unreadable


def read(file: Path) -> Configuration:
    """The configuration of a TOML file; relative paths in it count from its folder. Raises
    ``ConfigurationRefused``."""
    try:
        told: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        found = Configuration.model_validate(told)
    except OSError as unreadable:
        raise ConfigurationRefused(f"{file} cannot be read") from unreadable
    except tomllib.TOMLDecodeError as broken:
        raise ConfigurationRefused(f"{file}: {broken}") from broken
    except ValidationError as invalid:
        faults = invalid.errors(include_input=False, include_url=False, include_context=False)
        words = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        raise ConfigurationRefused(f"{file}: {words}") from invalid
    folder = file.resolve().parent
    bases = [
        base.model_copy(update={"address_file": folder / base.address_file}) if base.address_file else base
        for base in found.bases
    ]
    return found.model_copy(update={"bases": bases, "token_file": folder / found.token_file})
