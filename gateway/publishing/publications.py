"""publications.toml: which contract is published under which name and plans, and the declared ingress."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from gateway.core.rate import Plan
from gateway.core.route import ConfigurationError

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Version = Annotated[str, Meta(pattern=r"^v[1-9][0-9]{0,3}$")]


class Api(Struct, frozen=True, forbid_unknown_fields=True):
    """One published contract. document: path below the folder of contracts. max_body_bytes: for every operation."""

    name: Name
    version: Version
    document: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._/-]+\.json$")]
    audience: Literal["web", "mobile", "internal", "partner"]
    plans: Annotated[tuple[str, ...], Meta(min_length=1)]
    max_body_bytes: Annotated[int, Meta(ge=1, le=100_000_000)] = 1_048_576


class Ingress(Struct, frozen=True, forbid_unknown_fields=True):
    """A declared way in without OAuth: the service checks the proof that the sender brings.

    path, service, upstream_path: templates over the same parameters. values: the only values of a parameter, so
    that no path reaches a service that was not meant.
    """

    name: Name
    path: Annotated[str, Meta(pattern=r"^/webhooks/[A-Za-z0-9_{}/-]+$")]
    service: str
    upstream_path: Annotated[str, Meta(pattern=r"^/")]
    values: dict[str, tuple[str, ...]]
    max_body_bytes: Annotated[int, Meta(ge=1, le=100_000_000)] = 1_048_576


class Publications(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    plans: dict[str, Plan]
    apis: tuple[Api, ...] = field(default=())
    ingress: tuple[Ingress, ...] = field(default=())


def read(path: Path) -> tuple[Publications, bytes]:
    """The file and its bytes. Raises ConfigurationError with the line or the place, and the reason."""
    try:
        raw = path.read_bytes()
        table = tomllib.loads(raw.decode("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path.name}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path.name}: {error}") from None
    try:
        return msgspec.convert(table, Publications), raw
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path.name}: {_with_line(str(error), raw)}") from None


def _with_line(message: str, raw: bytes) -> str:
    """msgspec's complaint with the line of the table that it is about, `$.apis[2].version` -> the third [[apis]]."""
    found = re.search(r"\$\.(apis|ingress)\[(\d+)\]", message)
    if found is None:
        return message
    heading = f"[[{found[1]}]]"
    lines = [number for number, line in enumerate(raw.decode().splitlines(), 1) if line.strip() == heading]
    index = int(found[2])
    return f"line {lines[index]}: {message}" if index < len(lines) else message
