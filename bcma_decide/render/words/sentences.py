"""Sentences about a comparison, the same on every face; each speaks from the comparison alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bcma_decide.behind import Move
from bcma_decide.comparison import Comparison, Estimate, Finding, Option, Outcome, Reference, TraitLine, Unknown
from bcma_decide.render.words import wording
from bcma_decide.render.words.arrange import Mover, concerned, contrast_of, estimate_of
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import ngettext
from bcma_decide.vocabulary import CLASSES, TRAIT_LABELS, UNVERIFIED

VALIDATION: Final = "validation"
"""The page of the guide that says how good the numbers are."""


def trait_label(comparison: Comparison, trait: str) -> str:
    """Label of a trait as the ledger has it; a text that names no trait stays as it is."""
    lines = (*comparison.profile.traits, *comparison.profile.carried)
    return next((line.label for line in lines if line.trait == trait), TRAIT_LABELS.get(trait, trait))


def option_label(comparison: Comparison, option: str) -> str:
    """Label of an option by its identifier, or of a class by its own."""
    labels: dict[str, str] = {known.class_id: known.label for known in comparison.options if known.kind == "class"}
    labels |= {product: label.label for product, label in comparison.indications.items()}
    labels |= {known.id: known.label for known in comparison.options}
    return labels.get(option, option)


def ledger_word(line: TraitLine) -> str:
    """State of an input in words: used or not, and where it comes from."""
    if line.state == "contradiction":
        return _("check input")
    if line.state == "unknown":
        return _("unknown") if line.used else _("unknown, in no number")
    if not line.used:
        return _("no own effect")
    return _("used, given") if line.state == "given" else _("used, derived")


def ledger_origin(line: TraitLine) -> str:
    """Return where a value comes from or what an unknown one needs, in brackets; empty if plain."""
    how = line.how.removeprefix("given; ")
    return f" ({how})" if how and how != line.state else ""


def origin_word(origin: str | None) -> str:
    """Kind of source that a finding comes from, in a word: ``trial entry``; empty if there is none."""
    words = {
        "label": _("label"),
        "consensus": _("consensus"),
        "trial_entry": _("trial entry"),
        "study": _("study"),
        "expert": _("expert view"),
    }
    return words.get(origin or "", "")


def finding_extra(comparison: Comparison, finding: Finding) -> str:
    """Whom a finding concerns, its facts and its sources."""
    return "; ".join(part for part in (applies_to(comparison, finding), finding_ground(finding)) if part)


def finding_ground(finding: Finding) -> str:
    """What a finding rests on: its facts and its sources."""
    return "; ".join(part for part in (finding_facts(finding), finding_source(finding)) if part)


def finding_source(finding: Finding) -> str:
    """Where a finding comes from: what kind of source, as of when, its key; empty for the input itself."""
    if finding.basis == UNVERIFIED:
        return _("unverified")
    kind, date = origin_word(finding.origin), finding.date or ""
    dated = _("{origin} {date}").format(origin=kind, date=date) if kind and date else kind or date
    return "; ".join(part for part in (dated, named_sources(finding.sources)) if part)


def named_sources(sources: Iterable[str]) -> str:
    """Keys of the sources: ``source: label-2024``; empty if there is none."""
    keys = ", ".join(sources)
    return _("source: {sources}").format(sources=keys) if keys else ""


def finding_facts(finding: Finding) -> str:
    """Return the value against its threshold, and what is missing to judge it."""
    parts = []
    if finding.value:
        parts.append(_("here: {value}").format(value=finding.value))
    if finding.threshold and not (finding.value or "").startswith(f"{finding.threshold}: "):
        parts.append(_("threshold: {threshold}").format(threshold=finding.threshold))
    if finding.needs:
        parts.append(_("needs: {inputs}").format(inputs=", ".join(finding.needs)))
    return "; ".join(parts)


def applies_to(comparison: Comparison, finding: Finding) -> str:
    """Which options a finding speaks of, as words; empty for the profile itself."""
    return ", ".join(dict.fromkeys(option_label(comparison, value) for value in concerned(finding)))


def estimate_notes(estimate: Estimate, comparison: Comparison) -> tuple[str, ...]:
    """Why a field holds no number, or where it goes beyond the evidence."""
    if not wording.has_number(estimate):
        return (estimate.reason,) if estimate.reason else ()
    if estimate.outside_evidence:
        return (_("outside the evidence: {traits}").format(traits=_labels(comparison, estimate.outside_evidence)),)
    return ()


def after_with(estimate: Estimate, option: Option) -> str:
    """What an option is called after *with*, never as if a number of the class were its own."""
    if not estimate.further_product:
        return option.long_label
    return _("a further product of the class ({option} has no counts of its own here)").format(option=option.label)


def same_for_every_patient(outcome: Outcome, options: Iterable[Option]) -> str:
    """Which numbers of a row no trait moves; empty if all are moved by some."""
    numbers = [(option, estimate_of(outcome, option)) for option in options]
    numbers = [(option, estimate) for option, estimate in numbers if wording.has_number(estimate)]
    same = [option.label for option, estimate in numbers if estimate.same_for_every_patient]
    if not same:
        return ""
    if len(same) == len(numbers):
        return _("same for every patient: no trait moves it")
    return _("same for every patient, {options}: no trait moves it").format(options=", ".join(same))


def count_of_same(comparison: Comparison, options: Iterable[Option]) -> str:
    """How many of the numbers shown no trait moves, in one line; empty if there is none."""
    shown = [estimate_of(outcome, option) for outcome in comparison.outcomes for option in options]
    shown = [estimate for estimate in shown if wording.has_number(estimate)]
    same = sum(estimate.same_for_every_patient for estimate in shown)
    if not same:
        return ""
    return _("Same for every patient: {same} of these {all} numbers; no trait moves them.").format(
        same=same, all=len(shown)
    )


def validation_command(comparison: Comparison) -> str:
    """The call that shows how good the numbers are."""
    return f"{comparison.software.name} guide {VALIDATION}"


def estimate_facts(estimate: Estimate, comparison: Comparison) -> tuple[str, ...]:
    """Return what an estimate rests on and what it leaves aside, one sentence each."""
    named = (
        (_("Traits that move it: {traits}."), estimate.informed_traits),
        (_("Of these, effect seen in the other class only: {traits}."), estimate.borrowed_traits),
        (_("Known, but no evidence ties them to this outcome: {traits}."), estimate.uninformed_traits),
        (_("Outside the evidence: {traits}."), estimate.outside_evidence),
    )
    stated = (
        (
            estimate.further_product,
            _("No counts of this product here: the number is that of a further product of the class."),
        ),
        (estimate.same_for_every_patient, _("Same for every patient: no trait moves this number.")),
    )
    facts = [sentence for holds, sentence in stated if holds]
    facts += [sentence.format(traits=_labels(comparison, traits)) for sentence, traits in named if traits]
    facts.append(_("Certainty {certainty}.").format(certainty=wording.certainty_phrase(estimate.certainty)))
    if estimate.reasons:
        facts.append(_("Why: {reasons}.").format(reasons="; ".join(estimate.reasons)))
    return tuple(facts)


def size(estimate: Estimate) -> str:
    """How much evidence stands behind an estimate: ``9 studies, 812 patients, median follow-up 17 months``."""
    studies = ngettext("{n} study", "{n} studies", estimate.n_studies).format(n=estimate.n_studies)
    patients = ngettext("{n} patient", "{n} patients", estimate.n_patients).format(n=estimate.n_patients)
    if estimate.follow_up_months is None:
        return _("{studies}, {patients}, follow-up not reported.").format(studies=studies, patients=patients)
    return _("{studies}, {patients}, median follow-up {time}.").format(
        studies=studies, patients=patients, time=wording.follow_up(estimate.follow_up_months)
    )


def waterfall_title(option: Option, outcome: Outcome) -> str:
    """What the drawing of the steps to this patient shows."""
    return _("Steps to this patient, {option}, {outcome}").format(option=option.label, outcome=outcome.label)


def difference_label(first: Option, second: Option) -> str:
    """Which way round a difference is taken: ``CAR-T minus Bispecific``."""
    return _("{first} minus {second}").format(first=first.label, second=second.label)


def contrast_reason(outcome: Outcome) -> str:
    """Why a row has no difference; the reason of a number that is withheld stands with the number."""
    if any(outcome.estimates[each].state == "withheld" for each in CLASSES if each in outcome.estimates):
        return _("a number is withheld")
    return outcome.contrast_reason or _("no number for one of the two")


def contrast_facts(outcome: Outcome, first: Option, second: Option) -> tuple[str, ...]:
    """Return the difference in sentences: as it is, without its bias term, and what would undo it."""
    contrast = contrast_of(outcome, first, second)
    if contrast is None:
        return (_("Not comparable: {reason}.").format(reason=contrast_reason(outcome)),)
    higher = contrast.probability_first_higher
    bare = contrast.without_bias_term
    tipping = wording.odds_ratio_alone(contrast.tipping_point_log_or)
    facts = [
        wording.contrast_sentence(contrast, first.long_label, second.long_label, outcome.plain),
        f"{wording.probability_phrase(higher, first.label, contrast.certainty)}.",
        _("If the two sets of studies were perfectly comparable: {difference}; {probability}.").format(
            difference=wording.difference(bare.risk_difference),
            probability=wording.probability_higher(bare.probability_first_higher, first.label),
        ),
        _(
            "The two would be equal if unmeasured differences between the studies amounted to an odds ratio of "
            "{ratio} ({first} over {second})."
        ).format(ratio=tipping, first=first.label, second=second.label),
        _("Certainty {certainty}, that of the less certain option.").format(
            certainty=wording.certainty_phrase(contrast.certainty)
        ),
    ]
    return tuple(facts)


def mover_sentence(mover: Mover, comparison: Comparison) -> str:
    """Return what knowing a trait would do: that it is not known, its largest move, how to know it."""
    moves = "; ".join(move_sentence(move, comparison) for move in mover.moves)
    names = {"trait": mover.unknown.label, "outcome": mover.outcome.label, "moves": moves}
    if mover.unknown.needs:
        return _("{trait} is not known ({needs}). {outcome}: {moves}.").format(needs=mover.unknown.needs, **names)
    return _("{trait} is not known. {outcome}: {moves}.").format(**names)


def move_sentence(move: Move, comparison: Comparison) -> str:
    """One move in words: ``CAR-T 60 of 100 if present, 72 if absent``."""
    return _("{option} {low} of 100 if {low_when}, {high} if {high_when}").format(
        option=option_label(comparison, move.option),
        low=wording.count(move.low),
        low_when=_condition(move.low_when),
        high=wording.count(move.high),
        high_when=_condition(move.high_when),
    )


def would_be(option: Option, move: Move) -> str:
    """The same without its trait and its denominator: ``CAR-T 60 if present, 72 if absent``."""
    return _("{option} {low} if {low_when}, {high} if {high_when}").format(
        option=option.label,
        low=wording.count(move.low),
        low_when=_condition(move.low_when),
        high=wording.count(move.high),
        high_when=_condition(move.high_when),
    )


def by_value(unknown: Unknown, move: Move) -> str:
    """What each value of an unknown trait would make of a number: ``Ferritin: 27 if present, 54 if absent``."""
    return _("{trait}: {low} if {low_when}, {high} if {high_when}").format(
        trait=unknown.label,
        low=wording.count(move.low),
        low_when=_condition(move.low_when),
        high=wording.count(move.high),
        high_when=_condition(move.high_when),
    )


def legend(comparison: Comparison, options: Iterable[Option]) -> tuple[str, ...]:
    """Return what the numbers of these options mean, in the words of this comparison only."""
    shown = tuple(options)
    estimates = [estimate_of(outcome, option) for outcome in comparison.outcomes for option in shown]
    lines = [
        _(
            "Number: of 100 patients like this, the average (mean) over centres and over everything not known of the "
            "patient. Its 95 % interval is what the studies leave open about that average, not which patient this is. "
            "Next centre: 95 % interval at one centre not yet studied. Differences are taken before rounding and allow "
            "for the lack of randomisation."
        )
    ]
    if any(estimate.from_decision for estimate in estimates):
        lines.append(
            _(
                "From the decision: counted from apheresis; patients who never reach the infusion count as not "
                "having the result."
            )
        )
    if any(line.value is not None and not line.used for line in comparison.profile.traits):
        lines.append(
            _(
                "No own effect: contrasts inside studies tell too little for the trait to move a number here; what "
                "single studies say of it is a finding."
            )
        )
    if any(estimate.further_product for estimate in estimates):
        lines.append(
            _(
                "Further product: the product has no counts of its own for that outcome; the number is what the class "
                "gives for a further product of it, with the spread between products in its interval."
            )
        )
    if any(estimate.state == "withheld" for estimate in estimates):
        lines.append(
            _(
                "Number withheld: published data of patients like this contradict the model, or nobody like this was "
                "studied; the published figures stand in its place."
            )
        )
    used = {estimate.certainty for estimate in estimates}
    used |= {outcome.contrast.certainty for outcome in comparison.outcomes if outcome.contrast}
    levels = [wording.certainty_phrase(level) for level in wording.certainty_words() if level in used]
    if levels:
        lines.append(_("Certainty: {levels}.").format(levels="; ".join(levels)))
    return tuple(lines)


def reference_ids(reference: Reference) -> tuple[str, ...]:
    """PMID, DOI and address of a reference, as far as known."""
    found = (("PMID", reference.pmid), ("doi", reference.doi), ("", reference.url))
    return tuple(f"{name} {value}".strip() for name, value in found if value)


def _labels(comparison: Comparison, traits: Iterable[str]) -> str:
    return ", ".join(trait_label(comparison, trait) for trait in traits)


def _condition(text: str) -> str:
    return text.removeprefix("if ").removeprefix("If ")
