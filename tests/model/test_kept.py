"""Results that are kept: worked out once, the one used longest ago leaves first."""

from __future__ import annotations

from bcma_decide.model.kept import Kept


def test_the_one_used_longest_ago_leaves_first() -> None:
    kept, worked_out = Kept[str, str](2), []

    def ask(key: str) -> str:
        return kept.get(key, lambda: worked_out.append(key) or key.upper())

    assert [ask(key) for key in ("a", "b", "a", "c", "a", "b")] == ["A", "B", "A", "C", "A", "B"]
    assert worked_out == ["a", "b", "c", "b"]


def test_what_fails_is_not_kept() -> None:
    kept = Kept[str, float](2)
    for _ in range(2):
        try:
            kept.get("x", lambda: 1.0 / 0.0)
        except ZeroDivisionError:
            continue
        raise AssertionError
    assert kept.get("x", lambda: 1.0) == 1.0
