"""Findings by option, labels, scores and practical facts: what is shown and in which words, for all faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

from bcma_decide.comparison import Comparison, Finding, Indication, IndicationItem, PracticalLine, ScoreLine
from bcma_decide.render.words import arrange, sentences
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import pointed
from bcma_decide.vocabulary import SEVERITIES, UNVERIFIED, Basis, LabelState

BOTH: Final = "both"


def open_title() -> str:
    """Heading over what cannot be judged yet."""
    return _("Cannot be judged yet")


def rank_word(rank: str) -> str:
    """Rank of a finding, or of what an open one needs, in a word."""
    words = {
        "contraindication": _("contraindication"),
        "caution": _("caution"),
        "information": _("information"),
        "unverified": _("unverified"),
    }
    return words[rank]


def basis_word(basis: Basis) -> str:
    """How a count or a fact is known, in a word."""
    words: dict[Basis, str] = {"verified": _("verified"), "derived": _("derived"), "recalled": _("recalled")}
    return words[basis]


def label_word(state: LabelState) -> str:
    """State of a label in words: ``label met``."""
    words: dict[LabelState, str] = {
        "met": _("label met"),
        "not_met": _("not met"),
        "cannot_be_judged": _("cannot be judged"),
    }
    return words[state]


@dataclass(frozen=True)
class FindingGroup:
    """Findings of the input, of both options, of one option, or all unverified ones; worst first.

    ``place``: empty for the input, ``both``, the id of a class, or the basis of the unverified ones.
    """

    place: str
    title: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class OpenFindings:
    """What findings of one rank need before they can be judged; each input stands under the worst rank only."""

    rank: str
    needs: tuple[str, ...]


def finding_groups(comparison: Comparison) -> tuple[FindingGroup, ...]:
    """Group the findings that fire per option; those from background knowledge stand apart, at the end."""
    classes = [option.id for option in arrange.class_options(comparison)]
    titles = {"": _("The input"), BOTH: _("Both options")}
    titles |= {option: sentences.option_label(comparison, option) for option in classes}
    titles[UNVERIFIED] = _("Unverified: trial-entry thresholds and the like, known from background only")
    grouped: dict[str, list[Finding]] = {place: [] for place in titles}
    parents = class_of(comparison)
    for finding in arrange.findings(comparison):
        if finding.state == "fires":
            grouped[UNVERIFIED if finding.basis == UNVERIFIED else _place(parents, finding)].append(finding)
    return tuple(
        FindingGroup(place, titles[place], tuple(sorted(found, key=lambda each: SEVERITIES.index(each.severity))))
        for place, found in grouped.items()
        if found
    )


def class_of(comparison: Comparison) -> dict[str, str]:
    """Class of every option and product."""
    parents: dict[str, str] = {option.id: option.class_id for option in comparison.options}
    return parents | {product: label.class_id for product, label in comparison.indications.items()}


def _place(parents: dict[str, str], finding: Finding) -> str:
    """Class a finding concerns; empty for the input, ``both`` for the two of them."""
    concerned = {parents.get(option, option) for option in arrange.concerned(finding)}
    return "" if not concerned else BOTH if len(concerned) > 1 else concerned.pop()


def open_findings(comparison: Comparison) -> tuple[OpenFindings, ...]:
    """What is missing to judge the rest, worst rank first; an input of one class only says which."""
    ranked: dict[str, dict[str, set[str]]] = {rank: {} for rank in (*SEVERITIES, "unverified")}
    parents = class_of(comparison)
    for finding in comparison.findings:
        if finding.state == "cannot_be_judged":
            needed = ranked["unverified" if finding.basis == UNVERIFIED else finding.severity]
            for need in finding.needs:
                needed.setdefault(need, set()).add(_place(parents, finding))
    said: set[str] = set()
    result = []
    for rank, needs in ranked.items():
        fresh = {need: places for need, places in needs.items() if need not in said}
        said |= fresh.keys()
        if fresh:
            result.append(OpenFindings(rank, tuple(_need(comparison, *each) for each in fresh.items())))
    return tuple(result)


def _need(comparison: Comparison, need: str, places: set[str]) -> str:
    alone = next(iter(places)) if len(places) == 1 else ""
    return f"{need} ({sentences.option_label(comparison, alone)})" if alone not in ("", BOTH) else need


def finding_text(comparison: Comparison, finding: Finding, group: FindingGroup) -> str:
    """Rank, the options where the group's title does not say them, the text, and what it rests on in brackets."""
    whom = sentences.applies_to(comparison, finding)
    said = whom in ("", group.title) or group.place == BOTH
    rank = rank_word(finding.severity)
    lead = rank if said else f"{rank}, {whom}"
    extra = sentences.finding_ground(finding)
    return f"{lead}: {finding.text}" + (f" ({extra})" if extra else "")


def open_text(open_findings: OpenFindings) -> str:
    """``contraindication: needs active infection; pregnancy (CAR-T)``."""
    return _("{rank}: needs {inputs}").format(rank=rank_word(open_findings.rank), inputs="; ".join(open_findings.needs))


def open_needs(open_findings: OpenFindings) -> str:
    """Return the same without the rank."""
    return _("needs {inputs}").format(inputs="; ".join(open_findings.needs))


def label_heading(comparison: Comparison) -> str:
    """Which labels: region, day, and up to when they were seen."""
    labels = comparison.labels
    if labels.aged_months is not None:
        return _(
            "Labels: {region} on {date} (labels seen up to {seen_until}, older than {months} months on that day)"
        ).format(region=labels.region, date=labels.date, seen_until=labels.seen_until, months=labels.aged_months)
    return _("Labels: {region} on {date} (labels seen up to {seen_until})").format(
        region=labels.region, date=labels.date, seen_until=labels.seen_until
    )


def shown_labels(comparison: Comparison) -> tuple[tuple[str, Indication], ...]:
    """The options compared, and other products that have a label in the region; the single agent first."""
    options = {option.id for option in comparison.options}
    rows = []
    for product, label in comparison.indications.items():
        if product in options or label.since:
            rows.append((label.label, label))
            others = (other for other in label.other_regimens if other.since or other.approval == "pending")
            rows += [(f"{label.label} {other.regimen}", other) for other in others]
    return tuple(rows)


def label_text(label: Indication) -> str:
    """Since when the label is in force, and what it asks for: what is not met first, then what is open."""
    items = sorted(label.items, key=lambda item: ("not_met", "cannot_be_judged", "met").index(item.state))
    if label.state == "not_met":
        items = [item for item in items if item.state != "met"]
    word, asked = label_word(label.state), "; ".join(_item_text(item) for item in items)
    seen = ""
    if label.aged_months is not None:
        seen = _("; seen {date}, older than {months} months").format(date=label.seen, months=label.aged_months)
    if label.since:
        return _("{state}, since {date}: {items}").format(state=word, date=label.since, items=asked) + seen
    return f"{word}: {asked}{seen}"


def label_lines(comparison: Comparison) -> tuple[str, ...]:
    """Labels in one line each: met, what is not, or what has to be known; those that say the same together."""
    grouped: dict[str, list[str]] = {}
    for name, label in shown_labels(comparison):
        grouped.setdefault(_label_in_short(label), []).append(name)
    return tuple(f"{', '.join(names)}: {text}" for text, names in grouped.items())


def _label_in_short(label: Indication) -> str:
    if label.state == "cannot_be_judged":
        needs = dict.fromkeys(need for item in label.items for need in item.needs)
        return _("{state}, needs {needs}").format(state=label_word(label.state), needs=", ".join(needs))
    return label_word(label.state) if label.state == "met" else label_text(label)


def _item_text(item: IndicationItem) -> str:
    if item.state == "met":
        return item.text
    if item.state == "cannot_be_judged":
        return _("{item}: needs {inputs}").format(item=item.text, inputs=", ".join(item.needs))
    if item.value:
        return _("{item}: no ({value})").format(item=item.text, value=item.value)
    return _("{item}: no").format(item=item.text)


def shown_scores(comparison: Comparison) -> tuple[ScoreLine, ...]:
    """Scores about which at least one input is known."""
    return tuple(score for score in comparison.scores if score.low is not None and _begun(score))


def _begun(score: ScoreLine) -> bool:
    return any(not item.missing for item in score.items)


def score_value(score: ScoreLine) -> str:
    """``3 of 7: high``, ``1 to 4 of 7: cannot be told yet``, ``47 mL/min``."""
    if score.low is None or score.high is None:
        return _("cannot be worked out")
    if score.unit == "" and score.possible_groups:
        return _("stage {stages}").format(stages=_either(score.possible_groups))
    value = _number(score.low)
    if score.low != score.high:
        value = _("{low} to {high}").format(low=value, high=_number(score.high))
    if score.highest is None:
        return f"{value} {score.unit}".strip()
    group = score.group or _("{groups}, not settled").format(groups=_either(score.possible_groups))
    return _("{value} of {highest}: {group}").format(value=value, highest=f"{score.highest:g}", group=group)


def _either(groups: Sequence[str]) -> str:
    if not groups:
        return ""
    return reduce(lambda first, second: _("{first} or {second}").format(first=first, second=second), groups)


def _number(value: float) -> str:
    return pointed(f"{value:.3g}")


def score_text(comparison: Comparison, score: ScoreLine) -> str:
    """Value, what is missing, what was published for the category, and for whom it says anything."""
    parts = [score_value(score)]
    if score.needs:
        parts.append(_("needs {inputs}").format(inputs=", ".join(score.needs)))
    parts += score.outcomes
    if len(score.applies_to) == 1:
        parts.append(_("{option} only").format(option=sentences.option_label(comparison, score.applies_to[0])))
    return "; ".join(parts)


@dataclass(frozen=True)
class PracticeLine:
    """One topic of the practical facts, one text per class."""

    label: str
    texts: tuple[str, ...]


def practice_rows(comparison: Comparison) -> tuple[PracticeLine, ...]:
    """The short view of what giving each class takes; products that differ are named."""
    rows = []
    for row in comparison.practice:
        if row.shown:
            texts = tuple(
                _class_text(comparison, {p: row.facts[p] for p in _members(comparison, option.id) if p in row.facts})
                for option in arrange.class_options(comparison)
            )
            if any(texts):
                rows.append(PracticeLine(row.label, tuple(text or _("no fact on it here") for text in texts)))
    return tuple(rows)


def _members(comparison: Comparison, class_id: str) -> tuple[str, ...]:
    return tuple(o.id for o in comparison.options if o.kind == "product" and o.class_id == class_id)


def _class_text(comparison: Comparison, facts: dict[str, tuple[PracticalLine, ...]]) -> str:
    """What all products share stands first, without their names; the same words of several stand once."""
    shared = [line for line in next(iter(facts.values()), ()) if all(line in lines for lines in facts.values())]
    common = "; ".join(practical_text(line) for line in shared if len(facts) > 1)
    said: dict[str, list[str]] = {}
    for product, lines in facts.items():
        own = [line for line in lines if len(facts) == 1 or line not in shared]
        if own:
            text = "; ".join(practical_text(line) for line in own)
            said.setdefault(text, []).append(sentences.option_label(comparison, product))
    return ". ".join(filter(None, [common, *(f"{', '.join(names)}: {text}" for text, names in said.items())]))


def practical_text(line: PracticalLine) -> str:
    """The fact, and whether it was not seen in a source."""
    return _("{fact} (unverified)").format(fact=line.text) if line.basis == UNVERIFIED else line.text
