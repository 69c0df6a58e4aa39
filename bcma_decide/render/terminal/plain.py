"""A comparison as tab-separated lines: one fact a line, its kind first, nothing drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment

from bcma_decide.behind import EffectLine, Explanation
from bcma_decide.comparison import Comparison, Estimate, Option, Outcome
from bcma_decide.render.terminal.first_screen_lines import first_screen_lines, patient_lines
from bcma_decide.render.terminal.ink import Ink
from bcma_decide.render.terminal.order import order_lines
from bcma_decide.render.terminal.pair import pair_lines
from bcma_decide.render.terminal.parts import Part
from bcma_decide.render.terminal.preferences import preference_lines
from bcma_decide.render.terminal.record import record_lines
from bcma_decide.render.terminal.survival import computed_lines, published_lines
from bcma_decide.render.terminal.way_bars import way_lines
from bcma_decide.render.words import arrange, published, quoted, rule_view, sentences, survival, wording
from bcma_decide.render.words.clock import clock_words
from bcma_decide.render.words.first_screen import first_screen
from bcma_decide.render.words.screen_shapes import FirstScreen
from bcma_decide.vocabulary import PFS

Line = tuple[str, ...]


class _Lines:
    """Lines that a console prints as they are: no wrapping, tabs kept."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield each line and its end."""
        for line in self.lines:
            yield Segment(line)
            yield Segment.line()


def write_plain(comparison: Comparison, console: Console, *, products: bool, sources: bool) -> None:
    """Print one fact a line; fields are separated by tabs and hold none."""
    _write(console, _lines(comparison, products, sources))


def write_plain_first_screen(comparison: Comparison, console: Console) -> None:
    """Print the first screen in the same way, from top to bottom."""
    _write(console, _first_screen(comparison, first_screen(comparison)))


def write_plain_parts(
    comparison: Comparison, console: Console, screen: FirstScreen, parts: Iterable[Part], *, products: bool
) -> None:
    """Print parts of a comparison in the same way, below the patient they are of."""
    _write(console, _parts(comparison, screen, parts, products))


def write_plain_explanation(comparison: Comparison, outcome: Outcome, console: Console, *, products: bool) -> None:
    """Print what is behind one outcome in the same way."""
    _write(console, _explanation(comparison, outcome, products))


def write_plain_survival_explanation(comparison: Comparison, console: Console, options: Sequence[Option]) -> None:
    """Print what is behind progression-free survival in the same way."""
    _write(console, _survival_explanation(comparison, options))


def _write(console: Console, lines: Iterator[Line]) -> None:
    ink = Ink.of(console)
    console.print(_Lines(["\t".join(ink.plain(field) for field in line) for line in lines]), soft_wrap=True, end="")


def _lines(comparison: Comparison, products: bool, sources: bool) -> Iterator[Line]:
    yield from _stamp(comparison)
    options = comparison.options if products else arrange.class_options(comparison)
    yield from _numbers(comparison, options)
    yield from pair_lines(comparison)
    yield from way_lines(comparison, options)
    yield from published_lines(comparison)
    yield from _published(comparison)
    for mover in arrange.movers(comparison):
        moves = "; ".join(sentences.move_sentence(move, comparison) for move in mover.moves)
        yield (
            "moves",
            f"{mover.unknown.label} is not known",
            mover.outcome.label,
            moves,
            mover.unknown.needs,
        )
    yield from _findings(comparison)
    yield from _labels(comparison)
    for score in rule_view.shown_scores(comparison):
        yield ("score", score.name, rule_view.score_text(comparison, score))
    yield from _practice(comparison)
    yield from order_lines(comparison)
    yield from _profile(comparison)
    yield from record_lines(comparison)
    for text in comparison.not_known:
        yield ("not known", text)
    yield from preference_lines(comparison, products=products)
    if sources:
        yield from _sources(comparison)
    yield _validation(comparison)
    yield ("intended use", comparison.intended_use)


def _stamp(comparison: Comparison) -> Iterator[Line]:
    software, evidence = comparison.software, comparison.evidence
    yield ("program", software.name, software.version)
    yield ("evidence", evidence.version, evidence.date, evidence.hash)


def _numbers(comparison: Comparison, options: tuple[Option, ...]) -> Iterator[Line]:
    yield (
        "columns",
        "outcome",
        "option",
        "of 100 patients, on average",
        "95 % interval",
        "next centre",
        "certainty",
        "remarks",
    )
    for group in arrange.groups_with_survival(comparison, "infusion"):
        yield ("outcomes", arrange.heading(group))
        for outcome in group.outcomes:
            yield from _outcome(comparison, outcome, options)
            if outcome.id == PFS:
                yield from computed_lines(comparison, options)
    if count := sentences.count_of_same(comparison, options):
        yield ("count", count)
    if comparison.tell_apart:
        yield ("tell apart", comparison.tell_apart)


def _sources(comparison: Comparison) -> Iterator[Line]:
    for reference in comparison.references:
        yield ("source", reference.key, reference.citation, *sentences.reference_ids(reference))


def _parts(comparison: Comparison, screen: FirstScreen, parts: Iterable[Part], products: bool) -> Iterator[Line]:
    """Parts that were asked for, between the patient and the foot of the first screen."""
    classes = arrange.class_options(comparison)
    of_part: dict[Part, Callable[[], Iterator[Line]]] = {
        "classes": lambda: _numbers(comparison, classes),
        "products": lambda: _numbers(comparison, tuple(o for o in comparison.options if o.kind == "product")),
        "pair": lambda: pair_lines(comparison),
        "findings": lambda: _findings(comparison),
        "labels": lambda: _labels(comparison),
        "practice": lambda: _practice(comparison),
        "order": lambda: order_lines(comparison),
        "weights": lambda: preference_lines(comparison, products=products),
        "sources": lambda: _sources(comparison),
    }
    yield from patient_lines(screen)
    wanted = tuple(parts)
    for part in wanted:
        yield from of_part[part]()
    if wanted:
        yield from _foot(comparison, screen)


def _first_screen(comparison: Comparison, screen: FirstScreen) -> Iterator[Line]:
    yield from patient_lines(screen)
    yield from first_screen_lines(screen)
    yield from _foot(comparison, screen)


def _foot(comparison: Comparison, screen: FirstScreen) -> Iterator[Line]:
    yield ("certainty", screen.certainty)
    yield from _stamp(comparison)
    yield ("intended use", comparison.intended_use)


def _validation(comparison: Comparison) -> Line:
    return ("validation", wording.how_good(), sentences.validation_command(comparison))


def _published(comparison: Comparison) -> Iterator[Line]:
    """Labelled regimens that the model does not hold: whose, which, and one line a figure."""
    for option in comparison.published_options:
        name = published.heading(option)
        yield ("published, not calculated", name, option.study)
        for figure in option.figures:
            yield ("published, not calculated", name, published.figure_text(figure))
        for text in (option.note, sentences.named_sources(option.sources)):
            if text:
                yield ("published, not calculated", name, text)


def _profile(comparison: Comparison) -> Iterator[Line]:
    profile = comparison.profile
    yield ("profile", profile.name or "as given", profile.setting.replace("_", " "))
    yield ("counted from", comparison.clock)
    for line in arrange.ledger(comparison):
        yield (
            "input",
            line.label,
            line.text,
            sentences.ledger_word(line),
            *([line.how] if sentences.ledger_origin(line) else []),
        )
    for text in arrange.also_given(comparison):
        yield ("also given, in no number", text)
    for text in arrange.given_for_findings(comparison):
        yield ("given for findings", text)


def _findings(comparison: Comparison) -> Iterator[Line]:
    """Every finding; here each that cannot be judged stands by itself."""
    for finding in comparison.findings:
        state = "cannot be judged" if finding.state == "cannot_be_judged" else "found"
        extra = (
            sentences.applies_to(comparison, finding),
            sentences.finding_facts(finding),
            sentences.finding_source(finding),
        )
        yield ("finding", finding.severity, state, finding.text, *(part for part in extra if part))


def _labels(comparison: Comparison) -> Iterator[Line]:
    for name, label in rule_view.shown_labels(comparison):
        yield ("label", label.region, label.date, name, rule_view.label_text(label))


def _practice(comparison: Comparison) -> Iterator[Line]:
    options = arrange.class_options(comparison)
    for row in rule_view.practice_rows(comparison):
        for option, text in zip(options, row.texts, strict=True):
            yield ("practice", row.label, option.label, text)


def _outcome(comparison: Comparison, outcome: Outcome, options: tuple[Option, ...]) -> Iterator[Line]:
    for option in options:
        estimate = arrange.estimate_of(outcome, option)
        notes = sentences.estimate_notes(estimate, comparison) if wording.has_number(estimate) else ()
        kind = "further product of the class" if estimate.further_product else "estimate"
        lines: list[Line] = [(kind, outcome.label, option.label, *_fields(outcome, estimate), *notes)]
        lines += [("published", outcome.label, option.label, published.figure_text(fig)) for fig in estimate.published]
        if rate := estimate.from_decision:
            place = 0 if comparison.clock == "decision" else len(lines)
            number = wording.count(rate.mean), wording.interval(rate.credible)
            lines.insert(place, (clock_words("decision"), outcome.label, option.label, *number))
        yield from lines
    classes = arrange.class_options(comparison)
    if len(classes) == 2:
        first, second = classes
        contrast = arrange.contrast_of(outcome, first, second)
        name = f"{first.label} minus {second.label}"
        if contrast is None:
            yield ("difference", outcome.label, name, f"not comparable: {sentences.contrast_reason(outcome)}")
        else:
            yield (
                "difference",
                outcome.label,
                name,
                wording.signed(contrast.risk_difference.mean),
                wording.signed_interval(contrast.risk_difference.interval),
                wording.probability_higher(contrast.probability_first_higher, first.label),
                wording.certainty(contrast.certainty),
            )
    same = sentences.same_for_every_patient(outcome, options)
    for note in (*([same] if same else []), *outcome.notes):
        yield ("note", outcome.label, note)


def _fields(outcome: Outcome, estimate: Estimate) -> Line:
    if estimate.mean is None or estimate.credible is None or not wording.has_number(estimate):
        return (survival.without_curve(outcome, estimate) or published.stated(estimate),)
    return (
        wording.count(estimate.mean),
        wording.interval(estimate.credible),
        wording.interval(estimate.prediction) if estimate.prediction else "not estimated",
        wording.certainty(estimate.certainty),
    )


def _explanation(comparison: Comparison, outcome: Outcome, products: bool) -> Iterator[Line]:
    yield ("explained", outcome.label, outcome.horizon)
    for option in comparison.options if products else arrange.class_options(comparison):
        estimate = arrange.estimate_of(outcome, option)
        for step in estimate.waterfall:
            change = "start" if step is estimate.waterfall[0] else wording.signed(step.change)
            yield ("step", outcome.label, option.label, step.label, change, wording.count(step.mean))
        if wording.has_number(estimate):
            for fact in (sentences.size(estimate), *sentences.estimate_facts(estimate, comparison)):
                yield ("fact", outcome.label, option.label, fact)
    yield from _contrast(comparison, outcome)
    explanation = arrange.explanation_of(comparison, outcome.id)
    if explanation is not None:
        yield from _behind(comparison, outcome, explanation)
    yield _validation(comparison)


def _survival_explanation(comparison: Comparison, options: Sequence[Option]) -> Iterator[Line]:
    outcome, label = survival.outcome_at(comparison, survival.MAIN), survival.title()
    yield ("explained", label, outcome.horizon)
    for option in options:
        estimate, row = arrange.estimate_of(outcome, option), survival.computed(comparison, option)
        shown = survival.figures(row, comparison.clock) if row else None
        if shown is None:
            yield ("curve", label, option.label, survival.without_figures(row))
            continue
        for time in shown.curve[1:]:
            ends = survival.whole_interval(time.credible)
            yield (
                "curve",
                label,
                option.label,
                survival.month_title(int(time.month)),
                wording.count(time.mean),
                wording.interval(ends) if ends else "",
            )
        for fact in (sentences.size(estimate), *sentences.estimate_facts(estimate, comparison)):
            yield ("fact", label, option.label, fact)
    yield from _contrast(comparison, outcome)
    for mover in arrange.movers_of(comparison, outcome):
        yield ("moves", label, sentences.mover_sentence(mover, comparison))
    explanation = comparison.survival_explanation
    if explanation is not None:
        yield from _effects(comparison, label, explanation.effects)
        for study, share in zip(explanation.studies, arrange.curve_weights(explanation), strict=True):
            yield (
                "study",
                label,
                sentences.option_label(comparison, study.class_id),
                study.name,
                ", ".join(sentences.option_label(comparison, product) for product in study.products),
                study.source,
                wording.DESIGNS[study.design],
                "; ".join(map(quoted.printed_point, study.points)),
                quoted.patients(study.n),
                quoted.counted_from(study.origin),
                wording.share(share),
                study.basis,
            )
        yield from _rest(label, explanation.left_out, explanation.method)
    yield _validation(comparison)


def _contrast(comparison: Comparison, outcome: Outcome) -> Iterator[Line]:
    classes = arrange.class_options(comparison)
    if len(classes) == 2:
        name = f"{classes[0].label} minus {classes[1].label}"
        for fact in sentences.contrast_facts(outcome, *classes):
            yield ("fact", outcome.label, name, fact)


def _effects(comparison: Comparison, label: str, effects: Iterable[EffectLine]) -> Iterator[Line]:
    for effect in effects:
        option = sentences.option_label(comparison, effect.class_id)
        ratio = wording.odds_ratio(effect.log_odds_ratio, effect.interval)
        yield ("odds ratio", label, option, effect.label, ratio, effect.unit, effect.origin)
        for text in effect.evidence:
            yield ("odds ratio from", label, option, effect.label, text)


def _rest(label: str, left_out: Iterable[str], method: str) -> Iterator[Line]:
    for text in left_out:
        yield ("left out", label, text)
    yield ("method", label, method)


def _behind(comparison: Comparison, outcome: Outcome, explanation: Explanation) -> Iterator[Line]:
    yield from _effects(comparison, outcome.label, explanation.effects)
    if explanation.same_effect_test:
        yield ("test", outcome.label, explanation.same_effect_test)
    for study, share in zip(explanation.studies, arrange.weights(explanation), strict=True):
        yield (
            "study",
            outcome.label,
            sentences.option_label(comparison, study.option),
            study.name,
            study.source,
            wording.DESIGNS[study.design],
            f"{study.events}/{study.n}",
            wording.follow_up(study.follow_up_months),
            wording.share(share),
            study.basis,
        )
    yield from _rest(outcome.label, explanation.left_out, explanation.method)
