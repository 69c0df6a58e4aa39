"""What the data can and cannot tell apart between the products, as a sentence by stated rules.

At each outcome, of the products shown that have a number of their own:

1. one that is higher than every other: ``cilta-cel above the others``; lower than every other: ``below the others``;
2. otherwise, every CAR-T higher than every bispecific antibody, or lower: ``CAR-T above bispecifics``;
3. otherwise each product with those it is higher than: ``cilta-cel above teclistamab and elranatamab``;
4. no pair told apart: the outcome is named under *Not*.

Outcomes with the same words are named together. What fewer than two products have a number for is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from bcma_decide.comparison import Comparison
from bcma_decide.render.words.language import gettext as _
from bcma_decide.vocabulary import PFS

OUTCOMES: Final = (
    "orr",
    "cr_or_better",
    PFS,
    "crs_g3plus",
    "icans_any",
    "icans_g3plus",
    "infection_g3plus",
    "treatment_related_death",
)
"""Those of the first screen, in its order."""


def names() -> dict[str, str]:
    """What an outcome is called inside the sentence."""
    return {
        "orr": _("response"),
        "cr_or_better": _("CR"),
        PFS: _("no progression at 12 months"),
        "crs_g3plus": _("CRS grade 3+"),
        "icans_any": _("ICANS"),
        "icans_g3plus": _("ICANS grade 3+"),
        "infection_g3plus": _("infection grade 3+"),
        "treatment_related_death": _("treatment-related death"),
    }


def sentences(comparison: Comparison, shown: Collection[str]) -> tuple[str, ...]:
    """What can be told apart among the products ``shown``, and what cannot; empty where nothing is compared."""
    found = {each.outcome: each for each in comparison.apart}
    label = {option.id: product_name(option.label) for option in comparison.options}
    class_of = {option.id: option.class_id for option in comparison.options}
    phrases: dict[str, list[str]] = {}
    alike = []
    for outcome in OUTCOMES:
        if outcome not in found:
            continue
        each = found[outcome]
        compared = [product for product in each.compared if product in shown]
        pairs = [pair for pair in each.pairs if set(pair) <= set(compared)]
        if len(compared) < 2:
            continue
        if pairs:
            phrases.setdefault(phrase(compared, pairs, label, class_of), []).append(names()[outcome])
        else:
            alike.append(names()[outcome])
    said = []
    if phrases:
        parts = [_("{outcomes}: {phrase}").format(outcomes=listed(of), phrase=words) for words, of in phrases.items()]
        said.append(_("What the data can tell apart: {parts}.").format(parts="; ".join(parts)))
        if alike:
            said.append(_("Not: {outcomes}.").format(outcomes=listed(alike)))
    elif alike:
        said.append(_("The data cannot tell the products apart for {outcomes}.").format(outcomes=listed(alike)))
    return tuple(said)


def phrase(
    compared: Sequence[str],
    pairs: Collection[tuple[str, str]],
    label: Mapping[str, str],
    class_of: Mapping[str, str],
) -> str:
    """Put the pairs of one outcome, the higher product first, into the fewest words that say all of them.

    An extreme product or class is named only if that says every pair.
    """
    told = set(pairs)
    for product in compared:
        others = [other for other in compared if other != product]
        if told == {(product, other) for other in others}:
            return _above([product], others, label, all_others=True)
        if len(others) > 1 and told == {(other, product) for other in others}:
            return _("{product} below the others").format(product=label[product])
    cars, bispecifics = ([each for each in compared if class_of[each] == c] for c in ("car_t", "bite"))
    if told == {(high, low) for high in cars for low in bispecifics}:
        return _("CAR-T above bispecifics")
    if told == {(high, low) for high in bispecifics for low in cars}:
        return _("bispecifics above CAR-T")
    lower: dict[tuple[str, ...], list[str]] = {}
    for product in compared:
        under = tuple(low for low in compared if (product, low) in told)
        if under:
            lower.setdefault(under, []).append(product)
    return ", ".join(_above(high, under, label, all_others=False) for under, high in lower.items())


def _above(high: Sequence[str], low: Sequence[str], label: Mapping[str, str], *, all_others: bool) -> str:
    higher = listed([label[product] for product in high])
    if all_others and len(low) > 1:
        return _("{product} above the others").format(product=higher)
    return _("{product} above {others}").format(product=higher, others=listed([label[product] for product in low]))


def listed(names_of: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(names_of) < 2:
        return "".join(names_of)
    return _("{first} and {last}").format(first=", ".join(names_of[:-1]), last=names_of[-1])


def product_name(label: str) -> str:
    """A name inside a line; one with another capital, such as Tec-Dara, keeps its first."""
    return label[:1].lower() + label[1:] if label[1:].islower() else label
