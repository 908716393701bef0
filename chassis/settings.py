"""Knobs that every service has, read from ``RELANCE_*`` variables.

A secret, or a URL that holds one, may come from a file: ``RELANCE_DATABASE_URL_FILE=/run/secrets/db``.
A service adds its own knobs in a subclass, in its ``settings.py``.
"""

import os
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "RELANCE_"


class SettingsFileMissing(Exception):
    """A ``RELANCE_*_FILE`` variable names a file that cannot be read."""

    def __init__(self, variable: str, path: str) -> None:
        super().__init__(f"{variable} names {path}, which cannot be read")
        self.variable = variable
        self.path = path


class _FromFiles(PydanticBaseSettingsSource):
    """Reads ``RELANCE_<NAME>_FILE`` for every field whose own name is not already that of a file."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = f"{PREFIX}{field_name.upper()}_FILE"
        path = os.environ.get(variable)
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except OSError as unreadable:
            raise SettingsFileMissing(variable, path) from unreadable

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
            if not name.endswith("_file")
        }
        return {name: value for name, value in found.items() if value is not None}


class Settings(BaseSettings):
    """What a service needs to run. Lengths of time are seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", hide_input_in_errors=True)

    database_url: str = Field(default="", repr=False)
    """Where workers write, as ``<service>_worker``: ``postgresql+psycopg://…``."""
    api_database_url: str = Field(default="", repr=False)
    """Where HTTP requests read and write, as ``<service>_api``, under row-level security."""
    owner_database_url: str = Field(default="", repr=False)
    """Where migrations run, as ``<service>_owner``. Only ``migrate`` and ``rebuild`` need it."""
    nats_url: str = Field(default="nats://127.0.0.1:4222", repr=False)

    http_host: str = "127.0.0.1"
    http_port: int = 8000

    token_public_key_file: Path | None = None
    """Ed25519 public key (PEM) that verifies people and operators; those of services lie beside it, as
    ``<service>.pem``."""
    token_private_key_file: Path | None = None
    """Ed25519 private key (PEM) with which a service signs its own calls to its neighbours; the console signs for
    people with it."""
    allow_as_of: bool = False
    """Let callers choose the business date by the ``Relance-As-Of`` header: tests, demonstrations, trials."""

    sync_url: str = "http://127.0.0.1:8001"
    ledger_url: str = "http://127.0.0.1:8002"
    dunning_url: str = "http://127.0.0.1:8003"
    notify_url: str = "http://127.0.0.1:8004"
    reporting_url: str = "http://127.0.0.1:8005"

    pool_size: int = 10
    """Connections that each of the two engines of a process may hold."""
    lag_limit: float = 60.0
    """Readiness names the streams that are heard later than this."""
    otlp_endpoint: str | None = None
    """``http://collector:4318``; traces are exported only when it is set."""
    log_level: str = "INFO"
    stop_within: float = 15.0
    """How long a process may take to finish what it is doing when it is asked to stop."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _FromFiles(settings_cls)
