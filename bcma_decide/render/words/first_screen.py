"""The answer on one screen, as plain values that terminal, sheet and page draw alike.

Only words and places are decided here: every number is one of the `Comparison`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bcma_decide.comparison import Comparison, Contrast, Indication, Option, PublishedOption
from bcma_decide.pooled.rule_book import NOT_IN_FORCE
from bcma_decide.render.words import arrange, record_view, tell_apart, wording
from bcma_decide.render.words.finding_lines import finding_lines, first_lines, open_count
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import inside, ngettext
from bcma_decide.render.words.patient_strip import patient_strip
from bcma_decide.render.words.screen_cells import cell_at, subgroup_row
from bcma_decide.render.words.screen_shapes import (
    CELL,
    INFUSED,
    LABEL,
    RESPONSE,
    START,
    SUBGROUP,
    Column,
    FirstScreen,
    Row,
    RowLabel,
)
from bcma_decide.vocabulary import CLASSES, PFS, LabelState


def first_screen(comparison: Comparison) -> FirstScreen:
    """Compose the first screen of a comparison, in the current language."""
    columns = _columns(comparison)
    classes = tuple(_class_column(option) for option in comparison.options if option.kind == "class")
    rows = tuple(_row(comparison, row, columns) for row in row_labels(comparison))
    rows = tuple(row for row in rows if row.id != SUBGROUP or any(cell.kind == "published" for cell in row.cells))
    shown = [column.option for column in columns if column.kind == "product" and column.on_label != "not_met"]
    lines = finding_lines(comparison)
    first = first_lines(lines)
    title, differences = _differences(comparison, rows)
    return FirstScreen(
        patient=patient_strip(comparison),
        region_and_day=f"{comparison.labels.region}, {comparison.labels.date}",
        read_as=_read_as(comparison),
        movers=_movers(comparison),
        columns=columns,
        rows=rows,
        class_columns=classes,
        class_rows=tuple(tuple(cell_at(comparison, row.id, column) for column in classes) for row in rows),
        differences=differences,
        difference_title=title,
        published=_published(comparison, columns, rows),
        tell_apart=tell_apart.sentences(comparison, shown) if len(shown) > 1 else (_one_alone(),),
        findings=first,
        more_findings=_more_findings(len(lines) - len(first), open_count(comparison)),
        certainty=_certainty(comparison, [row.id for row in rows], (*columns, *classes)),
    )


def folded(screen: FirstScreen, most: int) -> tuple[tuple[int, ...], str]:
    """Places of the columns that stand where ``most`` have room, and the line that holds the others.

    Products whose label is not met are the ones that fold; where none is met, or these are too few to make room, the
    last columns fold as well. No column is lost: the line has the response of each.
    """
    kept = [place for place, column in enumerate(screen.columns) if column.on_label != "not_met"]
    if not kept:
        kept = list(range(len(screen.columns)))
    kept = kept[:most]
    away = [place for place in range(len(screen.columns)) if place not in kept]
    if not away:
        return tuple(kept), ""
    response = next(row for row in screen.rows if row.id == RESPONSE)
    named = ((tell_apart.product_name(screen.columns[place].long_label), response.cells[place].text) for place in away)
    off = all(screen.columns[place].on_label == "not_met" for place in away)
    lead = _("Not on label, response of 100: {parts}") if off else _("Also, response of 100: {parts}")
    return tuple(kept), lead.format(parts=", ".join(f"{name} {text}" for name, text in named))


def row_labels(comparison: Comparison) -> tuple[RowLabel, ...]:
    """Rows of the table with their labels, benefit first, then harm, then the way to the treatment."""
    return (
        RowLabel(LABEL, _("Label ({region})").format(region=comparison.labels.region), _("Label")),
        RowLabel(RESPONSE, _("Response, of 100"), _("Response (PR or better), of 100")),
        RowLabel("cr_or_better", _("CR"), _("CR or better, of 100")),
        RowLabel(PFS, _("PFS at 12 months"), _("Without progression at 12 months, of 100")),
        RowLabel(SUBGROUP, _("PFS median, months"), _("Median PFS of the nearest subgroup, months")),
        RowLabel("crs_g3plus", _("CRS grade 3+"), _("CRS, grade 3 or higher, of 100")),
        RowLabel("icans_any", _("ICANS, any grade"), _("ICANS, any grade, of 100")),
        RowLabel("icans_g3plus", _("ICANS grade 3+"), _("ICANS, grade 3 or higher, of 100")),
        RowLabel("delayed_neurotoxicity", _("Late neurotoxicity"), _("Delayed neurotoxicity, of 100")),
        RowLabel("infection_g3plus", _("Infection grade 3+"), _("Infection, grade 3 or higher, of 100")),
        RowLabel("treatment_related_death", _("Death by treatment"), _("Treatment-related death, of 100")),
        RowLabel(INFUSED, _("Infused, of 100"), _("Infused, of 100 with cells collected")),
        RowLabel(START, _("Start after"), _("Start after the decision or the collection of cells")),
    )


def _columns(comparison: Comparison) -> tuple[Column, ...]:
    """Products the region offers, grouped by class; a regimen whose label is met where the product alone is not."""
    found = []
    products = {option.id: option for option in comparison.options if option.kind == "product"}
    for option in products.values():
        label = comparison.indications.get(option.id)
        if label is None or not _offered(label):
            continue
        column = Column(option.id, _short(option.label), option.label, option.class_id, "product", *_label(label))
        found.append(column)
    for published in comparison.published_options:
        labels = _labels_of(comparison, published)
        if labels is None or labels[1].state == "not_met":
            continue
        product, regimen = labels
        if product in products and comparison.indications[product].state != "not_met":
            continue
        column = Column(
            published.id,
            _short(published.label),
            published.label,
            published.class_id,
            "published",
            *_label(regimen),
        )
        found.append(column)
    if not found:
        found = [
            Column(option.id, _short(option.label), option.label, option.class_id, "product", None, _("none here"))
            for option in products.values()
        ]
    return tuple(sorted(found, key=lambda column: CLASSES.index(column.class_id)))


def _labels_of(comparison: Comparison, published: PublishedOption) -> tuple[str, Indication] | None:
    """The product of a published regimen and the label of that regimen."""
    for product, label in comparison.indications.items():
        if product == published.id:
            return product, label
        for other in label.other_regimens:
            if published.long_label == f"{tell_apart.product_name(label.label)} {other.regimen}":
                return product, other
    return None


def _offered(label: Indication) -> bool:
    """Whether the region has a label of the product, in force now."""
    return label.approval not in NOT_IN_FORCE and (label.since is not None or label.approval is not None)


def _label(label: Indication) -> tuple[LabelState, str]:
    words: dict[LabelState, str] = {"met": _("met"), "not_met": _("not met"), "cannot_be_judged": _("open")}
    return label.state, words[label.state]


def _class_column(option: Option) -> Column:
    return Column(option.id, option.label, option.label, option.class_id, "class", None, "")


def _row(comparison: Comparison, row: RowLabel, columns: Sequence[Column]) -> Row:
    cells = tuple(cell_at(comparison, row.id, column) for column in columns)
    return Row(row.id, row.label, row.long_label, cells, drawn=row.id not in (LABEL, SUBGROUP, START))


def _differences(comparison: Comparison, rows: Sequence[Row]) -> tuple[str, tuple[str, ...]]:
    """Title and cells of the column with the differences: of the pair that was asked for, else of the classes."""
    pair = comparison.pair
    found: Mapping[str, Contrast]
    if pair is not None:
        found, options = pair.contrasts, pair.options
    else:
        found = {each.id: each.contrast for each in comparison.outcomes if each.contrast is not None}
        if comparison.survival_contrast is not None:
            found[PFS] = comparison.survival_contrast
        options = CLASSES
    labels = {option.id: _short(option.label) for option in comparison.options}
    if not labels.keys() >= set(options):
        return "", ("",) * len(rows)
    title = _("{first} minus {second}").format(first=labels[options[0]], second=labels[options[1]])
    return title, tuple(_difference(found.get(row.id)) for row in rows)


def _difference(contrast: Contrast | None) -> str:
    if contrast is None:
        return ""
    low, high = contrast.risk_difference.interval
    return _("{number} ({low} to {high})").format(
        number=wording.signed(contrast.risk_difference.mean), low=wording.signed(low), high=wording.signed(high)
    )


def _published(comparison: Comparison, columns: Sequence[Column], rows: Sequence[Row]) -> tuple[str, ...]:
    """Whose the quoted figures are."""
    cells = [cell for row in rows for cell in row.cells]
    found: dict[str, list[str]] = {}
    for column in columns:
        row = subgroup_row(comparison, column)
        if row is not None and column.on_label != "not_met":
            found.setdefault(", ".join(row.subgroup), []).append(tell_apart.product_name(column.label))
    lines = []
    if any(cell.kind == "published" for cell in cells):
        lines.append(_("[ ] published, not calculated for this patient."))
    if found:
        groups = "; ".join(
            group if len(found) == 1 else f"{group}: {tell_apart.listed(names)}" for group, names in found.items()
        )
        lines.append(_("Subgroup: {groups}.").format(groups=groups))
    if any(cell.of_class for cell in cells):
        lines.append(_("* no rows of its own: the class's value."))
    return tuple(lines)


def _one_alone() -> str:
    return _("Nothing to tell apart: fewer than two products on label have calculated numbers.")


def _movers(comparison: Comparison) -> str:
    parts = []
    for place, mover in enumerate(arrange.movers(comparison)):
        classes = {option.id for option in comparison.options if option.kind == "class"}
        of_response = [m for m in mover.unknown.moves if m.outcome == RESPONSE and m.option in classes]
        widest = max(of_response or mover.moves, key=lambda move: move.high - move.low)
        name = inside(mover.unknown.label)
        if place == 0:
            outcome = tell_apart.names().get(widest.outcome, mover.outcome.label)
            low, high = wording.short_count(widest.low), wording.short_count(widest.high)
            label = next(option.label for option in comparison.options if option.id == widest.option)
            name = _("{trait} ({option} {outcome} {low} to {high})").format(
                trait=name, option=label, outcome=outcome, low=low, high=high
            )
        parts.append(name)
    return _("Knowing these would change it most: {traits}").format(traits=", ".join(parts)) if parts else ""


def _read_as(comparison: Comparison) -> tuple[str, ...]:
    profile = comparison.profile
    used = sum(line.state in ("used", "inferred") for line in profile.inputs)
    record = ngettext("{n} value from the record", "{n} values from the record", used).format(n=used)
    unused = sum(line.state in record_view.LEFT_OUT for line in profile.inputs)
    left_out = ngettext("{n} seen and not used", "{n} seen and not used", unused).format(n=unused)
    counted = ", ".join((*((record,) if used else ()), *((left_out,) if unused else ())))
    return (*profile.read_as, *((counted,) if counted else ()))


def _more_findings(more: int, open_: int) -> str:
    parts = []
    if more > 0:
        parts.append(ngettext("{n} more finding", "{n} more findings", more).format(n=more))
    if open_:
        parts.append(ngettext("{n} that needs an answer", "{n} that need an answer", open_).format(n=open_))
    return ", ".join(parts)


def _certainty(comparison: Comparison, rows: Collection[str], columns: Sequence[Column]) -> str:
    """The span of certainty over the numbers shown, and why it is not higher."""
    options = {column.option for column in columns}
    levels = {
        estimate.certainty
        for outcome in comparison.outcomes
        if outcome.id in rows
        for option, estimate in outcome.estimates.items()
        if option in options and estimate.certainty is not None and wording.has_number(estimate)
    }
    order = [level for level in wording.certainty_words() if level in levels]
    if not order:
        return _("No number can be given for this patient.")
    ends = [wording.certainty(level) for level in (order[0], order[-1])]
    words = ends[0] if ends[0] == ends[1] else _("{low} to {high}").format(low=ends[0], high=ends[1])
    return _("Certainty {words} (no randomised comparison).").format(words=words)


def _short(label: str) -> str:
    """A label of at most 11 characters; a longer one is cut to nine and a full stop."""
    return label if len(label) <= CELL else f"{label[:9]}."
