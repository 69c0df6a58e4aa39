"""The page as HTML: form, answer, sheet and evidence put into their templates; every text is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment
from markupsafe import Markup

from bcma_decide.comparing.compare import evidence_stamp
from bcma_decide.comparison import InputLine
from bcma_decide.errors import Problem
from bcma_decide.guide import pages
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.files import describe_example, example_names
from bcma_decide.render.sheet import figures
from bcma_decide.render.sheet.html import links, render_part
from bcma_decide.render.sheet.pdf import missing
from bcma_decide.render.sheet.sheet import ROWS
from bcma_decide.render.sheet.templating import environment
from bcma_decide.render.words import record_view
from bcma_decide.render.words.language import AUDIENCES, day, languages
from bcma_decide.render.words.sentences import VALIDATION
from bcma_decide.service.answering import Answered
from bcma_decide.service.page.answer_view import TABS, answer_view, look
from bcma_decide.service.page.assets import asset_name, style_name
from bcma_decide.service.page.form_values import LONGEST, profile_of
from bcma_decide.service.page.form_view import field_of, form_of, listed_problems
from bcma_decide.service.page.guide_body import guide_address, guide_body
from bcma_decide.service.page.view_options import LABELS, ViewOptions, usual_view
from bcma_decide.service.rest.evidence_view import evidence_view
from bcma_decide.service.service import Service
from bcma_decide.service.sessions import Filled
from bcma_decide.version import __version__
from bcma_decide.vocabulary import CLASS_LABELS, EXPLAINED, INTENDED_USE, PFS_FAMILY, THRESHOLDS

_TEMPLATES: Final = Path(__file__).parent / "templates"
_DESIGNS: Final = {"real_world": "everyday practice", "interventional": "as in a trial"}


@dataclass(frozen=True)
class Shown:
    """What the page shows: what was entered, the comparison if there is one, and what is wrong.

    With both, the comparison is that of everything else.
    """

    view: ViewOptions
    texts: Mapping[str, str] = field(default_factory=dict)
    answered: Answered | None = None
    problems: tuple[Problem, ...] = ()
    filled: Filled | None = None
    replaced: frozenset[str] = frozenset()
    """Fields of the record that hold something else now."""
    example: str = ""
    day_text: str = ""
    """The day as typed, where it is none."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What goes into the headers of an answer that shows the comparison."""
        return self.answered.headers if self.answered else {}


def page_html(service: Service, shown: Shown, address: str) -> str:
    """Write the whole page; ``address`` is the one it is reached at, for the link to share."""
    problems = listed_problems(shown.problems, LABELS)
    content = {
        "form": form_of(
            service.pooled.definitions, shown.texts, shown.problems, _sources(shown.filled), shown.replaced
        ),
        "labels": LABELS,
        "settings": [(name, _DESIGNS[name]) for name in service.pooled.levels],
        "regions": [(name, name) for name in service.pooled.rules.regions],
        "languages": [
            (code, _language_name(code)) for code in dict.fromkeys(c for each in AUDIENCES for c in languages(each))
        ],
        "outcomes": [(name, _row_name(name)) for name in ROWS],
        "explained": [("", "nothing"), *((name, _row_name(name)) for name in EXPLAINED)],
        "day_text": shown.day_text or shown.view.date,
        "examples": [(name, describe_example(name)) for name in example_names()],
        "example": shown.example,
        "can_pdf": not missing(),
        "longest": LONGEST,
    }
    return _written(service, "page.html.j2", shown.view, _result(service, shown, address) | content, problems)


def result_html(service: Service, shown: Shown, address: str) -> str:
    """Write the part of the page that changes with every entry."""
    problems = listed_problems(shown.problems, LABELS)
    return _written(service, "result.html.j2", shown.view, _result(service, shown, address), problems)


def refused_html(service: Service, detail: str) -> str:
    """Write a page that says why nothing is shown."""
    return _written(service, "refused.html.j2", usual_view(service), {"detail": detail}, ())


def evidence_html(service: Service) -> str:
    """Write what stands behind the numbers, as a page."""
    found = evidence_view(service.pooled, service.today())
    labels = {outcome.id: outcome.label for outcome in found.outcomes}
    content = {
        "found": found,
        "outcome_rows": [(each.label, each.direction, each.horizon) for each in found.outcomes],
        "study_rows": [
            (
                study.name,
                CLASS_LABELS[study.class_id][0],
                "practice" if study.design == "real_world" else "trial",
                study.n,
                "not reported" if study.follow_up_months is None else f"{study.follow_up_months:g} months",
                ", ".join(labels.get(name, name) for name in study.outcomes),
                ", ".join(study.sources),
            )
            for study in service.pooled.studies
        ],
        "field_rows": [
            (each.label, each.answer, each.definition, "findings only" if each.findings_only else "numbers or findings")
            for each in found.fields
        ],
        "references": service.pooled.references,
        "links": links,
    }
    return _written(service, "evidence.html.j2", usual_view(service), content, ())


def guide_html(service: Service, topic: str) -> tuple[str, int]:
    """Write a page of the guide, or the list of those there are, and the status that goes with it."""
    base, page = _base(service), pages().get(topic)
    content = {
        "page": page,
        "body": Markup(guide_body(page, base)) if page else "",  # noqa: S704, RUF100
        "listed": [(guide_address(each, base), each.title) for each in pages().values()],
    }
    return _written(service, "guide.html.j2", usual_view(service), content, ()), 200 if page else 404


def _row_name(row: str) -> str:
    """What a row of the sheet is called in the form."""
    return THRESHOLDS[row].label if row in THRESHOLDS else PFS_FAMILY.label


def _result(service: Service, shown: Shown, address: str) -> dict[str, Any]:
    comparison = shown.answered.comparison if shown.answered else None
    validation = guide_address(pages()[VALIDATION], _base(service))
    sheet = Markup(render_part(comparison, shown.view.sheet(), validation)) if comparison else ""  # noqa: S704, RUF100
    return {
        "comparison": comparison,
        "answer": answer_view(comparison) if comparison else None,
        "sheet": sheet,
        "filled": shown.filled,
        "replaced": sorted(shown.replaced),
        "link": f"{address}/?{shown.view.query()}",
        "status": _status(shown),
        "record_view": record_view,
        "figures": figures,
        "tabs": (*TABS, *((("record", "Record"),) if shown.filled else ())),
        "look": look,
        "designs": _DESIGNS,
    }


def _status(shown: Shown) -> str:
    """One short line for who does not see the answer change."""
    names = [each.label for each in listed_problems(shown.problems, LABELS) if each.label]
    to_mend = ", ".join(dict.fromkeys(names))
    if shown.answered is None:
        return f"Nothing is compared. To mend: {to_mend or 'see the list'}."
    known = len(profile_of(shown.texts).keys() - {field_of(each) for each in shown.problems})
    left_out = f" Not used: {to_mend}." if to_mend else ""
    return f"Up to date. Known: {known} of {len(FIELDS)}.{left_out}"


def _sources(filled: Filled | None) -> dict[str, str]:
    """By field that the record gave: *From the record, 20 November 2026*; of several values the newest."""
    if filled is None:
        return {}
    used: dict[str, InputLine] = {}
    for line in filled.ledger.inputs:
        if line.field in filled.values and line.state in ("used", "inferred"):
            known = used.get(line.field)
            if known is None or (line.age_days or 0) < (known.age_days or 0):
                used[line.field] = line
    return {name: _source(used.get(name)) for name in filled.values}


def _source(line: InputLine | None) -> str:
    inferred = "Inferred from the record" if line is not None and line.state == "inferred" else "From the record"
    return f"{inferred}, {day(line.date)}" if line is not None and line.date else inferred


def _language_name(code: str) -> str:
    from babel import Locale

    return str(Locale(code).get_display_name(code)).capitalize()


def _written(service: Service, name: str, view: ViewOptions, content: Mapping[str, Any], problems: Any) -> str:  # noqa: ANN401
    base = _base(service)
    return (
        _environment()
        .get_template(name)
        .render(
            base=base,
            static=lambda file: f"{base}/static/{asset_name(file)}",
            style_name=style_name,
            view=view,
            audience=view.audience,
            paper=view.paper,
            problems=problems,
            day=day,
            version=__version__,
            intended_use=INTENDED_USE,
            stamp=evidence_stamp(service.pooled, service.today()),
            **content,
        )
    )


def _base(service: Service) -> str:
    """The path below which the service is reached."""
    return urlsplit(service.settings.public_url or "").path


@cache
def _environment() -> Environment:
    return environment(_TEMPLATES)
