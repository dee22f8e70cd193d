"""Every setting of the product: its name, default, unit and meaning. Read once, passed in, never fetched deeper down.

Each field is set by the environment variable `STRATA_<FIELD>` (upper case). Lists and maps are JSON.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from strata.errors import FieldError, Invalid

Days = Annotated[float, Meta(ge=1)]


class Settings(Struct, frozen=True, kw_only=True):
    """All settings. `development` brings sandbox, embedded database and demo clients; `production` brings none."""

    profile: Literal["development", "production"] = "development"
    """`development` or `production`; production needs a database, a secret key and a connections file of its own."""
    data_dir: Path = Path(".strata")
    """Where the embedded database, credentials, logs and the sandbox keep their files."""
    host: str = "127.0.0.1"
    """Address the gateway (or the served service) binds to."""
    port: int = 8080
    """Port of the gateway; the sandboxes use port + 11 and following."""
    public_url: str = ""
    """How callers reach the gateway, e.g. `https://api.example.com`. Default `http://{host}:{port}`."""
    database_url: str = ""
    """PostgreSQL URL. Empty in development: the embedded PostgreSQL."""
    database_pool: int = 10
    """Connections to PostgreSQL for each process."""
    redis_url: str = ""
    """Redis for limits shared by several gateways. Empty: counters in memory, for one gateway."""
    secret_key: str = ""
    """Secret of at least 32 characters from which internal keys are derived. Made at first start in development."""
    service_urls: dict[str, str] = {}
    """Service name -> base URL, for services that run elsewhere (scaled-out form). Those not named run in process."""
    service_name: str = "strata"
    """Name of this process in traces, logs and internal tokens."""
    connections_file: str = ""
    """TOML file of the backend connections. Empty in development: the sandbox's."""
    openapi_dir: Path = Path(__file__).resolve().parent.parent / "openapi"
    """Folder of the committed contracts."""
    otlp_endpoint: str = ""
    """OTLP/HTTP endpoint for traces and metrics, e.g. `http://127.0.0.1:4318`. Empty: no export."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged."""
    call_timeout_s: float = 60.0
    """Longest a call inside the house may take before it is given up."""
    worker_capacity: int = 32
    """Runs that one process worker has in hand at once."""
    worker_dead_after_s: float = 15.0
    """A worker silent for so long is taken for dead and its runs are taken over."""
    keep_runs_days: Days = 30.0
    """How long a run is kept after its end, with its steps. What failed or waits stays until somebody ends it."""
    keep_events_days: Days = 7.0
    """How long a webhook is kept after it came, and with it the id that tells its redelivery; longer while a run of it
    is open."""
    fulfilment_poll_s: float = 10.0
    """How often ERPs are asked for new fulfilments (flow O2C-04)."""
    sweep_s: float = 300.0
    """How often channels are asked for orders whose webhook never came (flow O2C-08)."""
    sweep_overlap_s: float = 300.0
    """How far a poll or sweep looks back behind its watermark."""
    hold_check_s: float = 3600.0
    """How often a held order is looked at again without any event."""
    plan_rate_per_min: int = 600
    """Requests a minute that the standard plan allows each client."""
    publications_file: str = ""
    """TOML file of what the gateway publishes. Empty: the one that ships with it."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names the gateway answers for besides that of `public_url` and loopback. JSON list; `["*"]` is any."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks whose `X-Forwarded-For` is believed. JSON list of networks."""
    metrics_allowed: tuple[str, ...] = ()
    """Networks that may read `/metrics`. JSON list of networks. Empty: loopback."""

    @property
    def base_url(self) -> str:
        """How callers reach the gateway."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def sandbox_base_port(self) -> int:
        """First port of the sandboxes."""
        return self.port + 11

    def check(self) -> None:
        """Raise Invalid when the profile lacks something that must not be left to a default."""
        errors = self.lacking()
        if errors:
            raise Invalid("The settings are not complete for this profile", errors=errors)

    def lacking(self) -> tuple[FieldError, ...]:
        """What the profile needs and nobody has set."""
        errors: list[FieldError] = []
        if self.profile == "production":
            if not self.database_url:
                what = "the production profile has no embedded database: set STRATA_DATABASE_URL"
                errors.append(FieldError(what, "/database_url"))
            if len(self.secret_key) < 32:
                errors.append(FieldError("STRATA_SECRET_KEY must have at least 32 characters", "/secret_key"))
        return tuple(errors)


def _parse(name: str, text: str, annotation: Any) -> Any:
    try:
        if annotation in {dict[str, str], tuple[str, ...]}:
            return msgspec.json.decode(text.encode(), type=annotation)
        return msgspec.convert(text, annotation, strict=False, dec_hook=_decode_path)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise Invalid(
            f"STRATA_{name.upper()} is not valid", errors=(FieldError(str(error), f"/{name}", value=text[:80]),)
        ) from error


def _decode_path(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise TypeError(f"no setting is a {kind}")


def load(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """The settings of this process: defaults, then the environment, then `overrides` (of the command line).

    Raises Invalid naming the variable that is wrong.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        text = environ.get(f"STRATA_{field.name.upper()}")
        if text is not None and text != "":
            values[field.name] = _parse(field.name, text, field.type)
    values |= {name: value for name, value in overrides.items() if value is not None}
    settings = Settings(**values)
    return msgspec.structs.replace(settings, data_dir=Path(settings.data_dir).absolute())
