"""The commands by name, and what stands below the help of each."""

from __future__ import annotations

from typing import Final

EPILOG: Final = (
    "Exit codes: 0 ok, 2 usage, 3 invalid input, 4 no usable evidence. "
    "To inform, not to direct; not for urgent decisions; not a medical device."
)

COMMANDS: Final = {
    "compare": ("bcma_decide.cli.compare", "Compare BCMA CAR-T with BCMAxCD3 bispecific antibodies for one patient."),
    "batch": ("bcma_decide.cli.batch", "Write the sheets of every profile or record in a folder."),
    "cohort": ("bcma_decide.cli.cohort", "Answer for every patient of a table or an export of FHIR."),
    "score": ("bcma_decide.cli.score", "Work out a published score for one patient, or list the scores."),
    "template": ("bcma_decide.cli.profiles", "Write an empty, commented profile file."),
    "examples": ("bcma_decide.cli.profiles", "List the shipped example patients, or write their sheets."),
    "rules": (
        "bcma_decide.cli.rules",
        "List, show and check the rules and labels behind the findings.",
    ),
    "schema": ("bcma_decide.cli.schema", "Print the JSON Schema of a comparison."),
    "serve": ("bcma_decide.cli.serve", "Answer over HTTP: a web page, REST, CDS Hooks, SMART launches."),
    "replay": ("bcma_decide.cli.replay", "Repeat a recorded answer of the service and compare the bytes."),
    "meta": ("bcma_decide.cli.meta", "Pool a table of studies of your own: a meta-analysis with its diagnostics."),
    "evidence": ("bcma_decide.cli.evidence", "Look at, check, pool and build the evidence."),
    "reports": ("bcma_decide.cli.reports", "Write everything in reports/: sheets, pictures, evidence, schema."),
    "guide": ("bcma_decide.cli.guide", "Read the guide: answers, the mathematics, the service, words."),
}
"""Where each command lives, and its one-line help, so that listing them loads none of them."""
