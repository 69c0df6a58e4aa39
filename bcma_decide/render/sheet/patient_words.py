"""Words of the patient's sheet: options, outcomes, time windows, traits, states and certainty, in plain language.

Everything is translated when a function is called, so each gives the words of the language spoken at that moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bcma_decide.comparison import Estimate, PublishedFigure, TraitLine
from bcma_decide.render.words import language, wording
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import ngettext
from bcma_decide.time_course import Clock
from bcma_decide.value import Interval
from bcma_decide.vocabulary import PFS, Certainty


@dataclass(frozen=True)
class OptionWords:
    """An option in words: what it is called, how it is given, before, after, how often one comes, and driving."""

    name: str
    given: str
    before: str
    after: str
    visits: str
    driving: str


def option_words(class_id: str) -> OptionWords:
    """Describe a class of treatment, without products and without numbers."""
    if class_id == "car_t":
        return OptionWords(
            name=_("CAR-T cell treatment"),
            given=_(
                "Your own T cells are taken from your blood and changed in a lab. Then they are given back to you "
                "once, by drip."
            ),
            before=_(
                "You may need other medicine while you wait for your cells. A few days of chemotherapy come first."
            ),
            after=_("At first, you are watched closely, in or near the hospital."),
            visits=_("One infusion. Later you come for check-ups. No more doses are planned."),
            driving=_("Not in the first weeks after the infusion."),
        )
    return OptionWords(
        name=_("Bispecific antibody"),
        given=_(
            "A ready-made antibody links your T cells to the myeloma cells. It is given many times, as a shot under "
            "the skin or by drip."
        ),
        before=_(
            "No cells are taken. You may need tests first. Before the first doses you get medicine against side "
            "effects."
        ),
        after=_("At first, you are watched closely, often in hospital."),
        visits=_("Many doses: often at first, then less often. They go on for as long as they help you."),
        driving=_("Not for some days around the first doses."),
    )


def question(outcome: str) -> str:
    """The question a row answers: *How many people respond?*."""
    return {
        "orr": _("How many people respond?"),
        "vgpr_or_better": _("How many people respond very well?"),
        "cr_or_better": _("How many people have no sign of myeloma left?"),
        PFS: _("How many people live for a year without the myeloma growing back?"),
        "crs_any": _("How many people get an immune reaction (CRS)?"),
        "crs_g3plus": _("How many people get a severe immune reaction (CRS)?"),
        "icans_any": _("How many people get nerve problems soon after (ICANS)?"),
        "icans_g3plus": _("How many people get severe nerve problems (ICANS)?"),
        "infection_any": _("How many people get an infection?"),
        "infection_g3plus": _("How many people get a severe infection?"),
        "neutropenia_g3plus": _("How many people have very few white blood cells?"),
        "anemia_g3plus": _("How many people have very few red blood cells?"),
        "thrombocytopenia_g3plus": _("How many people have very few platelets?"),
        "hypogammaglobulinemia": _("How many people have too few antibodies of their own?"),
        "delayed_neurotoxicity": _("How many people get nerve problems later on?"),
        "treatment_related_death": _("How many people die from the treatment?"),
        "non_relapse_mortality": _("How many people die, but not from the myeloma?"),
        "secondary_primary_malignancy": _("How many people get a second cancer?"),
        "apheresed_not_infused": _("How many people do not get their cells back?"),
    }[outcome]


def meaning(outcome: str) -> str:
    """What that outcome means for a person, as a sentence."""
    return {
        "orr": _("To respond means that the myeloma shrinks clearly."),
        "vgpr_or_better": _("Only very little of the myeloma can still be measured."),
        "cr_or_better": _("The usual tests no longer find the myeloma protein."),
        PFS: _("They are alive, and the myeloma has not grown or come back."),
        "crs_any": _("The immune system is stirred up. People may feel ill and have a fever."),
        "crs_g3plus": _("The immune system reacts too much. People need close care in hospital."),
        "icans_any": _("People may be confused or find it hard to speak."),
        "icans_g3plus": _("People may be very confused, hardly awake or have a seizure."),
        "infection_any": _("Germs such as viruses or bacteria make people ill."),
        "infection_g3plus": _("People need strong medicine, often in hospital."),
        "neutropenia_g3plus": _("White blood cells help to fight germs."),
        "anemia_g3plus": _("Red blood cells carry oxygen. With few of them, people feel tired."),
        "thrombocytopenia_g3plus": _("Platelets in the blood help to stop bleeding."),
        "hypogammaglobulinemia": _("Antibodies in the blood help to fight germs."),
        "delayed_neurotoxicity": _("Moving, the face or the feeling in hands and feet may change."),
        "treatment_related_death": _("They die from a side effect and not from the myeloma."),
        "non_relapse_mortality": _(
            "The myeloma has not come back when they die. The treatment may or may not be the cause."
        ),
        "secondary_primary_malignancy": _("This is a new cancer and not the myeloma."),
        "apheresed_not_infused": _("Their cells were taken, but the treatment could not be given."),
    }[outcome]


def outcome_name(outcome: str) -> str:
    """Short name of an outcome, to stand after a colon."""
    return {
        "orr": _("response"),
        "vgpr_or_better": _("very good response"),
        "cr_or_better": _("no sign of myeloma left"),
        PFS: _("a year without the myeloma growing back"),
        "crs_any": _("immune reaction (CRS)"),
        "crs_g3plus": _("severe immune reaction (CRS)"),
        "icans_any": _("nerve problems soon after (ICANS)"),
        "icans_g3plus": _("severe nerve problems (ICANS)"),
        "infection_any": _("infection"),
        "infection_g3plus": _("severe infection"),
        "neutropenia_g3plus": _("very few white blood cells"),
        "anemia_g3plus": _("very few red blood cells"),
        "thrombocytopenia_g3plus": _("very few platelets"),
        "hypogammaglobulinemia": _("too few antibodies of one's own"),
        "delayed_neurotoxicity": _("nerve problems later on"),
        "treatment_related_death": _("death from the treatment"),
        "non_relapse_mortality": _("death not from the myeloma"),
        "secondary_primary_malignancy": _("second cancer"),
        "apheresed_not_infused": _("cells not given back"),
    }[outcome]


def both_ways(outcome: str, mean: float) -> str:
    """Return a number from both sides: *65 of 100 respond, 35 of 100 do not.* The two sum to 100."""
    yes = min(100, wording.whole(100 * mean))
    sentence = {
        "orr": _("{yes} of 100 respond, {no} of 100 do not."),
        "vgpr_or_better": _("{yes} of 100 respond very well, {no} of 100 do not."),
        "cr_or_better": _("{yes} of 100 have no sign of it left, {no} of 100 still have some."),
        PFS: _("{yes} of 100 live without it growing back, {no} of 100 do not."),
        "crs_any": _("{yes} of 100 get this reaction, {no} of 100 do not."),
        "crs_g3plus": _("{yes} of 100 get this severe reaction, {no} of 100 do not."),
        "icans_any": _("{yes} of 100 get these problems, {no} of 100 do not."),
        "icans_g3plus": _("{yes} of 100 get these severe problems, {no} of 100 do not."),
        "infection_any": _("{yes} of 100 get an infection, {no} of 100 do not."),
        "infection_g3plus": _("{yes} of 100 get a severe infection, {no} of 100 do not."),
        "neutropenia_g3plus": _("{yes} of 100 have very few, {no} of 100 have more."),
        "anemia_g3plus": _("{yes} of 100 have very few, {no} of 100 have more."),
        "thrombocytopenia_g3plus": _("{yes} of 100 have very few, {no} of 100 have more."),
        "hypogammaglobulinemia": _("{yes} of 100 have too few, {no} of 100 have enough."),
        "delayed_neurotoxicity": _("{yes} of 100 get these later problems, {no} of 100 do not."),
        "treatment_related_death": _("{yes} of 100 die from it, {no} of 100 do not."),
        "non_relapse_mortality": _("{yes} of 100 die in this way, {no} of 100 do not."),
        "secondary_primary_malignancy": _("{yes} of 100 get a second cancer, {no} of 100 do not."),
        "apheresed_not_infused": _("{yes} of 100 do not get them back, {no} of 100 do."),
    }[outcome]
    return sentence.format(yes=wording.count(yes / 100), no=wording.count((100 - yes) / 100))


def window(horizon: str) -> str:
    """Time window of an outcome as a sentence; the horizon is that of the comparison."""
    return {
        "confirmed response at any time in the study": _("Counted at any time in the study."),
        "first weeks": _("Counted in the first weeks."),
        "over the follow-up of the studies": _("Counted for as long as each study watched people."),
        "on treatment": _("Counted during the treatment."),
        "from apheresis to infusion": _("Counted from the day cells are taken to the day they are given."),
    }[horizon]


def window_of_time(clock: Clock) -> str:
    """From which day on time without growth is counted, as a sentence."""
    if clock == "decision":
        return _("Counted from the day cells are taken, or from the first dose.")
    return _("Counted from the day the cells are given back, or from the first dose.")


def after_two_years(mean: float | None, ends: Interval | None) -> str:
    """The number of people after two years, or that nobody was watched for so long."""
    if mean is None or ends is None:
        return _("After 2 years: not known. The studies did not watch people for so long.")
    return _("After 2 years: {number} ({low} to {high}).").format(
        number=wording.of_100(mean), low=wording.count(ends[0]), high=wording.count(ends[1])
    )


def waited(shortest: float, longest: float) -> str:
    """How many weeks people waited for their cells, by the medians of the studies."""
    low, high = wording.whole(shortest), wording.whole(longest)
    if low != high:
        return _("In studies, half of the people waited {low} to {high} weeks or longer for their cells.").format(
            low=low, high=high
        )
    return ngettext(
        "In studies, half of the people waited {n} week or longer for their cells.",
        "In studies, half of the people waited {n} weeks or longer for their cells.",
        low,
    ).format(n=low)


def wait_not_known() -> str:
    """What is said where no study tells how long people waited."""
    return _("We do not know how long people waited for their cells.")


def get_cells(mean: float, ends: Interval | None) -> str:
    """How many people get their cells back, of those whose cells are taken."""
    number = wording.count(mean)
    if ends is None:
        return _("Of 100 people like you, {number} get their cells back.").format(number=number)
    return _("Of 100 people like you, {number} get their cells back (from {low} to {high}).").format(
        number=number, low=wording.count(ends[0]), high=wording.count(ends[1])
    )


def get_cells_not_known() -> str:
    """What is said where that is not known."""
    return _("We do not know how many people like you get their cells back.")


def could_be(ends: Interval) -> str:
    """Return an interval in words: *It could be between 23 and 92.*."""
    low, high = ends
    return _("It could be between {low} and {high}.").format(low=wording.count(low), high=wording.count(high))


def sure(level: Certainty | None) -> str:
    """How sure most numbers are, as a sentence."""
    levels: dict[Certainty, str] = {
        "very low": _("We are very unsure about these numbers."),
        "low": _("We are unsure about these numbers."),
        "moderate": _("Most of these numbers are probably close."),
        "high": _("We are quite sure about these numbers."),
    }
    return levels[level] if level else _("How sure these numbers are has not been rated.")


def sure_of(level: Certainty | None, names: Sequence[str]) -> str:
    """Where that is otherwise: ``We are very unsure here: severe infection.``."""
    levels: dict[Certainty, str] = {
        "very low": _("We are very unsure here: {names}."),
        "low": _("We are unsure here: {names}."),
        "moderate": _("These are probably close: {names}."),
        "high": _("We are quite sure here: {names}."),
    }
    text = levels[level] if level else _("Not rated: {names}.")
    return text.format(names=", ".join(names))


def starts_soon() -> str:
    """How long people wait for a treatment that needs no cells."""
    return _("It can start within days.")


def no_number(estimate: Estimate) -> str:
    """Why there is no number, as a sentence."""
    if estimate.state == "no_evidence":
        return _("The studies do not report this.")
    if estimate.state == "too_thin":
        return _("There are too few studies to give a number.")
    if estimate.state == "not_applicable":
        return _("This does not apply to this treatment.")
    if estimate.state == "withheld":
        return _("We give no number. Too few people like you were studied, or what was seen does not fit our numbers.")
    return _("There is no number for this.")


def counted(figure: PublishedFigure, source: str) -> str:
    """What was published for people like this, in place of a number; empty where no rate was."""
    where = _("Source: {source}.").format(source=source) if source else ""
    if figure.events is None or figure.n is None:
        if figure.rate is None:
            return ""
        share = _("In one study, it happened to about {number} of 100 people.")
        return f"{share.format(number=wording.count(figure.rate))} {where}".strip()
    sentence = ngettext(
        "In one study, it happened to {events} of {n} person.",
        "In one study, it happened to {events} of {n} people.",
        figure.n,
    )
    return f"{sentence.format(events=language.number(figure.events), n=language.number(figure.n))} {where}".strip()


def same_for_all(options: Sequence[str], *, every: bool) -> str:
    """Say that no study ties a fact about a person to a number; ``every``: of both options."""
    if every:
        return _("These numbers are the same for all people. Studies do not show what would change them for you.")
    sentence = _("{option}: this number is the same for all people. Studies do not show what would change it for you.")
    return sentence.format(option=", ".join(options))


def same_for_all_of(rows: int) -> str:
    """The same of the numbers of several rows on end, below the last of them."""
    return _(
        "The numbers of the last {n} questions are the same for all people. Studies do not show what would change them "
        "for you."
    ).format(n=rows)


def icons_title(option: str, mean: float, ends: Interval) -> str:
    """Describe an icon array to those who cannot see it."""
    return _("{option}: {number}. It could be between {low} and {high}.").format(
        option=option, number=wording.of_100(mean), low=wording.count(ends[0]), high=wording.count(ends[1])
    )


def counted_from_infusion(mean: float) -> str:
    """Return the number counted from the day the cells are given, where another one stands above."""
    return _("Counted from the day the cells are given back, it is {number} of 100.").format(number=wording.count(mean))


def counted_from_decision(outcome: str, mean: float, *, said: bool) -> str:
    """Return the number counted from the day the cells are taken; those who never get them back count against it.

    ``said``: whether the sheet says already that some never get them.
    """
    sentence = {
        "orr": _("Counted from the day cells are taken, {number} of 100 respond."),
        "vgpr_or_better": _("Counted from the day cells are taken, {number} of 100 respond very well."),
        "cr_or_better": _("Counted from the day cells are taken, {number} of 100 have no sign of myeloma left."),
        PFS: _("Counted from the day cells are taken, {number} of 100 live without it growing back."),
    }.get(outcome, _("Counted from the day cells are taken, it is {number} of 100."))
    counted = sentence.format(number=wording.count(mean))
    return counted if said else f"{_('Some people never get their CAR-T cells back.')} {counted}"


def trait_name(trait: str) -> str:
    """Name of a trait, to stand before or after a colon."""
    return {
        "age": _("Your age"),
        "prior_lines": _("Treatments for myeloma so far"),
        "high_risk_cytogenetics": _("Gene changes that make myeloma harder to treat"),
        "extramedullary_disease": _("Myeloma outside the bone marrow"),
        "prior_bcma": _("Earlier treatment with the same target (BCMA)"),
        "prior_t_cell_redirection": _("Earlier treatment that steers T cells"),
        "triple_class_refractory": _("Three main kinds of medicine no longer work"),
        "penta_drug_refractory": _("Five main medicines no longer work"),
        "iss_3": _("Stage 3 by blood tests (ISS)"),
        "r_iss_3": _("Stage 3 by blood and gene tests (R-ISS)"),
        "frail": _("Low strength and reserve (frail)"),
        "ecog_ge_2": _("Rest or help needed by day (ECOG 2 or more)"),
        "renal_impairment": _("Weak kidneys"),
        "bone_marrow_plasma_cells_high": _("Many myeloma cells in the bone marrow"),
        "plasma_cell_leukemia": _("Many myeloma cells in the blood"),
        "ferritin_high": _("High ferritin (a blood test)"),
        "car_hematotox_high": _("Higher risk of low blood counts (a score)"),
    }[trait]


def trait_value(line: TraitLine) -> str:
    """Value of a known trait: *yes*, *no*, *66 years*, *5*."""
    value = line.value
    if value is None:
        return _("not known")
    if line.trait == "age":
        years = wording.whole(value)
        return ngettext("{n} year", "{n} years", years).format(n=language.number(years))
    if line.trait == "prior_lines":
        return language.number(wording.whole(value))
    return _("yes") if value else _("no")


def change(trait: str, outcome: str) -> str:
    """Say which number an unknown trait could change."""
    return _("We do not know this yet: {trait}. It could change this number: {outcome}.").format(
        trait=trait_name(trait), outcome=outcome_name(outcome)
    )


def change_range(option: str, low: float, high: float) -> str:
    """Say how far a trait with many values could move the number of one option."""
    return _("{option}: between {low} and {high} of 100.").format(
        option=option, low=wording.count(low), high=wording.count(high)
    )


def change_by_answer(option: str, yes: float, no: float) -> str:
    """Say what the number of one option would be if a person has a trait, and if not."""
    return _("{option}: {yes} of 100 if yes, {no} of 100 if no.").format(
        option=option, yes=wording.count(yes), no=wording.count(no)
    )


def against() -> str:
    """What to say of an option against which something is on record."""
    return _("Something in your record may speak against this treatment now. Ask your team about it.")


def not_labelled() -> str:
    """What to say of an option whose approvals do not fit."""
    return _("The approval of this treatment, given alone, may not fit you now. Ask your team about it.")


def nothing_against() -> str:
    """What to say of an option against which nothing was found, where something is said of the other."""
    return _("The facts we have raise no such point for this treatment. Ask your team about it too.")
