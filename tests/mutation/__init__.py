"""Mutation testing: does a test fail when the code is wrong?

``python -m tests.mutation`` changes one thing at a time in the rooms where a silent slip would reach a patient (the
model, the rules, the facts, the reading of records), runs the tests that call the changed function, cheapest first,
and then all others of the room, and lists the changes no test noticed.

::

    python -m tests.mutation                                       every change of the four rooms (hours)
    python -m tests.mutation --room facts --sample 200 --seed 2    200 changes of one room, the same for one seed
    python -m tests.mutation --sample 8 --fail-under 80            a spot check of all four (about a minute)
    python -m tests.mutation --room patient --module reading       every change of one module
    python -m tests.mutation --again found.json                    what survived in a run with --json found.json

No file is written: an import hook serves the changed source to a forked process that has the libraries loaded and
nothing of the package. A room's tests are those of its mirror folder and the kept figures; which test calls which
function is recorded in one run before. A process that takes far more time or memory than that run, or fails in any
other way than a test does, counts as noticed.

A survivor is a question, not yet a fault: either a test is missing, or the change makes no difference (a bound that
cannot be reached, a guard that only saves time). There is no list of excused survivors; the rate is of all changes.
"""
