"""A run: so many inputs for each reader, each with a number from which it can be made again."""

import logging
import random
import signal
import time
import traceback
import warnings
from dataclasses import dataclass, field

from tests.fuzz.readers import READERS

PATIENCE = 10
"""Seconds of work one input may take; and ten times as many by the clock, for a reader that waits for something."""
SHOWN = 5


@dataclass
class Found:
    """What one reader did: inputs read, refused, the slowest in seconds, and faults by the place they arose at."""

    read: int = 0
    refused: int = 0
    slowest: float = 0.0
    faults: dict[str, list[str]] = field(default_factory=dict)

    @property
    def tried(self):
        return self.read + self.refused + sum(len(each) for each in self.faults.values())


class TooSlow(BaseException):
    """Not an Exception, so that no reader takes it for a refusal."""


def _stop(number, frame):
    raise TooSlow


def drawn(name, number, seed):
    """The input of that number."""
    return READERS[name].draw(random.Random(f"{seed} {name} {number}"))


def try_one(name, given, found, label, tell):
    """Read one input and note what became of it; the first of a kind of fault is told at once."""
    reader, begun = READERS[name], time.process_time()
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    signal.setitimer(signal.ITIMER_REAL, 10 * PATIENCE)
    try:
        reader.read(given)
        found.read += 1
    except reader.own as error:
        str(error)
        found.refused += 1
    except (Exception, TooSlow) as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename.rpartition('site-packages/')[2]}:{place.lineno}"
        text = f"{label}: {type(error).__name__}: {str(error)[:200]!r} at {where}"
        cases = found.faults.setdefault(f"{type(error).__name__} {where}", [])
        cases.append(text)
        if len(cases) == 1:
            tell(text)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    found.slowest = max(found.slowest, time.process_time() - begun)


def counts_of(count, names):
    """How many inputs each reader gets."""
    whole = sum(READERS[name].share for name in names)
    return {name: max(1, round(count * READERS[name].share / whole)) for name in names}


def run(count, seed, names, tell=lambda text: None):
    """Try so many inputs over these readers, in rounds, so that every reader is tried from the beginning."""
    logging.disable(logging.CRITICAL)
    for alarm in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(alarm, _stop)
    found = {name: Found() for name in names}
    wanted = counts_of(count, names)
    rounds = max(1, min(100, min(wanted.values())))
    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for turn in range(rounds):
            for name in names:
                for number in range(wanted[name] * turn // rounds, wanted[name] * (turn + 1) // rounds):
                    try_one(name, drawn(name, number, seed), found[name], f"{name} {number}", tell)
            total = sum(each.tried for each in found.values())
            faults = sum(len(each.faults) for each in found.values())
            tell(f"{total} inputs, {faults} faults, {time.perf_counter() - begun:.0f} s")
    logging.disable(logging.NOTSET)
    return found
