"""What the mutation run changes: each thing once, nothing that only names a type, and every change can be run."""

import ast

from tests.mutation.changes import changes
from tests.support.cases import for_each, several
from tests.support.places import ROOT


def changed_lines(source):
    return made(source, range(number_of_changes(source)))


def number_of_changes(source):
    return len(list(changes(ast.parse(source))))


def made(source, numbers):
    found = []
    for each in numbers:
        tree = ast.parse(source)
        list(changes(tree))[each].make()
        found.append(ast.unparse(ast.fix_missing_locations(tree)))
    return found


@for_each(
    ("source", "expected"),
    [
        ("x = a < b", ["x = a <= b", "x = a >= b"]),
        ("x = a == b", ["x = a != b"]),
        ("x = a < b <= c", ["x = a <= b <= c", "x = a < b < c"]),
        ("x = a and b", ["x = a or b", "x = b", "x = a"]),
        ("x = not a", ["x = a"]),
        ("x = a + b", ["x = a - b"]),
        ("x = 3", ["x = 4", "x = 2"]),
        ("x = 2.0", ["x = 2.2", "x = 1.8"]),
        ("x = True", ["x = False"]),
        ("x = 'iss'", ["x = 'iss_'"]),
        ("x = 'of a sentence'", ["x = ''"]),
        ("x = f'{a + b} points'", ["x = ''", "x = f'{a - b} points'"]),
        ("x = min(a)", ["x = max(a)"]),
        ("x = a if b else c", ["x = a", "x = c"]),
        ("x = x.of(y)", ["pass"]),
        ("x: int | None = a", []),
        ("Kind = Literal['a', 'b']", []),
        ("x = y", []),
    ],
)
def test_what_is_changed(source, expected):
    assert changed_lines(source) == expected


def test_statements_conditions_and_what_is_returned():
    loop = "    for x in (y for y in a if y):\n        if x:\n            continue\n    return a"
    source = f"def f(a):\n    '''Say it.'''\n{loop}"
    assert [after.splitlines()[2:] for after in changed_lines(source)] == [
        ["    for x in (y for y in a):", "        if x:", "            continue", "    return a"],
        ["    for x in (y for y in a if y):", "        if not x:", "            continue", "    return a"],
        ["    for x in (y for y in a if y):", "        if x:", "            pass", "    return a"],
        ["    for x in (y for y in a if y):", "        if x:", "            continue", "    return None"],
    ]


def test_a_change_knows_its_function():
    source = "X = 1\nclass A:\n    y = 1\n    def f(self):\n        return lambda: 1\n"
    assert [(each.line, each.function) for each in changes(ast.parse(source))] == [
        (1, ""), (1, ""), (3, ""), (3, ""), (5, "A.f"), (5, "A.f"), (5, "A.f"),
    ]  # fmt: skip


def test_a_change_of_a_module_can_be_compiled():
    source = (ROOT / "bcma_decide" / "facts" / "measures.py").read_text(encoding="utf-8")
    before = ast.unparse(ast.parse(source))
    number = number_of_changes(source)
    assert number > 50
    after = made(source, several(range(number), 20))
    assert before not in after
    for each in after:
        compile(each, "measures", "exec")
