"""Runs over small tables with small parts."""

from bcma_decide.cohort.question import CohortQuestion, choose_columns
from bcma_decide.cohort.run import CohortOrder, parts_beside
from bcma_decide.cohort.tables import open_table

PART = 3


def order_of(table, out, *, workers=1, part=PART, **options):
    """The order of a run with the columns of the table as fields."""
    opened = open_table(table, parts_beside(out).folder)
    columns, carried = choose_columns(opened.schema.names)
    question = CohortQuestion(columns, carried, **options)
    return CohortOrder(opened, question, out, out.with_name(f"{out.name}.rejects.csv"), workers, part)


def ages(path, count):
    """A table of patients who differ in age, one of them without a usable one."""
    lines = [f"{number},{'x' if number == 5 else 40 + number}" for number in range(1, count + 1)]
    path.write_text("\n".join(["id,age", *lines]) + "\n")
    return path


def quiet(rows, before):
    """Nobody is told."""
    del rows, before
