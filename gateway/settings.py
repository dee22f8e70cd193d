"""Every setting of the gateway: default, unit, meaning. Read once by whoever starts it, passed in, never fetched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from gateway.core.admit import WireLimits
from gateway.core.problem import DEFAULT_BASE

LOOPBACK = ("127.0.0.0/8", "::1/128")


class GatewaySettings(Struct, frozen=True, kw_only=True):
    """public_url is the one that has no default worth using elsewhere: every link in an answer starts with it."""

    public_url: str = "http://127.0.0.1:8080"  # issuer and start of all links; no trailing slash
    problem_base: str = DEFAULT_BASE  # start of the `type` of our own problems
    publications: Path | None = None  # None = the file that ships with the gateway
    secret_key: str = ""  # Fernet key (32 bytes, URL-safe base64) for keys at rest
    data_dir: Path | None = None  # where a development key is made once (mode 0600) when none is given
    allowed_hosts: tuple[str, ...] = ()  # besides public_url and loopback; "*" = any
    trusted_proxies: tuple[str, ...] = ()  # networks whose X-Forwarded-For is believed
    metrics_allowed: tuple[str, ...] = LOOPBACK  # networks that may read /metrics
    plan_quotas: Mapping[str, int] = MappingProxyType({})  # plan -> quota, instead of the one in the publications
    token_lifetime_s: int = 900
    clock_skew_s: int = 30  # tolerated when iat and nbf are checked
    token_cache_size: int = 10_000  # verified tokens kept, each for at most token_cache_s
    token_cache_s: int = 60
    issuing_limit: str = "600/minute"  # requests per address at the token endpoint
    guessing_limit: str = "10/minute"  # refused client authentications per address
    portal_limit: str = "600/minute"  # requests per address of the portal's pages
    upstream_timeout_s: float = 30.0  # until the answer starts
    analytics_flush_s: float = 5.0
    analytics_max_rows: int = 20_000  # rows that wait in memory while the database is away
    access_log: bool = True
    hsts: bool | None = None  # None = when public_url is https
    wire: WireLimits = WireLimits()

    @property
    def token_url(self) -> str:
        return f"{self.public_url}/oauth/token"

    @property
    def secure(self) -> bool:
        """Is the gateway published over TLS?"""
        return self.hsts if self.hsts is not None else self.public_url.startswith("https://")
