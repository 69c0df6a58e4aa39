"""``python -m tests.fuzz --count 1000000``: tries so many inputs and prints what became of them; code 1 on a fault."""

import argparse
import sys

from tests.fuzz.readers import READERS
from tests.fuzz.run import SHOWN, drawn, run


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="inputs over all readers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reader", action="append", choices=READERS, help="these alone; repeatable")
    parser.add_argument("--show", type=int, metavar="NUMBER", help="print that input of one reader, and leave")
    asked = parser.parse_args()
    names = asked.reader or list(READERS)
    if asked.show is not None:
        print(ascii(drawn(names[0], asked.show, asked.seed)))
        return 0
    found = run(asked.count, asked.seed, names, lambda text: print(text, file=sys.stderr, flush=True))
    print(f"{'reader':<18}{'inputs':>10}{'read':>10}{'refused':>10}{'slowest':>10}{'faults':>8}")
    for name, each in found.items():
        print(f"{name:<18}{each.tried:>10}{each.read:>10}{each.refused:>10}{each.slowest:>9.2f}s{len(each.faults):>8}")
    print(f"{'all':<18}{sum(each.tried for each in found.values()):>10}")
    for name, each in found.items():
        for cases in each.faults.values():
            print(f"\n{name}: {len(cases)} times", *cases[:SHOWN], sep="\n  ")
    return 1 if any(each.faults for each in found.values()) else 0


sys.exit(main())
