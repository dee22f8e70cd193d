"""Whether an account can be used right now (capability `health`)."""

from __future__ import annotations

from strata.contracts.system import Health
from strata.contracts.system.health import BackendHealth
from strata.errors import AuthRefused, StrataError, Throttled
from system_apis.netsuite import wire
from system_apis.netsuite.client import NetSuiteClient

_CHEAP = "SELECT id, symbol FROM currency ORDER BY id"


class NetSuiteHealth(Health):
    """Asks for one currency."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._client = client

    async def check(self) -> BackendHealth:
        name = self._client.name
        try:
            await self._client.query(_CHEAP, wire.CurrencyRow, limit=1)
        except AuthRefused as error:
            return BackendHealth(name, "netsuite", "auth_refused", error.detail)
        except Throttled as error:
            return BackendHealth(name, "netsuite", "throttled", error.detail)
        except StrataError as error:
            return BackendHealth(name, "netsuite", "unreachable", error.detail)
        return BackendHealth(name, "netsuite", "ok")
