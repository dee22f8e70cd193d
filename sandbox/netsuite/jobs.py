"""Asynchronous requests: `Prefer: respond-async`, jobs and their results, idempotency keys (subsect_161278579295).

A job is kept with its request, so it is done even if the sandbox is restarted in between.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable
from typing import Any

import msgspec

from sandbox.core.http import Response
from sandbox.core.store import Store, Table
from sandbox.netsuite.account import JOBS
from sandbox.netsuite.errors import NsError, idempotency_conflict, no_instance
from sandbox.netsuite.record_api import Call, invalid_url, method_not_allowed
from sandbox.netsuite.records import DECODER, ENCODER, Doc

IDEMPOTENCY = "x-netsuite-idempotency-key"
log = logging.getLogger("sandbox")


class Job(msgspec.Struct):
    """A request to be done later, and then its answer. body: base64."""

    id: str
    request: Call
    progress: str = "pending"
    status: int = 0
    headers: list[tuple[str, str]] = []
    answer: str = ""
    key: str | None = None

    @property
    def completed(self) -> bool:
        return self.progress in ("succeeded", "failed")


class Jobs:
    """Takes requests on and does them after their 202 has gone out."""

    def __init__(self, store: Store, do: Callable[[Call], Response]) -> None:
        self._store = store
        self._do = do
        index: dict[str, Callable[[Job], str | None]] = {
            "key": lambda job: job.key,
            "open": lambda job: None if job.completed else "yes",
        }
        self._table = Table(store, "asyncJob", Job, key=lambda job: job.id, index=index)

    def accept(self, call: Call) -> Response:
        """202 with the job's place. Raises NsError for an idempotency key that was used before."""
        key = call.headers.get(IDEMPOTENCY)
        if key:
            first = self._table.first("key", key)
            if first is not None:
                raise idempotency_conflict(f"{JOBS}/{first.id}")
        kept = {k: v for k, v in call.headers.items() if k.startswith("x-netsuite") or k in ("content-type", "accept")}
        request = msgspec.structs.replace(call, headers=kept)
        job = self._table.put(Job(str(self._store.next("ns:job")), request, key=key or None))
        self._store.after_commit(lambda: self._later(job.id))
        return Response(202, b"", [("location", f"{JOBS}/{job.id}"), ("preference-applied", "respond-async")])

    def resume(self) -> None:
        """Take up what an earlier run of the sandbox left undone."""
        for job in self._table.find("open", "yes"):
            self._later(job.id)

    def _later(self, key: str) -> None:
        asyncio.get_running_loop().call_soon(self.work, key)

    def work(self, key: str) -> None:
        """Do one job, in a transaction of its own; what it wrote and that it is done are kept together."""
        job = self._table.get(key)
        if job is None or job.completed:
            return
        try:
            with self._store.transaction():
                self._finish(job, self._do(job.request))
        except NsError as error:
            with self._store.transaction():
                headers = [("content-type", "application/vnd.oracle.resource+json; type=error")]
                self._finish(job, Response(error.status, error.body(), headers))
        except Exception:
            log.exception("netsuite job %s failed", key)
            with self._store.transaction():
                self._finish(job, Response(500, b"{}", []))

    def _finish(self, job: Job, response: Response) -> None:
        job.status, job.headers = response.status, response.headers
        job.answer = base64.b64encode(response.body).decode()
        job.progress = "succeeded" if response.status < 400 else "failed"
        self._table.put(job)

    def answer(self, call: Call) -> Response:
        """`/async/v1/job/{id}`, `…/task`, `…/task/{id}`, `…/task/{id}/result`."""
        if call.method != "GET":
            raise method_not_allowed(call.method)
        segments = call.segments
        if not segments:
            raise invalid_url()
        job = self._table.get(segments[0])
        if job is None:
            raise no_instance()
        root = f"{call.base_url}{JOBS}/{job.id}"
        match segments[1:]:
            case ():
                return _json(_job(job, root))
            case ("task",):
                task = {"links": _self(f"{root}/task/1"), "id": "1"}
                page = {"links": _self(f"{root}/task"), "count": 1, "hasMore": False, "items": [task]}
                return _json({**page, "offset": 0, "totalResults": 1})
            case ("task", "1"):
                return _json(_task(job, root))
            case ("task", "1", "result"):
                if not job.completed:
                    raise no_instance()
                return Response(job.status, base64.b64decode(job.answer), list(job.headers))
            case _:
                raise no_instance()


def _self(href: str) -> list[dict[str, str]]:
    return [{"rel": "self", "href": href}]


def _job(job: Job, root: str) -> Doc:
    return {
        "links": _self(root),
        "completed": job.completed,
        "id": job.id,
        "progress": job.progress,
        "task": {"links": _self(f"{root}/task")},
    }


def _task(job: Job, root: str) -> Doc:
    place = next((value for name, value in job.headers if name == "location"), None)
    outcome: dict[str, Any] = {"statusCode": job.status} if job.completed else {}
    if job.completed and job.status >= 400:
        outcome["error"] = DECODER.decode(base64.b64decode(job.answer))
    if place is not None:
        outcome["location"] = place
    return {
        "links": _self(f"{root}/task/1"),
        "completed": job.completed,
        "id": "1",
        "progress": job.progress,
        "operation": job.request.method,
        "result": {"links": _self(f"{root}/task/1/result"), **outcome},
    }


def _json(value: Doc) -> Response:
    return Response(
        200, ENCODER.encode(value), [("content-type", "application/vnd.oracle.resource+json; type=singular")]
    )
