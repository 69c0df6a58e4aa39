"""What runs in a process of its own in place of the plain program: one function for each circumstance."""

import resource
import sys

from bcma_decide.cli import main
from tests.cli.support.program import interrupted_at


def asking():
    """The questions alone: the patient as JSON, or 7 and 8 where the person left or interrupted."""
    from bcma_decide.cli.ask import Left, ask_patient

    try:
        print(ask_patient().model_dump_json())
    except Left:
        sys.exit(7)
    except KeyboardInterrupt:
        sys.exit(8)


def without_weasyprint():
    """The program as if the extra of the PDF were not installed."""
    sys.modules["weasyprint"] = None  # type: ignore[assignment]
    main()


def a_pdf_without_a_part():
    """A PDF of an example with one library missing: what is to be installed, and the refusal."""
    part = sys.argv[1]
    sys.modules[part] = None  # type: ignore[assignment]
    from bcma_decide import compare
    from bcma_decide.errors import SheetError
    from bcma_decide.patient.files import load_example
    from bcma_decide.render.sheet.html import render_html
    from bcma_decide.render.sheet.pdf import missing, render_pdf
    from bcma_decide.render.sheet.sheet import Sheet

    comparison = compare(load_example("fit-58"))
    assert render_html(comparison, Sheet(audience="patient"))
    print(missing())
    try:
        render_pdf(comparison)
    except SheetError as error:
        print(error)


def on_a_disk_that_fills_up():
    """The program where no file can grow beyond 1000 bytes."""
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    main()


def interrupted_at_the_second_report():
    """The program with Control-C while it makes the second of the reports that need no part but Python."""
    from bcma_decide.workshop import reports

    every = [report for report in reports.reports() if report.name.endswith((".svg", ".schema.json"))]
    first, second = (report.make for report in every)

    def stopped():
        second()
        raise KeyboardInterrupt

    reports.reports = lambda: (every[0]._replace(make=first), every[1]._replace(make=stopped))
    main()


def interrupted_at_the_fourth():
    """The program with Control-C while it works on its fourth comparison."""
    from bcma_decide.comparing import compare

    interrupted_at(compare, "answer_question", 4)
    main()
