"""The control API of a vendor's sandbox, below `/_sandbox`: reset, seed, faults, clock, limits, state, requests.

No authentication: the sandbox listens on loopback only. Reference with examples: docs/reference/sandbox-control.md.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import msgspec

from sandbox.core.clock import ClockChange, ClockState
from sandbox.core.faults import Fault, FaultView
from sandbox.core.http import Request, Response, json_response, problem
from sandbox.core.requests import Logged, Summary
from sandbox.core.store import as_plain
from sandbox.core.vendor import Limits, Vendor

PREFIX = "/_sandbox"
HIDDEN_HEADERS = frozenset({"authorization", "x-shopify-access-token", "cookie"})
CLOCK_SETTING = "clock"
LIMITS_SETTING = "limits"
FILLED_SETTING = "filled"
DEFAULT_SEED = 1


class Reset(msgspec.Struct, forbid_unknown_fields=True):
    """`POST /_sandbox/reset`: forget all records and faults, and fill in the company again (empty: do not).

    Credentials stay. The clock goes back to real time and the limits to their defaults. seed: another company.
    """

    seed: int = DEFAULT_SEED
    empty: bool = False


class ClockView(msgspec.Struct):
    now: datetime
    speed: float
    frozen: bool


class FaultIds(msgspec.Struct):
    ids: list[str]


class StateView(msgspec.Struct):
    """Raw records of one type. total: how many meet the filters."""

    type: str
    total: int
    limit: int
    offset: int
    items: list[object]


class RequestsView(msgspec.Struct):
    summary: Summary
    items: list[Logged]


class Paging(msgspec.Struct):
    limit: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 100
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0
    since: Annotated[int, msgspec.Meta(ge=0)] | None = None
    operation: str | None = None


def reset(vendor: Vendor, wanted: Reset) -> dict[str, int]:
    """Wipe and fill; answers the counts of records by type.

    Ids go on where they were, as at the vendor: whoever remembers a wiped record never meets another under its id.
    """
    store = vendor.context.store
    used = store.sequences()
    store.wipe()
    vendor.context.faults.clear()
    vendor.limits = vendor.limits_type()
    vendor.context.clock.change(ClockChange(reset=True, speed=1.0, freeze=False))
    vendor.forget()
    if not wanted.empty:
        with store.transaction():
            vendor.fill(wanted.seed)
    store.skip_to(used)
    store.set_setting(FILLED_SETTING, b"true")
    return store.counts()


def restore(vendor: Vendor) -> None:
    """At start: the clock and limits of the last run, and the company's data where the store is new."""
    store = vendor.context.store
    if (clock := store.setting(CLOCK_SETTING)) is not None:
        vendor.context.clock.restore(msgspec.json.decode(clock, type=ClockState))
    if (limits := store.setting(LIMITS_SETTING)) is not None:
        vendor.limits = msgspec.json.decode(limits, type=vendor.limits_type)
    if store.setting(FILLED_SETTING) is None:
        with store.transaction():
            if not store.counts():
                vendor.fill(DEFAULT_SEED)
            store.set_setting(FILLED_SETTING, b"true")


def _reset(vendor: Vendor, request: Request) -> Response:
    wanted = msgspec.json.decode(request.body or b"{}", type=Reset)
    return json_response({"types": reset(vendor, wanted)})


def _seed(vendor: Vendor, request: Request) -> Response:
    with vendor.context.store.transaction():
        return json_response(vendor.seed(request.body or b"{}"))


def _faults_add(vendor: Vendor, request: Request) -> Response:
    if request.body.lstrip()[:1] == b"[":
        faults = msgspec.json.decode(request.body, type=list[Fault])
    else:
        faults = [msgspec.json.decode(request.body or b"null", type=Fault)]
    return json_response(FaultIds([vendor.context.faults.add(fault) for fault in faults]), status=201)


def _faults_list(vendor: Vendor, _request: Request) -> Response:
    views: list[FaultView] = vendor.context.faults.list()
    return json_response({"faults": views})


def _faults_clear(vendor: Vendor, _request: Request) -> Response:
    return json_response({"removed": vendor.context.faults.clear()})


def _clock_view(vendor: Vendor) -> Response:
    clock = vendor.context.clock
    return json_response(ClockView(clock.now(), clock.state.speed, clock.state.frozen))


def _clock_get(vendor: Vendor, _request: Request) -> Response:
    return _clock_view(vendor)


def _clock_change(vendor: Vendor, request: Request) -> Response:
    clock = vendor.context.clock
    clock.change(msgspec.json.decode(request.body or b"{}", type=ClockChange))
    vendor.context.store.set_setting(CLOCK_SETTING, msgspec.json.encode(clock.state))
    return _clock_view(vendor)


def _limits_get(vendor: Vendor, _request: Request) -> Response:
    return json_response(msgspec.structs.asdict(vendor.limits))


def _limits_change(vendor: Vendor, request: Request) -> Response:
    """Merge what is given into the limits in force; null puts a limit back to its default."""
    given = msgspec.json.decode(request.body or b"{}", type=dict[str, object])
    current = msgspec.structs.asdict(vendor.limits)
    merged = {k: v for k, v in (current | given).items() if not (k in given and v is None)}
    vendor.limits = msgspec.convert(merged, type=vendor.limits_type)
    vendor.context.store.set_setting(LIMITS_SETTING, msgspec.json.encode(vendor.limits))
    return _limits_get(vendor, request)


def _state_types(vendor: Vendor, _request: Request) -> Response:
    return json_response({"types": vendor.context.store.counts()})


def state(vendor: Vendor, kind: str, query: dict[str, str]) -> StateView | None:
    """Records of a type, filtered by `id` and by top-level or dotted fields; None for an id that is not there."""
    page = msgspec.convert({k: v for k, v in query.items() if k in ("limit", "offset")}, type=Paging, strict=False)
    filters = {k: v for k, v in query.items() if k not in ("limit", "offset", "id")}
    store = vendor.context.store
    if "id" in query:
        body = store.get(kind, query["id"])
        return None if body is None else StateView(kind, 1, 1, 0, [as_plain(body)])
    if not filters:
        total = store.counts().get(kind, 0)
        sql = "SELECT body FROM doc WHERE type=? ORDER BY seq LIMIT ? OFFSET ?"
        rows = store.db.execute(sql, (kind, page.limit, page.offset)).fetchall()
        return StateView(kind, total, page.limit, page.offset, [as_plain(row[0]) for row in rows])
    found = [item for _, body in store.scan(kind) if _meets(item := as_plain(body), filters)]
    return StateView(kind, len(found), page.limit, page.offset, found[page.offset : page.offset + page.limit])


def _meets(item: object, filters: dict[str, str]) -> bool:
    return all(_as_text(_at(item, name)) == wanted for name, wanted in filters.items())


def _at(item: object, dotted: str) -> object:
    for name in dotted.split("."):
        if not isinstance(item, dict):
            return None
        item = item.get(name)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # JSON
    return item  # pyright: ignore[reportUnknownVariableType]


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _requests(vendor: Vendor, request: Request) -> Response:
    page = msgspec.convert(request.query, type=Paging, strict=False)
    entries = vendor.context.requests.newest(limit=page.limit, operation=page.operation, since=page.since)
    return json_response(RequestsView(vendor.context.requests.summary(), entries))


def _requests_clear(vendor: Vendor, _request: Request) -> Response:
    vendor.context.requests.clear()
    return Response(204)


def _health(vendor: Vendor, _request: Request) -> Response:
    return json_response({"status": "ok", "vendor": vendor.name, "now": vendor.context.clock.now()})


ROUTES: dict[str, dict[str, Callable[[Vendor, Request], Response]]] = {
    "reset": {"POST": _reset},
    "seed": {"POST": _seed},
    "faults": {"POST": _faults_add, "GET": _faults_list, "DELETE": _faults_clear},
    "clock": {"POST": _clock_change, "GET": _clock_get},
    "limits": {"POST": _limits_change, "GET": _limits_get},
    "state": {"GET": _state_types},
    "requests": {"GET": _requests, "DELETE": _requests_clear},
    "health": {"GET": _health},
}
# What each POST takes; `limits` and `seed` are the vendor's own.
BODIES: dict[str, type[msgspec.Struct]] = {"reset": Reset, "faults": Fault, "clock": ClockChange, "limits": Limits}


def answer(vendor: Vendor, request: Request) -> Response:  # noqa: PLR0911  # a router
    """Route a control request; wrong input is a problem that says what is wrong with it."""
    name, _, rest = request.path[len(PREFIX) :].strip("/").partition("/")
    try:
        if name == "state" and rest and request.method == "GET":
            view = state(vendor, rest, request.query)
            return problem(404, "Not found", f"no {rest} with this id") if view is None else json_response(view)
        if name == "faults" and rest and request.method == "DELETE":
            gone = vendor.context.faults.remove(rest)
            return Response(204) if gone else problem(404, "Not found", f"no fault {rest!r} is in force")
        methods = ROUTES.get(name) if not rest else None
        if methods is None:
            return problem(404, "Not found", f"the control API has: {', '.join(f'{PREFIX}/{n}' for n in ROUTES)}")
        handler = methods.get(request.method)
        if handler is None:
            response = problem(405, "Method not allowed", f"{name} takes {', '.join(methods)}")
            response.headers.append(("allow", ", ".join(methods)))
            return response
        return handler(vendor, request)
    except msgspec.ValidationError as error:
        return problem(422, "Control input is not valid", str(error))
    except msgspec.DecodeError as error:
        return problem(400, "Control input is not JSON", str(error))
