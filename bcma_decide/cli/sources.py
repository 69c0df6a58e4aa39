"""The patient of a command: from a file, standard input or an example, with options in the place of single fields."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bcma_decide.errors import Problem, ProfileError
from bcma_decide.patient.entry import overridden
from bcma_decide.patient.files import STANDARD_INPUT, build, example_path, read_text, read_values, shown_name
from bcma_decide.patient.names import LABS, field_of

if TYPE_CHECKING:
    from pathlib import Path

    from bcma_decide.patient.profile import Patient
    from bcma_decide.pooled.definitions import Definitions

_LABS_LIMIT: Final = 100_000


def patient_from_sources(
    profile: Path | str | None,
    example: str | None,
    options: Mapping[str, str],
    definitions: Definitions | None = None,
) -> Patient:
    """Build the patient from a file, standard input (``-``) or an example; options replace single fields.

    An option ``unknown`` makes a field of the file unknown. With nothing given, everything is unknown.

    Raises
    ------
    ProfileError
        With every problem, those of the file carrying its name.
    """
    if profile is not None and example is not None:
        raise ProfileError("two patients at once", [Problem("PROFILE, --example", "both are given", "give one")])
    source = example_path(example) if example is not None else profile
    options = with_labs(options, source)
    values: dict[str, Any] = read_values(source) if source is not None else {}
    name = "standard input" if str(source) == STANDARD_INPUT else str(source or "")
    try:
        return build(overridden(values, options), definitions)
    except ProfileError as error:
        raise ProfileError(error.message, [_placed(each, options, name) for each in error.problems]) from None


def with_labs(options: Mapping[str, str], patient: Path | str | None) -> dict[str, str]:
    """Options with the list of laboratory values itself instead of its file; raises ProfileError."""
    file = options.get(LABS)
    if file is None:
        return dict(options)
    if file == STANDARD_INPUT and str(patient) == STANDARD_INPUT:
        problem = Problem(f"--{LABS}", "the patient comes from standard input already", "name a file")
        raise ProfileError("the laboratory values cannot be read", [problem])
    return {**options, LABS: read_text(file, _LABS_LIMIT, "a list has some dozen lines", partial(_no_list, file))}


def _no_list(file: str, where: str, message: str, fix: str) -> ProfileError:
    return ProfileError("the laboratory values cannot be read", [Problem(where, message, fix, shown_name(file))])


def _placed(problem: Problem, options: Mapping[str, str], file: str) -> Problem:
    name = problem.field.split("[")[0]
    return (
        problem
        if name in options or field_of(name) in options
        else Problem(problem.field, problem.message, problem.fix, file)
    )
