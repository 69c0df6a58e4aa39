"""The catalogue of messages: taken from the sources, kept with the translations, written with the same bytes each time.

``BCMA_DECIDE_REDRAW=1 python -m pytest tests/render/test_language.py`` writes the template and every translation
anew: translations stay, messages that are gone are dropped, new ones are left open.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from bcma_decide.render.words.language import DOMAIN, LOCALES

RENDER = LOCALES.parent
TEMPLATE = LOCALES / f"{DOMAIN}.pot"
KEYWORDS = {"_": None, "marked": None, "ngettext": (1, 2)}
JINJA = {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
SOURCES = (("**/*.py", "python", {}), ("templates/*.j2", "jinja2", JINJA))


def translations() -> list[Path]:
    """The file of every language."""
    return sorted(LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def code_of(path: Path) -> str:
    """The language of such a file."""
    return path.parent.parent.name


def extracted() -> Catalog:
    """Every message of the sources with the files it stands in; lines are left out, they change with every edit."""
    found = Catalog(charset="utf-8")
    for pattern, method, options in SOURCES:
        for path in sorted(RENDER.glob(pattern)):
            for _line, message, _comments, context in extract_from_file(method, path, KEYWORDS, (), options):
                found.add(message, None, [(path.relative_to(RENDER).as_posix(), None)], context=context)
    return found


def read(path: Path, code: str | None = None) -> Catalog:
    """Read a file of messages; the plural forms are those of the language."""
    with path.open("rb") as stream:
        return read_po(stream, locale=code)


def messages(catalogue: Catalog) -> dict[str | tuple[str, str], set[str]]:
    """Every message with the files it stands in."""
    return {entry.id: {file for file, _line in entry.locations} for entry in catalogue if entry.id}


def redraw() -> None:
    """Write the template from the sources, and every translation against it."""
    template = extracted()
    _write(template, TEMPLATE, "")
    for path in translations():
        code = code_of(path)
        catalogue = read(path, code)
        catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False)
        forms = f'"Language: {code}\\n"\n"Plural-Forms: {catalogue.plural_forms}\\n"\n'
        _write(catalogue, path, forms)


def _write(catalogue: Catalog, path: Path, header: str) -> None:
    body = BytesIO()
    write_po(body, catalogue, width=0, omit_header=True, ignore_obsolete=True, include_lineno=False, sort_output=True)
    head = f'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n{header}\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head.encode() + body.getvalue().strip() + b"\n")
