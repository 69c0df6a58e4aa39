"""The shape of one field of a profile: how it is asked, what it may hold, and what it speaks for."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Kind = Literal["whole", "yes_no", "stage", "choice", "quantity", "drugs", "courses"]

PERSON: Final = "Person and fitness"
DISEASE: Final = "Disease"
TREATMENT: Final = "Earlier treatment"
KIDNEY: Final = "Kidney"
LABORATORY: Final = "Laboratory"
INFECTION: Final = "Infection and immunity"
ORGANS: Final = "Heart, lung and liver"
NERVES: Final = "Nervous system"
CONDITIONS: Final = "Other conditions and treatments"
PRACTICE: Final = "Practical matters"
PANELS: Final = (
    PERSON,
    DISEASE,
    TREATMENT,
    KIDNEY,
    LABORATORY,
    INFECTION,
    ORGANS,
    NERVES,
    CONDITIONS,
    PRACTICE,
)


class Unit(NamedTuple):
    """A unit a value may come in: as shown, spelled out as ``milligram/deciliter``, and its other spellings."""

    name: str
    spelled_out: str
    spellings: tuple[str, ...] = ()
    molar_mass: float | None = None
    """Grams per mole, where the unit counts moles and the field is kept by mass."""
    loose: tuple[str, ...] = ()
    """Spellings that are read, and shown as read."""
    convention: str = ""
    """By which convention it is converted, where there is more than one; shown with the value."""


class ProfileField(NamedTuple):
    """One field: what it is, how it is asked, what it may hold, and for which traits it speaks."""

    id: str
    label: str
    kind: Kind
    panel: str
    question: str
    definition: str
    why: str
    low: float = 0
    high: float = 0
    units: tuple[Unit, ...] = ()
    unit_optional: bool = False
    """A bare number is taken in the first unit."""
    example: str = ""
    feeds: tuple[str, ...] = ()
    """Traits of the model that can follow from it; none: shown, in no number."""
    rules: tuple[str, ...] = ()
    """Definitions to show beside its own, by trait."""
    skip_if: str = ""
    """A field that makes this question needless once it is answered."""
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What may be chosen, each with its other spellings."""
    never: bool = False
    """A time that may also be *never*: kept as infinitely long ago."""
    test: bool = False
    """A yes-or-no field that is a test result: positive or negative."""
    staged: bool = False
    """A kidney function, which may be named by its stage."""
    findings_only: bool = False
    """Used by rules and labels, in no number."""

    @property
    def unit(self) -> str:
        """The unit values are kept in."""
        return self.units[0].name if self.units else ""

    @property
    def is_time(self) -> bool:
        """Whether it is a length of time: nobody counts weeks by the thousand."""
        return bool(self.units) and self.units[0].spelled_out == "week"

    @property
    def option(self) -> str:
        """Its option on the command line."""
        name = "prior_bcma_course" if self.id == "prior_bcma_courses" else self.id
        return "--" + name.replace("_", "-")

    @property
    def answer(self) -> str:
        """What may be answered, in a few words."""
        return (
            _ANSWERS[self.kind]
            .format(
                low=self.low,
                high=self.high,
                unit=self.unit,
                units=or_list([unit.name for unit in self.units]),
                choices=or_list([name for name, _ in self.choices]),
            )
            .strip()
        ) + (", or never" if self.never else "")


_ANSWERS: Final[dict[Kind, str]] = {
    "whole": "whole number, {low:g} to {high:g} {unit}",
    "yes_no": "yes or no",
    "stage": "1 to 3, or I to III",
    "choice": "{choices}",
    "quantity": "number in {units}",
    "drugs": "names, separated by commas",
    "courses": "kind:months since, separated by commas; kinds adc, car_t, bispecific",
}


def or_list(words: list[str] | tuple[str, ...]) -> str:
    """Write ``a``, ``a or b``, ``a, b or c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}" if words else ""
