"""Addresses: names for country and province codes, and codes for names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pycountry

from sandbox.shopify.model import Address


@lru_cache(maxsize=512)
def country(code_or_name: str | None) -> tuple[str | None, str | None]:
    """(ISO code, name) of a country given by either; (None, as given) when it is not known."""
    if not code_or_name:
        return None, None
    found = pycountry.countries.get(alpha_2=code_or_name.upper()) or pycountry.countries.get(name=code_or_name)
    if found is None:
        return None, code_or_name
    return found.alpha_2, getattr(found, "common_name", found.name)


@lru_cache(maxsize=1024)
def province(country_code: str | None, code_or_name: str | None) -> tuple[str | None, str | None]:
    """(code without the country part, name) of a province given by either."""
    if not code_or_name or not country_code:
        return code_or_name, code_or_name
    wanted = f"{country_code}-{code_or_name.upper()}"
    every: list[Any] = list(pycountry.subdivisions)  # its records have no declared members
    for one in every:
        if one.code == wanted or (one.country_code == country_code and one.name == code_or_name):
            return one.code.partition("-")[2], one.name
    return None, code_or_name


def from_input(given: Mapping[str, Any] | None, number: int = 0) -> Address | None:
    """An address from MailingAddressInput or OrderCreateCustomerAddressInput; None from None."""
    if given is None:
        return None
    code, name = country(given.get("countryCode") or given.get("country"))
    province_code, province_name = province(code, given.get("provinceCode") or given.get("province"))
    return Address(
        id=number,
        first_name=given.get("firstName"),
        last_name=given.get("lastName"),
        company=given.get("company"),
        address1=given.get("address1"),
        address2=given.get("address2"),
        city=given.get("city"),
        province=province_name,
        province_code=province_code,
        country=name,
        country_code=code,
        zip=given.get("zip"),
        phone=given.get("phone"),
    )


def lines(address: Address, *, with_name: bool, with_company: bool) -> list[str]:
    """The address as printed, one line each."""
    town = " ".join(part for part in (address.city, address.province_code, address.zip) if part)
    parts = [
        address.name if with_name else None, address.company if with_company else None,
        address.address1, address.address2, town, address.country,
    ]  # fmt: skip
    return [part for part in parts if part]
