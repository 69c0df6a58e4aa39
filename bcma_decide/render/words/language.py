"""The language a sheet is written in: messages from the catalogue, numbers and dates as that language has them.

Messages stand in the code and the templates in English, marked with ``_`` or ``ngettext``; translations are the files
``locale/<code>/LC_MESSAGES/sheet.po``. A file that translates every message of a sheet makes it available in that
language; nothing else has to be changed. Outside :func:`speaking`, everything is English.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from bcma_decide.patient.fields import in_sentence

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

Audience = Literal["clinician", "patient"]
AUDIENCES: Final[tuple[Audience, ...]] = ("clinician", "patient")

SOURCE: Final = "en"
"""The language the messages are written in."""
DOMAIN: Final = "sheet"
LOCALES: Final = Path(__file__).parents[1] / "locale"

_SHARED: Final = ("wording.py", "figures.py")
"""Files whose messages stand on every sheet; the patient's own have that name, the clinician's are all others."""
_BRITISH: Final = "en_GB"


@dataclass(frozen=True)
class Language:
    """A language with its messages and the locale its numbers and dates follow."""

    code: str
    messages: NullTranslations
    locale: str


_ENGLISH: Final = Language(SOURCE, NullTranslations(), _BRITISH)
_current: ContextVar[Language] = ContextVar("language", default=_ENGLISH)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Render in a language until the block ends.

    Parameters
    ----------
    code
        One of :func:`languages`.
    """
    token = _current.set(_language(code))
    try:
        yield
    finally:
        _current.reset(token)


def languages(audience: Audience) -> tuple[str, ...]:
    """Codes of the languages in which the sheet for ``audience`` is complete, English first."""
    found = sorted(path.parent.parent.name for path in LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
    return (SOURCE, *(code for code in found if not untranslated(code, audience)))


def untranslated(code: str, audience: Audience) -> tuple[str, ...]:
    """Messages of the sheet for ``audience`` that the catalogue of a language leaves open or marks as unsure."""
    return tuple(
        str(message.id)
        for message in _catalogue(code)
        if message.id and _concerns(audience, message.locations) and (message.fuzzy or not _complete(message.string))
    )


def gettext(message: str) -> str:
    """Return a message in the current language."""
    return _current.get().messages.gettext(message)


def ngettext(one: str, many: str, n: int) -> str:
    """Return the form of a message that goes with a number in the current language."""
    return _current.get().messages.ngettext(one, many, n)


def number(value: float) -> str:
    """A number with the grouping and decimal sign of the current language: ``2,698``."""
    from babel.numbers import format_decimal

    return str(format_decimal(value, locale=_current.get().locale))


def decimal(value: float) -> str:
    """A number as printed, with the decimal sign of the current language: ``12.6``."""
    return f"{value:g}" if _current.get() is _ENGLISH else number(value)


def pointed(text: str) -> str:
    """A number already printed, with the decimal sign of the current language: ``0.27``."""
    if _current.get() is _ENGLISH:
        return text
    from babel.numbers import get_decimal_symbol

    return text.replace(".", get_decimal_symbol(_current.get().locale))


def inside(label: str) -> str:
    """A label inside a sentence: with a small first letter in English, as it is in a language that keeps it."""
    return in_sentence(label) if _current.get() is _ENGLISH else label


def day(text: str) -> str:
    """A date as the current language writes it: ``22 November 2026``; what is not a whole date stays as it is."""
    from babel.dates import format_date

    try:
        return format_date(date.fromisoformat(text), "long", locale=_current.get().locale)
    except ValueError:
        return text


def _complete(translation: str | Sequence[str] | None) -> bool:
    return bool(translation) if translation is None or isinstance(translation, str) else all(translation)


def _concerns(audience: Audience, locations: list[tuple[str, int]]) -> bool:
    names = {Path(file).name for file, _ in locations}
    patient = {name for name in names if name.startswith("patient")}
    return bool(patient | (names & {*_SHARED}) if audience == "patient" else names - patient)


@lru_cache(maxsize=8)
def _catalogue(code: str) -> Catalog:
    from babel.messages.pofile import read_po

    with (LOCALES / code / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as stream:
        return read_po(stream, locale=code)


@lru_cache(maxsize=8)
def _language(code: str) -> Language:
    if code == SOURCE:
        return _ENGLISH
    from babel.messages.mofile import write_mo

    compiled = BytesIO()
    write_mo(compiled, _catalogue(code))
    compiled.seek(0)
    return Language(code, GNUTranslations(compiled), code)
