"""What a backend is, to the house: a vendor, how its connections are configured, and which capabilities it offers."""

from __future__ import annotations

from msgspec import Struct

from strata.contracts import Contract


class Backend(Struct, frozen=True):
    """One vendor. Every vendor folder declares one as `BACKEND` in its `backend.py`."""

    vendor: str
    """Name of the folder, and what connections call it."""
    title: str
    connection: type[Struct]
    """The options of a connection, decoded strictly."""
    capabilities: tuple[type[Contract], ...]
    """The contracts it offers, each for every connection."""
    doc: str
    """One sentence on what it speaks."""
