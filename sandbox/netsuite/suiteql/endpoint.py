"""`POST /services/rest/query/v1/suiteql`: one page of a query's rows, all values as text, NULL left out."""

from __future__ import annotations

import sqlite3
import time
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager

from sandbox.core.http import Response
from sandbox.netsuite.account import SUITEQL
from sandbox.netsuite.errors import bad_content, bad_parameter, bad_query, missing
from sandbox.netsuite.reading import COLLECTION, page_links
from sandbox.netsuite.record_api import Call, body_of, invalid_url, method_not_allowed, page_of
from sandbox.netsuite.records import ENCODER, Doc, Records
from sandbox.netsuite.suiteql.compiler import Compiled, compile_query
from sandbox.netsuite.suiteql.dates import is_date, shown, stored
from sandbox.netsuite.suiteql.functions import install, number_text
from sandbox.netsuite.suiteql.nodes import unsupported

MAX_ROWS = 100_000
MAX_TEXT = 500_000
CACHED = 256
# a query that takes longer is given up (SQLite asks every so many steps); the sandbox answers nobody else meanwhile
MAX_SECONDS, STEPS = 5.0, 20_000


class SuiteQL:
    """Runs queries over the rows that the projections keep."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._db = records.store.db
        self._cache: OrderedDict[str, Compiled] = OrderedDict()
        install(self._db)

    def forget(self) -> None:
        self._cache.clear()

    def answer(self, call: Call) -> Response:
        if call.segments:
            raise invalid_url()
        if call.method != "POST":
            raise method_not_allowed(call.method)
        if "transient" not in [wish.strip().lower() for wish in call.headers.get("prefer", "").split(",")]:
            raise bad_parameter(
                "The required request header 'Prefer' is missing or does not have the value 'transient'.",
                header="Prefer",
            )
        text = body_of(call).get("q")
        if text is None:
            raise missing("q")
        if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
            raise bad_content("q")
        limit, offset = page_of(call.query)
        if offset + limit > MAX_ROWS:
            raise bad_parameter(f"A query shows at most {MAX_ROWS} rows.", query="offset")
        total, rows = self.run(text, limit, offset)
        page: Doc = {
            "links": page_links(f"{call.base_url}{SUITEQL}", limit=limit, offset=offset, total=total),
            "count": len(rows),
            "hasMore": offset + len(rows) < total,
            "items": [{"links": [], **row} for row in rows],
            "offset": offset,
            "totalResults": total,
        }
        return Response(200, ENCODER.encode(page), [("content-type", COLLECTION)])

    def run(self, text: str, limit: int, offset: int) -> tuple[int, list[Doc]]:
        """(number of all rows, the rows of this page). Raises NsError."""
        compiled = self._compiled(text)
        with self._bounded():
            try:
                cursor = self._page(compiled, limit, offset)
                names = [column[0] for column in cursor.description]
                rows = [_shown(names, row) for row in cursor.fetchall()]
                if len(rows) < limit and (rows or not offset):
                    return offset + len(rows), rows
                count = self._db.execute(f"SELECT COUNT(*) FROM ({compiled.sql})")  # noqa: S608  # compiled here
                return count.fetchone()[0], rows
            except sqlite3.Error as error:
                if str(error) == "interrupted":
                    raise bad_query("Search error occurred: The query took too long.") from error
                raise unsupported() from error

    def _page(self, compiled: Compiled, limit: int, offset: int) -> sqlite3.Cursor:
        sql = f"SELECT * FROM ({compiled.sql}) LIMIT ? OFFSET ?"  # noqa: S608  # compiled here
        return self._db.execute(sql, (limit, offset))

    def _compiled(self, text: str) -> Compiled:
        """Compiled queries are kept, but for those that speak of the present."""
        found = self._cache.get(text)
        if found is not None:
            self._cache.move_to_end(text)
            return found
        now = stored(self._records.clock.now().replace(tzinfo=None, microsecond=0))
        compiled = compile_query(text, now)
        upper = text.upper()
        if not any(word in upper for word in ("SYSDATE", "CURRENT_", "SYSTIMESTAMP")):
            self._cache[text] = compiled
            if len(self._cache) > CACHED:
                self._cache.popitem(last=False)
        return compiled

    @contextmanager
    def _bounded(self) -> Generator[None]:
        deadline = time.monotonic() + MAX_SECONDS
        self._db.set_progress_handler(lambda: int(time.monotonic() > deadline), STEPS)
        try:
            yield
        finally:
            self._db.set_progress_handler(None, STEPS)


def _shown(names: list[str], row: tuple[str | int | float | None, ...]) -> Doc:
    """A row as JSON: texts only, NULL left out, dates in the account's format."""
    item: Doc = {}
    for name, value in zip(names, row, strict=True):
        if value is None or value == "":
            continue
        if isinstance(value, str):
            item[name] = shown(value) if is_date(value) else value
        else:
            item[name] = number_text(value)
    return item
