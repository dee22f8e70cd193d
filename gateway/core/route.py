"""The routing table: immutable, compiled once, asked for every request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

from gateway.core.problem import ProblemError

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Route(Struct, frozen=True):
    """One thing that can be called.

    path: template, `/web/v1/orders/{id}`; a last segment `{name...}` takes the rest. service: key of the upstreams;
    may contain path parameters, `system-{vendor}`. kind: `operation` needs a token with `scopes`; `ingress` brings a
    proof of its own that the service checks; `own` is the gateway's. upstream_path: template of the path that the
    service sees; None = the same. takes/answers: media types; an empty `takes` means that no body is taken.
    """

    method: str
    path: str
    service: str
    kind: Literal["operation", "ingress", "own"]
    operation: str
    api: str = "gateway"
    version: str = ""
    scopes: frozenset[str] = frozenset()
    plans: tuple[str, ...] = ()
    max_body_bytes: int = 0
    takes: frozenset[bytes] = frozenset()
    answers: frozenset[bytes] = frozenset()
    query_lists: frozenset[str] = frozenset()
    upstream_path: str | None = None
    allowed: Mapping[str, tuple[str, ...]] = MappingProxyType({})  # path parameter -> its only values

    @property
    def limited(self) -> bool:
        """Does a plan count this route?"""
        return self.kind == "operation"


class Match(Struct, frozen=True):
    """A route and the values of its path parameters, decoded."""

    route: Route
    parameters: Mapping[str, str]


class _Node:
    __slots__ = ("children", "methods", "parameter", "rest")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.methods: dict[str, Route] = {}
        self.rest: dict[str, Route] = {}


class ConfigurationError(Exception):
    """The gateway's configuration is refused as a whole. The message names the file, the place and the reason."""


class RouteTable:
    """All routes of one configuration. Never changed after it was built: a reload builds another one."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Raises ConfigurationError when two routes answer the same method and path."""
        self.routes = tuple(routes)
        self._root = _Node()
        self._versions: dict[str, set[str]] = {}
        for route in self.routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node = self._root
        parts = route.path.split("/")[1:]
        if route.version and len(parts) > 1:
            self._versions.setdefault(parts[0], set()).add(parts[1])
        for part in parts:
            if part.endswith("...}"):
                return _put(node.rest, route)
            if part.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.children.setdefault(part, _Node())
        return _put(node.methods, route)

    def find(self, method: str, segments: list[str]) -> Match:
        """The route of a canonical path. Raises ProblemError not-found, version-unknown or method-not-allowed.

        HEAD finds the route of GET (RFC 9110 section 9.3.2).
        """
        methods = self._walk(self._root, segments, 0)
        if not methods:
            versions = self._versions.get(segments[0]) if segments else None
            if versions and (len(segments) < 2 or segments[1] not in versions):
                raise ProblemError("version-unknown", f"Known versions: {', '.join(sorted(versions))}.")
            raise ProblemError("not-found")
        route = methods.get("GET" if method == "HEAD" else method)
        if route is None:
            raise not_allowed(methods)
        parameters = _parameters(route.path, segments) if "{" in route.path else _NONE
        for name, values in route.allowed.items():
            if parameters[name] not in values:
                raise ProblemError("not-found")
        return Match(route, parameters)

    def _walk(self, node: _Node, segments: list[str], index: int) -> dict[str, Route]:
        """The methods at a path: a literal segment wins over a parameter, a parameter over a rest."""
        if index == len(segments):
            return node.methods or node.rest
        child = node.children.get(segments[index])
        if child is not None and (found := self._walk(child, segments, index + 1)):
            return found
        if (
            node.parameter is not None
            and segments[index]
            and (found := self._walk(node.parameter, segments, index + 1))
        ):
            return found
        return node.rest


_PLACE: Final = re.compile(r"\{([^{}]+)\}")
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


def _put(methods: dict[str, Route], route: Route) -> None:
    if route.method in methods:
        taken = methods[route.method]
        raise ConfigurationError(
            f"{route.method} {route.path} of {route.api} is already taken by {taken.path} of {taken.api}"
        )
    methods[route.method] = route


def not_allowed(methods: Iterable[str]) -> ProblemError:
    """405 with the Allow field that RFC 9110 section 15.5.6 asks for."""
    known = set(methods)
    if "GET" in known:
        known.add("HEAD")
    allow = ", ".join(method for method in METHODS if method in known)
    return ProblemError("method-not-allowed", f"Allowed: {allow}.", headers=[(b"allow", allow.encode())])


def _parameters(template: str, segments: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for index, part in enumerate(template.split("/")[1:]):
        if part.endswith("...}"):
            found[part[1:-4]] = "/".join(segments[index:])
        elif part.startswith("{"):
            found[part[1:-1]] = segments[index]
    return found


def fill(template: str, parameters: Mapping[str, str]) -> str:
    """A template with its `{name}` replaced; values are neither encoded nor read as templates."""
    return _PLACE.sub(lambda found: parameters.get(found[1], found[0]), template)
