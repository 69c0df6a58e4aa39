"""One card for CDS Hooks, drawn from a comparison: what the sheet says, in short; no advice, nothing to apply."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

from bcma_decide.comparison import Comparison, Outcome
from bcma_decide.render.sheet.clinician_rows import Column, Row, RowCell, Window, option_columns, time_windows
from bcma_decide.render.sheet.clinician_view import banners, count_of_same, mover_lines
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.render.words import published, rule_view, sentences, wording
from bcma_decide.render.words.finding_lines import FindingLine, every_subject_first, finding_lines, first_lines
from bcma_decide.vocabulary import PFS

LONGEST_SUMMARY: Final = 139
ROWS: Final = ("orr", "cr_or_better", PFS, "crs_g3plus", "icans_g3plus", "infection_g3plus")
"""Outcomes on a card."""
NOT_KNOWN: Final = 2
"""Statements about what is not known on a card."""
_SOURCE: Final = "/guide"
"""What explains the service to whoever sees a card, which the page of a patient is not open to."""
_ORDERED: Final = "Ordered"
FINDINGS_SHOWN: Final = 12
"""Findings on a card, besides contraindications, which all stand there."""
NAMES_SHOWN: Final = 8
"""Things in the record that could not be used, named on a card."""

REASONS: Final = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
OVERRIDE_REASONS: Final = {
    "cds-not-applicable": "Does not apply to this patient",
    "need-more-info": "More information is needed",
    "does-not-align-preferences": "Does not fit what the patient wants",
    "recipient-disagrees-evidence": "Evidence seen differently",
    "service-not-available": "Not available here",
}
"""Codes of :data:`REASONS`, and what they are called on a button."""

_MARKDOWN: Final = re.compile(r"([\\`*_\[\]<>#|~&]|(?<=:)/(?=/)|(?<=www)\.)", re.IGNORECASE)
"""Signs that Markdown acts on inside a line, and what makes a link of an address."""


@dataclass(frozen=True)
class CardContext:
    """What a card says besides the comparison: its place, its links, and what of the record was not used."""

    hook_instance: UUID
    pages_url: str | None = None
    """Where the pages are that everybody may open; None where there are none."""
    smart_launch_url: str | None = None
    not_read: tuple[str, ...] = ()
    """Parts of the record that did not come, each with the reason."""
    not_understood: tuple[str, ...] = ()
    """Entries of the record that mean nothing to the program."""
    not_used: tuple[str, ...] = ()
    """What the record says of an input and was not used, each with the reason."""
    ordered: tuple[str, ...] = ()
    """What is ordered of the therapies compared."""


@dataclass(frozen=True)
class _Shown:
    """What a card takes of the clinician's sheet, each part worked out once."""

    banners: tuple[str, ...]
    findings: tuple[FindingLine, ...]
    columns: tuple[Column, ...]
    windows: tuple[Window, ...]
    identity: str
    """SHA-256 of the comparison as JSON."""

    @property
    def contraindications(self) -> list[FindingLine]:
        """Those that fire, the gravest first."""
        return [line for line in self.findings if line.severity == "contraindication"]

    @property
    def rows(self) -> list[Row]:
        """The rows of the table in their order."""
        return [row for window in self.windows for row in window.rows]


def card_of(comparison: Comparison, context: CardContext, identity: str) -> dict[str, Any]:
    """Write the card of a comparison, as CDS Hooks 2.0 has it; parts without a value are left out.

    ``identity``: SHA-256 of the comparison as JSON.
    """
    columns = option_columns(comparison)
    windows, _ = time_windows(comparison, Sheet(rows=ROWS), columns)
    shown = _Shown(banners(comparison), finding_lines(comparison), columns, windows, identity)
    card: dict[str, Any] = {
        "uuid": str(uuid5(context.hook_instance, identity)),
        "summary": summary_of(shown, context.ordered),
        "detail": _detail(comparison, shown, context),
        "indicator": "warning" if shown.banners or shown.contraindications else "info",
        "source": {"label": comparison.software.name}
        | ({"url": f"{context.pages_url}{_SOURCE}"} if context.pages_url is not None else {}),
        "overrideReasons": [
            {"code": code, "system": REASONS, "display": display} for code, display in OVERRIDE_REASONS.items()
        ],
    }
    if links := _links(comparison, context, identity):
        card["links"] = links
    return card


def summary_of(shown: _Shown, ordered: Sequence[str] = ()) -> str:
    """One sentence of at most 139 signs: the gravest to look at, what is ordered, what is compared, the first row.

    What has no room is left out from the end; the contraindications are counted in any case.
    """
    rows, grave = shown.rows, shown.contraindications
    names = f"{' and '.join(column.option.label for column in shown.columns)} side by side"
    numbers = f"{names}. {rows[0].outcome.label}, of 100: {_side_by_side(rows[0])}" if rows else names
    order = f"{_ORDERED}: {', '.join(each.partition(' (')[0] for each in ordered)}" if ordered else ""
    check = "inputs or evidence to check" if shown.banners else ""
    flags = len(grave)
    counted = f"{flags} contraindication{'' if flags == 1 else 's'} to look at" if flags else ""
    told = f"{counted}: {shown.findings[0].text}" if flags else counted
    heads = [(told, check, order), (told, order), (counted, check, order), (counted, order), (counted,), ()]
    texts = ("; ".join(filter(None, (*head, tail))) for head in heads for tail in (numbers, names, ""))
    return next((text for text in texts if 0 < len(text) <= LONGEST_SUMMARY), names[:LONGEST_SUMMARY])


def _side_by_side(row: Row) -> str:
    return ", ".join(f"{cell.column.option.label} {_figure(cell)}" for cell in row.cells)


def _figure(cell: RowCell) -> str:
    """The number as the sheet has it; a state where there is none."""
    if not wording.has_number(cell.estimate):
        return wording.state(cell.estimate)
    assert cell.estimate.mean is not None  # noqa: S101, RUF100  # has_number says so
    assert cell.estimate.credible is not None  # noqa: S101, RUF100
    return f"{wording.count(cell.estimate.mean)} ({wording.interval(cell.estimate.credible)})"


def _detail(comparison: Comparison, shown: _Shown, context: CardContext) -> str:
    blocks = [
        *(f"**{_plain(banner)}**" for banner in shown.banners),
        _plain(f"{_ORDERED}: {', '.join(context.ordered)}.") if context.ordered else "",
        _list("Findings", _flags(shown.findings)),
        _list("Cannot be judged yet", _open(comparison)),
        _list("In the record, not used", _first(context.not_used)),
        _plain(comparison.tell_apart),
        _table(shown),
        _plain(count_of_same(comparison, shown.windows, shown.columns)),
        _list("Numbers withheld", published.withheld_lines(_outcomes(shown), [each.option for each in shown.columns])),
        _list(published.title(), published.option_lines(comparison)),
        _list("Labels", rule_view.label_lines(comparison)),
        _list("Unknown inputs that move a number most", mover_lines(comparison)),
        _list("Not read from the record", context.not_read),
        _list("In the record, not understood", _first(context.not_understood)),
        _list("Not known", comparison.not_known[:NOT_KNOWN]),
        _plain(comparison.intended_use),
        _plain(f"{wording.how_good()} {sentences.validation_command(comparison)}"),
        _plain(_versions(comparison, shown.identity)),
    ]
    return "\n\n".join(block for block in blocks if block)


def _beside(cell: RowCell) -> list[str]:
    """What each value of an unknown input would give; counts in the place of a number that is withheld."""
    counts = f"published: {', '.join(cell.published)}" if cell.published else ""
    return [part for part in (cell.depends, counts) if part]


def _outcomes(shown: _Shown) -> list[Outcome]:
    return [row.outcome for row in shown.rows]


def _table(shown: _Shown) -> str:
    """Numbers of 100 patients like this, with their 95 % intervals, as a table of GitHub-flavoured Markdown."""
    names = [column.option.label for column in shown.columns]
    lines = [["Of 100 patients like this, on average (95 % interval)", *names, "Difference", "Certainty"]]
    lines += [["---"] * len(lines[0])]
    for row in shown.rows:
        cells = [_plain("; ".join([_figure(cell), *_beside(cell)])) for cell in row.cells]
        difference = f"{row.difference} ({row.interval})" if row.interval else row.difference
        same = sentences.same_for_every_patient(row.outcome, [cell.column.option for cell in row.cells])
        title = "; ".join(part for part in (row.outcome.label, row.outcome.horizon, same) if part)
        lines.append([_plain(title), *cells, _plain(difference), _plain(row.certainty)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _flags(findings: tuple[FindingLine, ...]) -> list[str]:
    """Findings in one line each, every contraindication among them, and how many others have no room."""
    lines = every_subject_first(findings)
    shown = first_lines(lines, FINDINGS_SHOWN)
    left = len(lines) - len(shown)
    texts = [f"{line.severity}{'' if line.verified else ', unverified'}: {line.text}" for line in shown]
    return [*texts, *([f"and {left} more"] if left else [])]


def _open(comparison: Comparison) -> list[str]:
    """What is missing to judge the contraindications."""
    return [
        rule_view.open_text(each) for each in rule_view.open_findings(comparison) if each.rank == "contraindication"
    ]


def _list(title: str, texts: Sequence[str]) -> str:
    lines = "\n".join(f"- {_plain(text)}" for text in texts)
    return f"**{title}**\n\n{lines}" if texts else ""


def _first(texts: Sequence[str]) -> tuple[str, ...]:
    more = len(texts) - NAMES_SHOWN
    return (*texts[:NAMES_SHOWN], *([f"and {more} more"] if more > 0 else []))


def _plain(text: str) -> str:
    """Text that stays text: a record may hold signs that Markdown or HTML would act on."""
    return _MARKDOWN.sub(r"\\\1", wording.visible(text))


def _versions(comparison: Comparison, identity: str) -> str:
    evidence, software = comparison.evidence, comparison.software
    return (
        f"{software.name} {software.version}, evidence of {evidence.date} ({evidence.hash[:12]}), "
        f"result {identity[:12]}; labels of {comparison.labels.region} on {comparison.labels.date}."
    )


def _links(comparison: Comparison, context: CardContext, identity: str) -> list[dict[str, str]]:
    """To the evidence behind the numbers, to how good they are, and to the SMART app; only what is configured."""
    links = []
    if context.pages_url is not None:
        links.append({"label": "Evidence behind the numbers", "url": f"{context.pages_url}/evidence",
                      "type": "absolute"})  # fmt: skip
        links.append({"label": wording.how_good(), "url": f"{context.pages_url}/guide/{sentences.VALIDATION}",
                      "type": "absolute"})  # fmt: skip
    if context.smart_launch_url is not None:
        handed = json.dumps({"result": identity, "evidence": comparison.evidence.hash})
        links.append({"label": "Open side by side", "url": context.smart_launch_url, "type": "smart",
                      "appContext": handed})  # fmt: skip
    return links
