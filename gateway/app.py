"""The gateway as one ASGI application: `create(settings, database, upstreams, ...)`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from opentelemetry import trace

from gateway.analytics.access_log import AccessLog
from gateway.analytics.flusher import Flusher
from gateway.analytics.metrics import Metrics
from gateway.analytics.metrics import page as metrics_page
from gateway.asgi import ASGIApp, Receive, Scope, Send
from gateway.chain import chain
from gateway.core.account import Ledger
from gateway.core.address import inside, networks
from gateway.core.problem import ProblemError
from gateway.core.route import ConfigurationError, Route
from gateway.edge_limit import EdgeLimit
from gateway.exchange import exchange_of
from gateway.health import Check, alive, ready
from gateway.identity import endpoint
from gateway.identity.clients import ClientStore
from gateway.identity.keys import SigningKeys
from gateway.identity.secrets import secret_key
from gateway.identity.server import TokenIssuer
from gateway.identity.tokens import TokenVerifier
from gateway.limiter import Limiter, MemoryLimiter, RedisLimiter
from gateway.policies.body import BodyLimit, MediaTypes
from gateway.policies.correlate import RequestId, Trace
from gateway.policies.forward import Forward
from gateway.policies.hygiene import Hygiene
from gateway.policies.identity import Authenticate, Authorize, Challenge
from gateway.policies.observe import Observe
from gateway.policies.plan import AnnouncePolicy, PlanLimit
from gateway.policies.problems import Problems
from gateway.policies.routing import Routing
from gateway.portal.app import portal, too_many
from gateway.publishing.compile import Configuration, PublishedApi, compile_configuration
from gateway.settings import GatewaySettings
from gateway.store import Pool, migrate
from strata.store import connect

_SHIPPED = Path(__file__).with_name("publications.toml")


def _own(path: str, service: str, method: str = "GET", max_body_bytes: int = 0) -> Route:
    return Route(method, path, service, "own", service, max_body_bytes=max_body_bytes)


OWN_ROUTES = (
    _own("/", "portal"),
    _own("/portal", "portal"),
    _own("/portal/{page...}", "portal"),
    _own("/healthz", "alive"),
    _own("/readyz", "ready"),
    _own("/metrics", "metrics"),
    _own("/oauth/token", "token", "POST", endpoint.MAX_FORM_BYTES),
    _own("/.well-known/jwks.json", "jwks"),
    _own("/.well-known/oauth-authorization-server", "server-metadata"),
    _own("/.well-known/oauth-protected-resource", "resource-metadata"),
)


class Gateway:
    """The application. Await startup() before the first request and shutdown() after the last."""

    def __init__(  # noqa: PLR0917  # called by create() alone
        self,
        settings: GatewaySettings,
        database: Pool | str,
        configuration: Configuration,
        upstreams: Mapping[str, ASGIApp],
        limiter: Limiter,
        checks: Mapping[str, Check],
    ) -> None:
        self.settings = settings
        self.configuration = configuration
        self.metrics = Metrics()
        self.ledger = Ledger(settings.analytics_max_rows)
        self._database = database
        self._upstreams = upstreams
        self._limiter = limiter
        self._checks = checks
        self._pool: Pool | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._app: ASGIApp | None = None
        self._access_log = AccessLog() if settings.access_log else None
        self._flusher: Flusher | None = None
        self._clients: ClientStore | None = None

    @property
    def clients(self) -> ClientStore:
        """Registration of clients. Raises RuntimeError before startup()."""
        if self._clients is None:
            raise RuntimeError("startup() was not awaited")
        return self._clients

    @property
    def apis(self) -> tuple[PublishedApi, ...]:
        """What is published: name, layer, version, base path, audience, plans, document."""
        return self.configuration.apis

    @property
    def digest(self) -> str:
        """SHA-256 of the configuration this node runs."""
        return self.configuration.digest

    async def startup(self) -> None:
        """Bring the schema up to date, load the keys, start the writers.

        Raises ConfigurationError for a wrong secret key, and asyncpg and OS errors while the database is away.
        """
        settings = self.settings
        key = secret_key(settings)
        pool = await connect(self._database, size=4) if isinstance(self._database, str) else self._database
        self._pool = pool
        await migrate(pool)
        keys = SigningKeys(pool, key)
        await keys.start()
        self._clients = ClientStore(pool, key)
        verifier = TokenVerifier(
            keys,
            settings.public_url,
            settings.public_url,
            max_lifetime_s=settings.token_lifetime_s,
            skew_s=settings.clock_skew_s,
            cache_size=settings.token_cache_size,
            cache_s=settings.token_cache_s,
        )
        edge = EdgeLimit()
        issuer = TokenIssuer(settings.public_url, settings.public_url, lambda: keys.signing, settings.token_lifetime_s)
        self._flusher = Flusher(self.ledger, pool, settings.analytics_flush_s)
        self._watch(verifier, edge, self._flusher)
        self._app = self._chain(verifier, self._own_apps(pool, keys, issuer, edge))
        self._tasks = [asyncio.create_task(self._flusher.run(), name="gateway roll-ups")]
        if self._access_log is not None:
            self._tasks.append(asyncio.create_task(self._access_log.run(), name="gateway access log"))

    async def shutdown(self) -> None:
        """Write what still waits and close what startup() opened."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        if self._flusher is not None:
            await self._flusher.flush()
        if self._access_log is not None:
            self._access_log.flush()
        await self._limiter.close()
        if self._pool is not None and isinstance(self._database, str):
            await self._pool.close()
        self._app = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3: http and lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] != "http":
            raise ValueError(f"the gateway does not speak {scope['type']}")
        elif self._app is None:
            raise RuntimeError("startup() was not awaited")
        else:
            await self._app(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.startup()
                except Exception as error:
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    raise
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.shutdown()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _chain(self, verifier: TokenVerifier, own: Mapping[str, ASGIApp]) -> ASGIApp:
        settings, configuration = self.settings, self.configuration
        challenge = Challenge(f"{settings.public_url}/.well-known/oauth-protected-resource")
        always: list[tuple[bytes, bytes]] = [(b"x-content-type-options", b"nosniff")]
        if settings.secure:
            always.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
        return chain(
            Observe(self.ledger, self.metrics, self._access_log, networks(settings.trusted_proxies), tuple(always)),
            RequestId(),
            Trace(trace.get_tracer("strata.gateway")),
            Problems(settings.problem_base),
            Hygiene(_hosts(settings), settings.wire),
            Routing(configuration.table),
            AnnouncePolicy(configuration.plans),
            BodyLimit(),
            Authenticate(verifier, challenge),
            PlanLimit(configuration.plans, self._limiter),
            Authorize(challenge),
            MediaTypes(),
            Forward(self._upstreams, own, settings.upstream_timeout_s, settings.problem_base),
        )

    def _own_apps(self, pool: Pool, keys: SigningKeys, issuer: TokenIssuer, edge: EdgeLimit) -> dict[str, ASGIApp]:
        settings, configuration = self.settings, self.configuration
        readers = networks(settings.metrics_allowed)

        async def database_up() -> bool:
            return await pool.fetchval("SELECT true") is True

        return {
            "portal": edge.guard("portal", settings.portal_limit, portal(settings, configuration), too_many),
            "alive": alive(configuration.digest),
            "ready": ready(
                configuration.digest, {"database": database_up, **self._checks}, {"limits": self._limiter.ready}
            ),
            "metrics": metrics_page(
                self.metrics,
                lambda scope: inside(exchange_of(scope).address, readers),
                lambda: ProblemError("forbidden"),
            ),
            "token": edge.guard(
                "token",
                settings.issuing_limit,
                endpoint.TokenEndpoint(self.clients, issuer, edge.count("guesses", settings.guessing_limit)),
                endpoint.busy,
            ),
            "jwks": endpoint.key_set(keys),
            "server-metadata": endpoint.fixed(
                endpoint.server_metadata(settings.public_url, settings.token_url, configuration.scopes)
            ),
            "resource-metadata": endpoint.fixed(endpoint.resource_metadata(settings.public_url, configuration.scopes)),
        }

    def _watch(self, verifier: TokenVerifier, edge: EdgeLimit, flusher: Flusher) -> None:
        watch, ledger, limiter, log = self.metrics.watch, self.ledger, self._limiter, self._access_log
        watch("strata_gateway_token_cache_hits_total", "counter", "Verified tokens found.", lambda: verifier.hits)
        watch("strata_gateway_token_cache_misses_total", "counter", "Tokens verified.", lambda: verifier.misses)
        watch("strata_gateway_edge_refused_total", "counter", "Held off at the edge.", lambda: edge.refused)
        watch("strata_gateway_rollup_rows", "gauge", "Roll-up rows that wait.", lambda: len(ledger.rows))
        watch("strata_gateway_rollup_failures_total", "counter", "Failed flushes.", lambda: flusher.failures)
        watch(
            "strata_gateway_rollup_dropped_total", "counter", "Requests not rolled up.", lambda: ledger.dropped_requests
        )
        if isinstance(limiter, RedisLimiter):
            watch("strata_gateway_limiter_degraded_total", "counter", "Limits counted alone.", lambda: limiter.degraded)
        if log is not None:
            watch("strata_gateway_access_log_dropped_total", "counter", "Log lines dropped.", lambda: log.dropped)


def create(
    settings: GatewaySettings,
    database: Pool | str,
    upstreams: Mapping[str, ASGIApp],
    *,
    redis_url: str | None = None,
    openapi_dir: Path = Path("openapi"),
    ready_checks: Mapping[str, Check] | None = None,
) -> Gateway:
    """Compile the configuration and build the gateway; nothing is opened before startup().

    database: a pool that stays the caller's, or a DSN. upstreams: service -> ASGI application, in process or a proxy
    to a URL. redis_url: shared limits; None = counted in this process. ready_checks: more of what /readyz needs.
    Raises ConfigurationError when any part of the configuration is wrong.
    """
    parts = urlsplit(settings.public_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query or parts.fragment:
        raise ConfigurationError(
            f"settings: public_url {settings.public_url} is not an origin such as https://a.example"
        )
    configuration = compile_configuration(
        settings.publications or _SHIPPED, openapi_dir, OWN_ROUTES, set(upstreams), settings.plan_quotas
    )
    limiter = RedisLimiter(redis_url) if redis_url else MemoryLimiter()
    return Gateway(settings, database, configuration, upstreams, limiter, ready_checks or {})


def _hosts(settings: GatewaySettings) -> frozenset[str]:
    """Names the gateway answers for; empty = any."""
    if "*" in settings.allowed_hosts:
        return frozenset()
    own = urlsplit(settings.public_url).hostname or ""
    return frozenset(name.lower() for name in (own if ":" not in own else f"[{own}]", *settings.allowed_hosts))
