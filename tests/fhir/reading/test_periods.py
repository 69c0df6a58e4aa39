"""A FHIR Period has a start and an end, and both count: each for what it can make wrong.

FHIR R4, Period: a time range between two dateTimes, each of which may be missing; the end is inclusive, so that an end
of 2012-02-03 includes every time of that day.
"""

from tests.fhir.reading.support.reading import only, read, states
from tests.fhir.reading.support.records import ICD10PCS, LOINC, RXNORM, coded, given, observation, quantity
from tests.support.cases import for_each

FERRITIN = coded(LOINC, "2276-4")
LENALIDOMIDE, TECLISTAMAB = coded(RXNORM, "342369"), coded(RXNORM, "2619432")
CAR_T = coded(ICD10PCS, "XW033A7")


def lasting(start=None, end=None):
    return {name: day for name, day in (("start", start), ("end", end)) if day}


def ferritin(amount, period, name="f"):
    result = quantity(amount, "ng/mL")
    return observation(name, FERRITIN, effectiveDateTime=None, effectivePeriod=period, valueQuantity=result)


def taken(name, period, concept=LENALIDOMIDE):
    return given(name, concept, kind="MedicationStatement", day=None, effectivePeriod=period)


@for_each(
    ("period", "date", "age"),
    [
        (lasting("2026-11-20", "2026-11-23"), "2026-11-20/2026-11-23", 5),
        (lasting("2026-11-20"), "2026-11-20", 5),
        (lasting(end="2026-11-23"), "2026-11-23", 2),
        (lasting("2026-11-20", "2026-11-20"), "2026-11-20/2026-11-20", 5),
        (lasting("2026-11-20T08:00:00Z", "2026-11-20T07:00:00Z"), "2026-11-20/2026-11-20", 5),
    ],
    ids=["both", "no end", "no start", "one day", "times of one day are not compared"],
)
def test_a_result_is_as_old_as_the_start_of_its_period(period, date, age):
    """On 2026-11-25."""
    line = only(read(ferritin(300, period)), "ferritin")
    assert (line.state, line.date, line.age_days) == ("used", date, age)


@for_each(("start", "state"), [("2026-11-11", "used"), ("2026-11-10", "stale")])
def test_a_result_counts_as_long_as_its_start_is_recent_enough(start, state):
    """Ferritin may be 14 days old, counted from 2026-11-11, whenever the period ended."""
    assert only(read(ferritin(300, lasting(start, "2026-11-24"))), "ferritin").state == state


@for_each(
    "period",
    [lasting("2026-11-20", "2026-11-19"), {}, lasting("spring", "soon"), "2026-11-20/2026-11-23", ["2026-11-20"]],
    ids=["ends before it starts", "neither", "no dates", "text", "a list"],
)
def test_what_is_no_period_is_no_date(period):
    line = only(read(ferritin(300, period)), "ferritin")
    assert (line.state, line.date, line.age_days) == ("not_usable", "", None)
    assert line.note == "no date; not used unless it is 14 days old at most"


def test_a_period_that_has_begun_is_not_in_the_future():
    assert only(read(ferritin(300, lasting("2026-11-25", "2026-12-01"))), "ferritin").state == "used"
    later = only(read(ferritin(300, lasting("2026-11-26", "2026-12-01"))), "ferritin")
    assert (later.state, later.note) == ("ignored", "dated after 2026-11-25")


@for_each(
    ("first", "second", "newer", "older"),
    [
        (("2026-11-12", "2026-11-15"), ("2026-11-15", "2026-11-20"), "contradiction", "contradiction"),
        (("2026-11-12", "2026-11-20"), ("2026-11-13", "2026-11-14"), "contradiction", "contradiction"),
        (("2026-11-12", "2026-11-15"), ("2026-11-16", "2026-11-20"), "used", "older"),
    ],
    ids=["a day in common", "one inside the other", "one after the other"],
)
def test_results_of_overlapping_periods_contradict_each_other(first, second, newer, older):
    found = read(ferritin(300, lasting(*first), "a"), ferritin(900, lasting(*second), "b"))
    assert states(found, "ferritin") == [("900 ng/mL", newer), ("300 ng/mL", older)]


@for_each(
    ("period", "months"),
    [
        (lasting("2025-01-10", "2026-04-25"), 7),
        (lasting("2025-01-10", "2026-04-26"), 6),
        (lasting("2025-01-10"), None),
        (lasting(end="2026-04-25"), 7),
        (lasting("2025-01-10", "2027-01-01"), None),
        (lasting("2025-01-10", "2026-04"), None),
        (lasting("2025-01-10", "2026"), None),
    ],
    ids=["to the day", "a day short", "no end", "no start", "goes on", "to a month", "to a year"],
)
def test_months_since_a_course_count_from_its_end(period, months):
    """On 2026-11-25; what has no end, or ends later, has no last dose yet."""
    (course,) = read(taken("t", period, TECLISTAMAB)).patient.prior_bcma_courses
    assert (course.kind, course.months_since) == ("bispecific", months)


def test_a_procedure_has_a_period_as_well():
    done = given("p", CAR_T, kind="Procedure", day=None, performedPeriod=lasting("2026-04-20", "2026-04-25"))
    reading = read(done)
    assert reading.patient.prior_bcma_courses[0].months_since == 7
    assert only(reading, "received").date == "2026-04-20/2026-04-25"


def test_of_two_courses_with_a_drug_the_one_that_ended_last_counts():
    long = taken("a", lasting("2025-01-10", "2026-09-25"), TECLISTAMAB)
    short = taken("b", lasting("2026-01-10", "2026-02-10"), TECLISTAMAB)
    for order in ((long, short), (short, long)):
        reading = read(*order)
        assert reading.patient.prior_bcma_courses[0].months_since == 2
        line = only(reading, "received")
        assert (line.date, line.age_days, line.note) == ("2025-01-10/2026-09-25", 61, "2 records")


@for_each(
    ("periods", "count"),
    [
        ([("2024-01-01", "2024-06-30"), ("2024-07-30", "2024-08-01")], 1),
        ([("2024-01-01", "2024-06-30"), ("2024-12-27", "2025-02-01")], 1),
        ([("2024-01-01", "2024-06-30"), ("2024-12-28", "2025-02-01")], 2),
        ([("2024-01-01", "2024-06-30"), ("2024-03-01", "2024-04-01"), ("2024-12-27", "2025-02-01")], 1),
        ([("2024-01-01", "2024-06-30"), ("2024-07-15", "2024-07-20"), ("2025-01-16", "2025-02-01")], 1),
    ],
    ids=["30 days later", "180 days later", "181 days later", "a short one inside a long one", "an era of two"],
)
def test_a_pause_is_counted_from_the_end_of_a_period(periods, count):
    """From 2024-06-30 to 2024-12-27 are 180 days (31+31+30+31+30+27), from 2024-07-20 to 2025-01-16 as many."""
    reading = read(*(taken(f"t{n}", lasting(*period)) for n, period in enumerate(periods)), infer=True)
    assert reading.patient.prior_lines == count


@for_each(("start", "count"), [("2024-01-29", 1), ("2024-01-30", 2)])
def test_a_drug_joins_a_line_by_when_it_was_begun(start, count):
    """28 days after the line began, however long each of them went on."""
    first, second = lasting("2024-01-01", "2024-06-30"), lasting(start, "2024-09-01")
    reading = read(taken("a", first), taken("b", second, {"text": "Velcade"}), infer=True)
    assert reading.patient.prior_lines == count


def test_a_pause_is_counted_from_whichever_drug_of_the_line_ended_last():
    """Two drugs from the same days; the one that went on longer comes again 180 days after its own end."""
    short, long = lasting("2024-01-01", "2024-02-01"), lasting("2024-01-02", "2024-06-30")
    for again, count in (("2024-12-27", 1), ("2024-12-28", 2)):
        reading = read(
            taken("a", short),
            taken("b", long, {"text": "Velcade"}),
            taken("c", lasting(again, "2025-02-01"), {"text": "Velcade"}),
            infer=True,
        )
        assert reading.patient.prior_lines == count


def test_an_era_is_joined_to_the_one_before_it_not_to_the_first():
    """Lenalidomide again after five months, and once more 28 days later: one era, so that bortezomib begun meanwhile
    is a second line and not the third."""
    reading = read(
        taken("a", lasting("2024-01-01", "2024-01-10")),
        taken("b", lasting("2024-06-01", "2024-06-10")),
        taken("c", lasting("2024-06-05", "2024-06-06"), {"text": "Velcade"}),
        taken("d", lasting("2024-07-08", "2024-07-10")),
        infer=True,
    )
    assert reading.patient.prior_lines == 2
