"""``python -m tests.load``: a table on the terminal, and everything as JSON with ``--output``."""

import argparse
import json
import sys
from pathlib import Path

from tests.load.load import HEAD, PATHS, Plan, machine, measured, missing


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--workers", type=int, default=2, help="processes that answer; one for each core")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each run")
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 8, 32], help="clients at a time")
    parser.add_argument("--kinds", nargs="+", choices=list(PATHS), default=list(PATHS))
    parser.add_argument("--audit", choices=["on", "off", "both"], default="both")
    parser.add_argument("--signed", action="store_true", help="with an issuer, and a token for each request")
    parser.add_argument("--flat", type=int, default=0, metavar="N", help="watch memory over N more requests")
    parser.add_argument("--output", type=Path, help="JSON of everything measured")
    asked = parser.parse_args(arguments)
    if reason := missing():
        sys.exit(reason)
    audits = {"on": (True,), "off": (False,), "both": (False, True)}[asked.audit]
    plan = Plan(
        asked.workers, asked.seconds, tuple(asked.kinds), tuple(asked.at_once), audits, asked.signed, asked.flat
    )
    known = machine()
    print(
        f"{known['processor']}, {known['cores']} cores, load before {known['load_before'][0]}; {plan.workers} workers"
    )
    print(HEAD)
    found = measured(plan)
    if asked.output:
        asked.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


if __name__ == "__main__":
    main()
