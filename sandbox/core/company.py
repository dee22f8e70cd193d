"""One believable company, Northwind Outfitters, as all vendors know it: the same customers, items, stores and places.

Deterministic from a seed. Amounts are Decimal in the named currency; quantities are pieces.
"""

from __future__ import annotations

import random
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import msgspec

ItemKind = Literal["inventory", "non_inventory", "service", "kit", "gift_card"]

SKUS_ONLY_IN_SHOP = ("NW-PROMO-26", "NW-SAMPLE-01", "NW-LEGACY-77")


class Address(msgspec.Struct, frozen=True):
    """country and province: ISO 3166 codes (province without the country part)."""

    address1: str
    city: str
    zip: str
    country: str
    province: str | None = None
    address2: str | None = None


class Person(msgspec.Struct, frozen=True):
    """A customer. number: 1.. in order of creation; store: the shop they buy in."""

    number: int
    first_name: str
    last_name: str
    email: str
    phone: str
    store: str
    currency: str
    address: Address
    company: str | None = None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Item(msgspec.Struct, frozen=True):
    """Something sold. prices: by currency, taxes excluded in USD and CAD, included in EUR and GBP and JPY.

    active: False where the ERP has switched it off. in_erp: False for articles only the shop knows.
    stock: pieces by location code. components: SKU -> pieces, for a kit.
    """

    sku: str
    title: str
    variant: str
    vendor: str
    kind: ItemKind
    prices: dict[str, Decimal]
    barcode: str
    grams: int = 0
    active: bool = True
    in_erp: bool = True
    stock: dict[str, int] = {}
    components: dict[str, int] = {}

    @property
    def requires_shipping(self) -> bool:
        return self.kind in ("inventory", "non_inventory", "kit")


class Location(msgspec.Struct, frozen=True):
    code: str
    name: str
    subsidiary: str
    address: Address


class Subsidiary(msgspec.Struct, frozen=True):
    code: str
    name: str
    currency: str
    country: str
    address: Address


class ShopStore(msgspec.Struct, frozen=True):
    """A web shop. presentment: currencies buyers may pay in besides its own."""

    subdomain: str
    name: str
    currency: str
    presentment: tuple[str, ...]
    taxes_included: bool
    subsidiary: str
    timezone: str
    utc_offset: str
    country: str
    locations: tuple[str, ...]


class TaxCode(msgspec.Struct, frozen=True):
    """rate: as a fraction, 0.0725 for 7.25 %. title: as the shop names it on a tax line."""

    code: str
    title: str
    rate: Decimal
    country: str
    province: str | None
    subsidiary: str


class Currency(msgspec.Struct, frozen=True):
    """exponent: decimals of the minor unit. usd: what one unit is worth in USD."""

    code: str
    name: str
    symbol: str
    exponent: int
    usd: Decimal


class Company(msgspec.Struct, frozen=True):
    seed: int
    name: str
    subsidiaries: tuple[Subsidiary, ...]
    locations: tuple[Location, ...]
    stores: tuple[ShopStore, ...]
    currencies: tuple[Currency, ...]
    tax_codes: tuple[TaxCode, ...]
    items: tuple[Item, ...]
    people: tuple[Person, ...]


CURRENCIES = (
    Currency("USD", "US Dollar", "$", 2, Decimal("1")),
    Currency("EUR", "Euro", "€", 2, Decimal("1.08")),
    Currency("CAD", "Canadian Dollar", "CA$", 2, Decimal("0.72")),
    Currency("GBP", "British Pound", "£", 2, Decimal("1.27")),
    Currency("JPY", "Japanese Yen", "¥", 0, Decimal("0.0066")),
)
US_HOME = Address("400 Harbor Drive", "Portland", "97204", "US", "OR")
EU_HOME = Address("Speicherstadt 12", "Hamburg", "20457", "DE")
SUBSIDIARIES = (
    Subsidiary("US", "Northwind Outfitters Inc.", "USD", "US", US_HOME),
    Subsidiary("EU", "Northwind Outfitters GmbH", "EUR", "DE", EU_HOME),
)
LOCATIONS = (
    Location("PDX", "Portland Warehouse", "US", US_HOME),
    Location("EWR", "Newark Warehouse", "US", Address("88 Doremus Avenue", "Newark", "07105", "US", "NJ")),
    Location("HAM", "Hamburg Lager", "EU", EU_HOME),
)
STORES = (
    ShopStore(
        "northwind-us", "Northwind Outfitters", "USD", ("CAD", "JPY"), False, "US",
        "America/Los_Angeles", "-08:00", "US", ("PDX", "EWR"),
    ),
    ShopStore(
        "northwind-eu", "Northwind Outfitters Europe", "EUR", ("GBP", "JPY"), True, "EU",
        "Europe/Berlin", "+01:00", "DE", ("HAM",),
    ),
)  # fmt: skip
TAX_CODES = (
    TaxCode("US-CA", "California State Tax", Decimal("0.0725"), "US", "CA", "US"),
    TaxCode("US-NY", "New York State Tax", Decimal("0.04"), "US", "NY", "US"),
    TaxCode("US-NYC", "New York City Tax", Decimal("0.045"), "US", "NY", "US"),
    TaxCode("US-TX", "Texas State Tax", Decimal("0.0625"), "US", "TX", "US"),
    TaxCode("US-WA", "Washington State Tax", Decimal("0.065"), "US", "WA", "US"),
    TaxCode("US-NJ", "New Jersey State Tax", Decimal("0.06625"), "US", "NJ", "US"),
    TaxCode("CA-GST", "GST", Decimal("0.05"), "CA", None, "US"),
    TaxCode("DE-19", "DE MwSt", Decimal("0.19"), "DE", None, "EU"),
    TaxCode("DE-7", "DE MwSt reduced", Decimal("0.07"), "DE", None, "EU"),
    TaxCode("FR-20", "FR TVA", Decimal("0.2"), "FR", None, "EU"),
)

US_PLACES = (
    ("Los Angeles", "CA", "900"), ("San Francisco", "CA", "941"), ("San Diego", "CA", "921"), ("New York", "NY", "100"),
    ("Brooklyn", "NY", "112"), ("Austin", "TX", "787"), ("Houston", "TX", "770"), ("Seattle", "WA", "981"),
    ("Portland", "OR", "972"), ("Jersey City", "NJ", "073"),
)  # fmt: skip
CA_PLACES = (("Calgary", "AB", "T2P 1J9"), ("Edmonton", "AB", "T5J 0N3"))
DE_PLACES = (("Hamburg", "20"), ("Berlin", "10"), ("München", "80"), ("Köln", "50"), ("Leipzig", "04"))
FR_PLACES = (("Paris", "75"), ("Lyon", "69"), ("Strasbourg", "67"))
US_NAMES = (
    "Olivia",
    "Liam",
    "Emma",
    "Noah",
    "Ava",
    "Mateo",
    "Sofia",
    "Ethan",
    "Grace",
    "Daniel",
    "Chloe",
    "Jack",
    "Zoe",
)
US_LAST = (
    "Smith",
    "Johnson",
    "Garcia",
    "Brown",
    "O'Neill",
    "Nguyen",
    "Miller",
    "Davis",
    "Lopez",
    "Wilson",
    "Kim",
    "Patel",
)
EU_NAMES = (
    "Jürgen",
    "Anna",
    "Lukas",
    "Léa",
    "Hélène",
    "Björn",
    "Mia",
    "Paul",
    "Élodie",
    "Karl",
    "Zoë",
    "Marie",
    "Jonas",
)
EU_LAST = (
    "Müller",
    "Schmidt",
    "Weiß",
    "Lefèvre",
    "Dubois",
    "Köhler",
    "Fischer",
    "Bernard",
    "Groß",
    "Moreau",
    "Schröder",
)
STREETS_US = ("Main Street", "Oak Avenue", "Harbor Drive", "2nd Street", "Maple Lane", "Sunset Boulevard")
STREETS_DE = ("Hauptstraße", "Gartenweg", "Bahnhofstraße", "Lindenallee", "Am Markt")
STREETS_FR = ("rue de la Paix", "avenue Victor Hugo", "place Bellecour", "rue du Général-Leclerc")

# title, vendor, USD price, grams, variants; one SKU per variant
CATALOGUE = (
    ("Trail Jacket", "Northwind", "129.00", 620, ("S", "M", "L", "XL")),
    ("Merino Base Layer", "Northwind", "69.95", 210, ("S", "M", "L")),
    ("Alpine Trousers", "Northwind", "99.50", 480, ("30", "32", "34", "36")),
    ("Ridge Backpack 30 L", "Bergkraft", "149.00", 1150, ("Black", "Moss")),
    ("Summit Tent 2P", "Bergkraft", "389.00", 2300, ("Green", "Sand")),
    ("Down Sleeping Bag", "Bergkraft", "259.99", 980, ("Regular", "Long")),
    ("Insulated Bottle 750 ml", "Kettlewell", "24.95", 340, ("Steel", "Blue", "Red")),
    ("Enamel Mug", "Kettlewell", "9.99", 160, ("White", "Blue")),
    ("Trekking Poles", "Bergkraft", "79.00", 510, ("Pair",)),
    ("Headlamp 400 lm", "Lumio", "44.90", 95, ("Black", "Orange")),
    ("Camp Stove", "Kettlewell", "59.00", 430, ("Gas",)),
    ("Wool Socks", "Northwind", "17.33", 80, ("36-38", "39-42", "43-46")),
    ("Sun Cap", "Northwind", "22.00", 70, ("Navy", "Khaki", "Red")),
    ("Rain Poncho", "Northwind", "34.50", 300, ("One size",)),
    ("Compass", "Lumio", "19.99", 60, ("Classic", "Pro")),
    ("First Aid Kit", "Bergkraft", "29.95", 420, ("Standard",)),
    ("Climbing Rope 60 m", "Bergkraft", "179.00", 3900, ("Blue",)),
    ("Carabiner", "Bergkraft", "8.45", 45, ("Screw", "Wire")),
    ("Dry Bag", "Northwind", "14.75", 110, ("10 L", "20 L")),
)  # fmt: skip
SPECIAL: tuple[tuple[str, str, str, ItemKind, str, int], ...] = (
    ("NW-MAP-01", "Printed Trail Map", "Pacific Crest", "non_inventory", "12.50", 90),
    ("NW-MAP-02", "Printed Trail Map", "Alpenüberquerung", "non_inventory", "12.50", 90),
    ("NW-STICK-01", "Sticker Set", "Default", "non_inventory", "4.00", 10),
    ("NW-SRV-WAX", "Jacket Re-waxing", "Service", "service", "35.00", 0),
    ("NW-SRV-FIT", "Boot Fitting", "Service", "service", "20.00", 0),
    ("NW-GIFT-50", "Gift Card", "50", "gift_card", "50.00", 0),
    ("NW-GIFT-100", "Gift Card", "100", "gift_card", "100.00", 0),
    ("NW-KIT-CAMP", "Weekend Camp Kit", "Kit", "kit", "429.00", 2700),
    ("NW-KIT-HYDRO", "Hydration Kit", "Kit", "kit", "39.00", 500),
    ("NW-PROMO-26", "Anniversary Pin", "Default", "inventory", "5.00", 15),
    ("NW-SAMPLE-01", "Fabric Sample", "Default", "inventory", "1.00", 20),
    ("NW-LEGACY-77", "Canvas Satchel", "Brown", "inventory", "64.00", 700),
)
KITS = {"NW-KIT-CAMP": {"NW-SUMM-GRE": 1, "NW-CAMP-GAS": 1}, "NW-KIT-HYDRO": {"NW-INSU-STE": 1, "NW-DRY-10": 1}}
INACTIVE = ("NW-RAIN-ONE", "NW-COMP-PRO")


def _prices(usd: str) -> dict[str, Decimal]:
    """Charm prices per currency from the US price, VAT in where prices are shown with it."""
    base = Decimal(usd)
    yen = int(base * 180 / 10) * 10
    return {
        "USD": base,
        "CAD": (base * Decimal("1.38")).quantize(Decimal("0.01")),
        "EUR": (base * Decimal("1.10")).quantize(Decimal("0.01")),
        "GBP": (base * Decimal("0.95")).quantize(Decimal("0.01")),
        "JPY": Decimal(max(yen, 10)),
    }


def _barcode(number: int) -> str:
    digits = f"400{number:09d}"
    odd_even = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits))
    return digits + str(-odd_even % 10)


def _items(rng: random.Random) -> tuple[Item, ...]:
    items: list[Item] = []
    for title, vendor, usd, grams, variants in CATALOGUE:
        for variant in variants:
            sku = f"NW-{title[:4].strip().upper()}-{variant.split()[0][:3].upper()}"
            stock = {place.code: rng.randrange(20, 400) for place in LOCATIONS}
            items.append(
                Item(
                    sku, title, variant, vendor, "inventory", _prices(usd), _barcode(len(items) + 1), grams,
                    active=sku not in INACTIVE, stock=stock,
                )
            )  # fmt: skip
    for sku, title, variant, kind, usd, grams in SPECIAL:
        stock = {place.code: rng.randrange(5, 60) for place in LOCATIONS} if kind == "inventory" else {}
        items.append(
            Item(
                sku, title, variant, "Northwind", kind, _prices(usd), _barcode(len(items) + 1), grams,
                in_erp=sku not in SKUS_ONLY_IN_SHOP, stock=stock, components=KITS.get(sku, {}),
            )
        )  # fmt: skip
    return tuple(items)


def _american(rng: random.Random, number: int) -> Person:
    street = f"{rng.randrange(1, 9900)} {rng.choice(STREETS_US)}"
    first, last = rng.choice(US_NAMES), rng.choice(US_LAST)
    if number % 20 == 3:
        city, province, code = rng.choice(CA_PLACES)
        address, currency, phone = Address(street, city, code, "CA", province), "CAD", f"+1403555{number:04d}"
    else:
        city, province, prefix = rng.choice(US_PLACES)
        address = Address(street, city, f"{prefix}{rng.randrange(100):02d}", "US", province)
        currency, phone = "USD", f"+1503555{number:04d}"
    return _person(number, first, last, phone=phone, store=STORES[0], currency=currency, address=address)


def _european(rng: random.Random, number: int) -> Person:
    first, last = rng.choice(EU_NAMES), rng.choice(EU_LAST)
    if number % 4 == 0:
        city, prefix = rng.choice(FR_PLACES)
        street = f"{rng.randrange(1, 190)} {rng.choice(STREETS_FR)}"
        address, phone = Address(street, city, f"{prefix}{rng.randrange(1, 20):03d}", "FR"), f"+3315555{number:04d}"
    else:
        city, prefix = rng.choice(DE_PLACES)
        street = f"{rng.choice(STREETS_DE)} {rng.randrange(1, 190)}"
        address, phone = Address(street, city, f"{prefix}{rng.randrange(100, 999)}", "DE"), f"+4940555{number:05d}"
    return _person(number, first, last, phone=phone, store=STORES[1], currency="EUR", address=address)


ASCII = str.maketrans(
    {"ü": "ue", "ö": "oe", "ä": "ae", "ß": "ss", "é": "e", "è": "e", "ë": "e", "É": "E", "'": "", " ": ""}
)


def _person(
    number: int, first: str, last: str, *, phone: str, store: ShopStore, currency: str, address: Address
) -> Person:
    email = f"{first}.{last}.{number}@example.com".translate(ASCII).lower()
    company = f"{last} Outdoor {'GmbH' if address.country == 'DE' else 'LLC'}" if number % 25 == 7 else None
    return Person(number, first, last, email, phone, store.subdomain, currency, address, company)


@lru_cache(maxsize=4)
def company(seed: int = 1, customers: int = 200) -> Company:
    """The company of this seed; three customers in five are American."""
    rng = random.Random(seed)
    items = _items(rng)
    people = tuple(
        _european(rng, number) if number % 5 in (0, 4) else _american(rng, number) for number in range(1, customers + 1)
    )
    return Company(seed, "Northwind Outfitters", SUBSIDIARIES, LOCATIONS, STORES, CURRENCIES, TAX_CODES, items, people)
