"""NetSuite's ids of currencies, read once."""

from __future__ import annotations

from collections.abc import Mapping

from strata.errors import FieldError, Invalid, StrataError
from system_apis.netsuite import wire
from system_apis.netsuite.client import NetSuiteClient

_QUERY = "SELECT id, symbol FROM currency ORDER BY id"


class Currencies:
    """ISO code <-> id, for one account. Read again when a code is asked for that was not there."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._client = client
        self._iso: dict[str, str] = {}

    async def iso(self) -> Mapping[str, str]:
        """Id -> ISO code."""
        if not self._iso:
            await self._read()
        return self._iso

    async def id_of(self, code: str) -> str:
        """The id of a currency. Raises Invalid for one that the account does not have."""
        for reread in (False, True):
            if reread:
                await self._read()
            for record_id, iso in self._iso.items():
                if iso == code:
                    return record_id
        raise Invalid(
            f"{self._client.name} has no currency {code}",
            errors=(FieldError(f"{code} is not a currency of the account", "/currency", code,
                               "Create the currency in NetSuite, then retry.", "unknown-currency"),),
        )  # fmt: skip

    async def code_of(self, record_id: str) -> str:
        """The ISO code of a currency's id. Raises StrataError for an id that the account does not list."""
        for reread in (False, True):
            if reread:
                await self._read()
            if record_id in self._iso:
                return self._iso[record_id]
        raise StrataError(f"{self._client.name} does not list currency {record_id}")

    async def _read(self) -> None:
        rows = await self._client.query(_QUERY, wire.CurrencyRow)
        self._iso = {row.id: row.symbol for row in rows}
