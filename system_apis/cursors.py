"""Opaque cursors: whatever a backend needs to go on with a list, as text that nobody takes apart."""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

import msgspec

from strata.errors import BadParameter, FieldError

T = TypeVar("T")


def encode_cursor(position: object) -> str:
    """A position as an opaque, URL-safe text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def decode_cursor(cursor: str, kind: type[T]) -> T:
    """The position that a cursor stands for. Raises BadParameter for one that we did not make."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise BadParameter(
            "The cursor is not one of ours", errors=(FieldError("take it from `next`", "/query/cursor"),)
        ) from error
