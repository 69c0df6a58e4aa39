"""What can be changed in a module: every single change, as a changed tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from difflib import unified_diff
from pathlib import Path
from typing import NamedTuple

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_DEFINITION = (ast.FunctionDef, ast.ClassDef)
_NOT_READ = ("decorator_list", "annotation", "returns", "bases", "type_params")
"""Parts that decide nothing at run time, or only how it is stored."""


class Change(NamedTuple):
    """One change: where it is, and how to make it in the tree it came from."""

    line: int
    function: str
    """Qualified name of the outermost function or method around it; empty for the module's own statements."""
    make: Callable[[], None]


def changes(tree: ast.Module) -> Iterator[Change]:
    """Every change of a module, in the order of its lines; each is made in ``tree`` itself, once and for all."""
    yield from _inside(tree, "", "")


def changed(source: Path, number: int) -> ast.Module:
    """Return the tree of a module with its change of that number made."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    list(changes(tree))[number].make()
    return ast.fix_missing_locations(tree)


def shown(source: Path, number: int) -> str:
    """The change as lines of a diff."""
    before = ast.unparse(ast.parse(source.read_text(encoding="utf-8"))).splitlines()
    after = ast.unparse(changed(source, number)).splitlines()
    lines = list(unified_diff(before, after, n=0, lineterm=""))[2:]
    return "\n".join(f"    {line[0]} {line[1:].strip()}" for line in lines if not line.startswith("@@"))


def _inside(parent: ast.AST, around: str, function: str) -> Iterator[Change]:
    """Changes of everything below a node; ``around`` is the qualified name, ``function`` that of the function."""
    for field, value in ast.iter_fields(parent):
        if field in _NOT_READ:
            continue
        nodes = value if isinstance(value, list) else [value]
        for place, node in enumerate(nodes):
            if not isinstance(node, ast.AST) or _is_not_run(node):
                continue
            name, inner = around, function
            if isinstance(node, _DEFINITION):
                name = f"{around}.{node.name}".strip(".")
                inner = function or (name if isinstance(node, ast.FunctionDef) else "")
            for other in _instead(node):
                yield Change(_line(node, parent), function, _setter(parent, field, value, place, other))
            if isinstance(node, ast.JoinedStr):  # the text goes as a whole, what is put into it is changed
                node = ast.Tuple([part for part in node.values if isinstance(part, ast.FormattedValue)])
            yield from _inside(node, name, inner)


def _line(*nodes: ast.AST) -> int:
    return next((node.lineno for node in nodes if hasattr(node, "lineno")), 0)


def _setter(parent: ast.AST, field: str, value: object, place: int, other: ast.AST) -> Callable[[], None]:
    def make() -> None:
        if isinstance(value, list):
            value[place] = other
        else:
            setattr(parent, field, other)

    return make


def _is_not_run(node: ast.AST) -> bool:
    """Whether a node is a docstring, or the words of a type."""
    match node:
        case ast.Expr(ast.Constant()) | ast.Subscript(ast.Name("Literal")):
            return True
    return False


def _instead(node: ast.AST) -> Iterator[ast.AST]:
    """Give what may stand in a node's place."""
    match node:
        case ast.Compare(left, [operator], comparators):
            yield from (ast.Compare(left, [other()], comparators) for other in _COMPARISONS[type(operator)])
        case ast.Compare(left, operators, comparators):
            for place, operator in enumerate(operators):
                other = _COMPARISONS[type(operator)][0]()
                yield ast.Compare(left, [*operators[:place], other, *operators[place + 1 :]], comparators)
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
            for left_out in values:
                rest = [each for each in values if each is not left_out]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(operator, rest)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.BinOp(left, operator, right) if type(operator) in _ARITHMETIC and not _is_text(left, right):
            yield ast.BinOp(left, _ARITHMETIC[type(operator)](), right)
        case ast.Constant(value):
            yield from (ast.Constant(other) for other in _other_values(value))
        case ast.JoinedStr():
            yield ast.Constant("")
        case ast.Name(name, ast.Load()) if name in _NAMES:
            yield ast.Name(_NAMES[name], ast.Load())
        case ast.If(test, body, orelse) if not isinstance(test, (ast.Compare, ast.UnaryOp)):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.IfExp(test, body, orelse):
            yield from (body, orelse)
        case ast.comprehension(target, iterated, conditions, is_async):
            for left_out in conditions:
                kept = [each for each in conditions if each is not left_out]
                yield ast.comprehension(target, iterated, kept, is_async)
        case ast.match_case(pattern, ast.expr(), body) if not isinstance(pattern, ast.MatchAs):
            yield ast.match_case(pattern, None, body)
        case ast.Return(ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(ast.Constant(None))
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break():
            yield ast.Pass()
        case ast.Assign(targets, value) if _is_kept_without(targets, value):
            yield ast.Pass()


def _other_values(value: object) -> Iterator[object]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, float):
        yield from (value * 1.1, value * 0.9) if value else (1.0,)
    elif isinstance(value, str) and re.search(r"\w", value):
        yield "" if " " in value else f"{value}_"


def _is_text(*nodes: ast.expr) -> bool:
    """Whether text or a list is put together: there is nothing else to do with those."""
    return any(
        isinstance(node, (ast.JoinedStr, ast.List, ast.Tuple, ast.ListComp))
        or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        for node in nodes
    )


def _is_kept_without(targets: list[ast.expr], value: ast.expr) -> bool:
    """Whether the target has a value without the assignment, so that leaving it out is not a plain NameError."""
    used = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    return all(not isinstance(each, ast.Name) or each.id in used for each in targets)
