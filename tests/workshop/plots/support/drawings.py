"""Forests to draw, and what a drawing says when it is read back as XML."""

from __future__ import annotations

from xml.etree import ElementTree

from bcma_decide.workshop.plots.values import Forest, ForestGroup, ForestLine, PooledLine

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert("1")</script> & \x1b[31m ]]> \u202e{{ 7*7 }}'


def read(drawing: str) -> ElementTree.Element:
    """The drawing as XML, which it must be."""
    return ElementTree.fromstring(drawing)


def marks(drawing: str, name: str) -> list[ElementTree.Element]:
    """All elements of that class."""
    return [element for element in read(drawing).iter() if element.get("class") == name]


def words(drawing: str) -> list[str]:
    """All printed words, without their titles."""
    return [
        (element.text or "") + "".join(child.tail or "" for child in element)
        for element in read(drawing).iter(SVG + "text")
    ]


def described(drawing: str) -> str:
    """What a screen reader says beyond the title."""
    return read(drawing).find(SVG + "desc").text


def numbers(element: ElementTree.Element, *names: str) -> tuple[float, ...]:
    """Attributes as numbers."""
    return tuple(float(element.get(name)) for name in names)


def proportions(studies: int = 3, *, label: str = "Study", grouped: bool = False) -> Forest:
    """Studies at 20 %, 40 %, 60 % and so on over again, and a pooled 40 % (30 % to 50 %)."""
    lines = tuple(
        ForestLine(f"{label} {i}", 0.2 * (1 + i % 4), 0.1, 0.9, 100 / studies, 2 * (1 + i % 4), 10)
        for i in range(studies)
    )
    pooled = PooledLine("All studies", 0.4, 0.3, 0.5, prediction=(0.15, 0.8), note="I² 50 %")
    if not grouped:
        return Forest("Response", "Response, percent", "proportion", (ForestGroup("", lines),), pooled)
    half = studies // 2
    groups = (
        ForestGroup("First", lines[:half], PooledLine("Subtotal", 0.35, 0.25, 0.45, note="I² 20 %")),
        ForestGroup("Second", lines[half:], PooledLine("Subtotal", 0.45, 0.35, 0.55)),
    )
    return Forest("Response", "Response, percent", "proportion", groups, pooled)


def ratios() -> Forest:
    """Ratios of 0.5 and 2 about 1, one interval far beyond the others."""
    lines = (
        ForestLine("Low", 0.5, 0.3, 0.8, 50.0),
        ForestLine("High", 2.0, 1.0, 4.0, 40.0),
        ForestLine("Wide", 1.0, 0.001, 1000.0, 10.0),
    )
    overall = PooledLine("All studies", 1.0, 0.7, 1.4)
    return Forest("Ratios", "Risk ratio", "ratio", (ForestGroup("", lines),), overall, reference=1.0)
