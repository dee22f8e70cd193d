"""A vendor's memory: one SQLite file per vendor with JSON documents, index entries, sequences and settings.

sqlite3 is used synchronously on the event loop: a statement takes microseconds. Each request is one transaction.
`synchronous=OFF` survives the death of the process (not of the machine), which is what a sandbox needs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

SCHEMA = """
CREATE TABLE IF NOT EXISTS doc (type TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (type, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS doc_seq ON doc (type, seq);
CREATE TABLE IF NOT EXISTS idx (type TEXT NOT NULL, name TEXT NOT NULL, value, seq INTEGER NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (type, name, value, seq, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS idx_of ON idx (type, id);
CREATE TABLE IF NOT EXISTS sequence (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""

Indexable = str | int | float | None
T = TypeVar("T", bound=msgspec.Struct)


class Store:
    """Documents by (type, id), in order of creation, with secondary index entries.

    `db` is open for tables of a vendor's own; create them with `script` so that `wipe` can make them again.
    """

    def __init__(self, path: Path | None) -> None:
        """path: the file, made with its folder if missing; None keeps everything in memory (tests)."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(":memory:" if path is None else path, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=OFF")
        self._scripts: list[str] = []
        self._depth = 0
        self._after_commit: list[Callable[[], None]] = []
        self.script(SCHEMA)

    def script(self, sql: str) -> None:
        """Run DDL now and again after every `wipe`; it must be repeatable (CREATE ... IF NOT EXISTS)."""
        self._scripts.append(sql)
        self.db.executescript(sql)

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All or nothing; nested use joins the outer transaction. Callbacks of `after_commit` run after it."""
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        self.db.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
        except BaseException:
            self._after_commit.clear()
            self.db.execute("ROLLBACK")
            raise
        else:
            self.db.execute("COMMIT")
        finally:
            self._depth = 0
        callbacks, self._after_commit = self._after_commit, []
        for callback in callbacks:
            callback()

    @contextmanager
    def savepoint(self) -> Generator[None]:
        """All or nothing of a part of a transaction; after_commit callbacks asked for in a failed part still run."""
        if not self._depth:
            with self.transaction():
                yield
            return
        self.db.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK TO part")
            raise
        finally:
            self.db.execute("RELEASE part")

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Run `callback` when the present transaction has committed (or now, outside of one)."""
        if not self._depth:
            callback()
        elif callback not in self._after_commit:
            self._after_commit.append(callback)

    def wipe(self) -> None:
        """Forget everything, sequences and settings included; the tables are made anew."""
        names = self.db.execute("SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'")
        for (name,) in names.fetchall():
            self.db.execute(f'DROP TABLE IF EXISTS "{name}"')
        for sql in self._scripts:
            self.db.executescript(sql)

    # Documents ---------------------------------------------------------------------------------------------------

    def put(self, kind: str, key: str, body: bytes, index: Mapping[str, Indexable | list[Indexable]]) -> None:
        """Insert or replace a document (JSON) and its index entries; a list gives several entries of one name."""
        row = self.db.execute("SELECT seq FROM doc WHERE type=? AND id=?", (kind, key)).fetchone()
        if row is None:
            seq = self.next(f"doc:{kind}")
            self.db.execute("INSERT INTO doc VALUES (?,?,?,?)", (kind, key, seq, body))
        else:
            seq = row[0]
            self.db.execute("UPDATE doc SET body=? WHERE type=? AND id=?", (body, kind, key))
            self.db.execute("DELETE FROM idx WHERE type=? AND id=?", (kind, key))
        entries = [
            (kind, name, value, seq, key)
            for name, given in index.items()
            for value in (given if isinstance(given, list) else [given])
            if value is not None
        ]
        if entries:
            self.db.executemany("INSERT OR IGNORE INTO idx VALUES (?,?,?,?,?)", entries)

    def get(self, kind: str, key: str) -> bytes | None:
        row = self.db.execute("SELECT body FROM doc WHERE type=? AND id=?", (kind, key)).fetchone()
        return None if row is None else row[0]

    def delete(self, kind: str, key: str) -> bool:
        self.db.execute("DELETE FROM idx WHERE type=? AND id=?", (kind, key))
        return self.db.execute("DELETE FROM doc WHERE type=? AND id=?", (kind, key)).rowcount > 0

    def scan(self, kind: str, *, newest_first: bool = False) -> Iterator[tuple[str, bytes]]:
        """Every (id, document) of a type in order of creation."""
        order = "DESC" if newest_first else "ASC"
        yield from self.db.execute(f"SELECT id, body FROM doc WHERE type=? ORDER BY seq {order}", (kind,))  # noqa: S608  # a constant

    def find(self, kind: str, name: str, value: Indexable) -> list[bytes]:
        """Documents whose index entry `name` equals `value`, in order of creation."""
        sql = (
            "SELECT doc.body FROM idx JOIN doc ON doc.type=idx.type AND doc.id=idx.id"
            " WHERE idx.type=? AND idx.name=? AND idx.value=? ORDER BY idx.seq"
        )
        return [row[0] for row in self.db.execute(sql, (kind, name, value))]

    def counts(self) -> dict[str, int]:
        """How many documents of each type there are."""
        return dict(self.db.execute("SELECT type, count(*) FROM doc GROUP BY type ORDER BY type").fetchall())

    # Sequences and settings --------------------------------------------------------------------------------------

    def next(self, name: str, start: int = 1, step: int = 1) -> int:
        """The next number of a sequence; the first one is `start`."""
        sql = "INSERT INTO sequence VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value=value+? RETURNING value"
        return self.db.execute(sql, (name, start, step)).fetchone()[0]

    def sequences(self) -> dict[str, int]:
        """The number that each sequence gave last."""
        return dict(self.db.execute("SELECT name, value FROM sequence").fetchall())

    def skip_to(self, used: Mapping[str, int]) -> None:
        """Never again give numbers up to `used`."""
        sql = "INSERT INTO sequence VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"
        self.db.executemany(sql, list(used.items()))

    def setting(self, name: str) -> bytes | None:
        row = self.db.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
        return None if row is None else row[0]

    def set_setting(self, name: str, value: bytes) -> None:
        self.db.execute(
            "INSERT INTO meta VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value=excluded.value", (name, value)
        )


class Table(Generic[T]):
    """Documents of one type as Structs: `Table(store, "customer", Customer, key=lambda c: str(c.id), index={...})`."""

    def __init__(
        self,
        store: Store,
        kind: str,
        struct: type[T],
        key: Callable[[T], str],
        index: Mapping[str, Callable[[T], Indexable | list[Indexable]]] | None = None,
    ) -> None:
        self.store = store
        self.kind = kind
        self._key = key
        self._index = index or {}
        self._decoder = msgspec.json.Decoder(struct)
        self._encoder = msgspec.json.Encoder()

    def put(self, item: T) -> T:
        entries = {name: entry(item) for name, entry in self._index.items()}
        self.store.put(self.kind, self._key(item), self._encoder.encode(item), entries)
        return item

    def get(self, key: str | int) -> T | None:
        body = self.store.get(self.kind, str(key))
        return None if body is None else self._decoder.decode(body)

    def delete(self, key: str | int) -> bool:
        return self.store.delete(self.kind, str(key))

    def find(self, name: str, value: Indexable) -> list[T]:
        if name not in self._index:
            raise KeyError(f"{self.kind} has no index {name!r}")
        return [self._decoder.decode(body) for body in self.store.find(self.kind, name, value)]

    def first(self, name: str, value: Indexable) -> T | None:
        found = self.find(name, value)
        return found[0] if found else None

    def all(self, *, newest_first: bool = False) -> Iterator[T]:
        for _, body in self.store.scan(self.kind, newest_first=newest_first):
            yield self._decoder.decode(body)

    def many(self, keys: Iterable[str | int]) -> list[T]:
        """The documents of these keys, in their order; a missing one is left out."""
        return [item for key in keys if (item := self.get(key)) is not None]

    def count(self) -> int:
        return self.store.db.execute("SELECT count(*) FROM doc WHERE type=?", (self.kind,)).fetchone()[0]


def as_plain(body: bytes) -> Any:  # pyright: ignore[reportExplicitAny]  # raw JSON for the state pages
    """A stored document as plain JSON values."""
    return msgspec.json.decode(body)
