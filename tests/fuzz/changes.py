"""How an input is changed: as text, and as JSON whose shape stays."""

import copy
import json
import re

NASTY = (
    "", " ", "\n", "\r\n", "\t", "\0", "\x1b[31m", "\x9b2J", "\u202e", "\u2028", "\u00a0", "\ufeff", "\ud83e", "\udc00",
    "9" * 5000, "-" + "9" * 400, "1e999", "-1e-999", "NaN", "Infinity", "0x10", "1_000", "1,200", "1.200,5", "012",
    "1:30",
    "2026-W12-1", "2026-123", "20261122", "0000-00-00", "9999-12-31", "2026-02-30", "29.02.2025", "1/2/2026", "٣",
    "²", "１２",
    "½", "ⅷ", "ß", "İ", "e\u0301", "🧬", "&a", "*a", "<<: *a", "!!python/object:os.system", "%YAML 9.9", "---",
    "...", "- ", ": ",
    "? ", "|", ">", "#", "[", "]", "{", "}", "[" * 200, "{" * 200, "(" * 500, '{"a":' * 200,
    '"', "'", "\\", "\\u", "\\ud800",
    "</script>", "{{7*7}}", "%s%n", "../../etc/passwd", "null", "true", "yes", "unknown", "<", ">=", "±", "a" * 10_000,
)  # fmt: skip
"""What breaks readers: ends of types, halves of letters, other digits, steering, nesting, tags, anchors."""
_VALUE = re.compile(r"(?<=[:,;\[ ])[^\s:,;\[\]{}]+(?=[,;\]}\n]|$)", re.MULTILINE)
VALUES = (
    None, True, False, 0, -1, 1, 10**30, -(10**4000), 0.1, 1e308, float("inf"), float("nan"), [], {}, [[]], [None],
    [{}], {"": None},
    {"value": None}, {"reference": "Patient/1"}, {"coding": [{}]}, {"coding": None}, {"text": []},
    {"value": 1, "unit": "mg/dL"}, {"start": "2026"}, "Patient/1", "#1", "final", "active",
)  # fmt: skip


def changed_text(draw, text, others):
    """Some changes of a text: pieces cut, doubled, moved, replaced, taken from another; something nasty put in."""
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        start = draw.randrange(len(text) + 1)
        end = min(len(text), start + draw.choice((0, 1, 1, 2, 5, 20, 200)))
        piece = text[start:end]
        match draw.randrange(9):
            case 0:
                text = text[:start] + text[end:]
            case 7 | 8:  # one value: what stands between two separators
                values = [found.span() for found in _VALUE.finditer(text)]
                if values:
                    start, end = draw.choice(values)
                    text = text[:start] + draw.choice(NASTY) + text[end:]
            case 1:
                text = text[:start] + piece * draw.choice((2, 3, 50)) + text[end:]
            case 2 | 3:
                text = text[:start] + draw.choice(NASTY) + text[end:]
            case 4:
                other = draw.choice(others)
                at = draw.randrange(len(other) + 1)
                text = text[:start] + other[at : at + draw.choice((1, 10, 100, 1000))] + text[end:]
            case 5:
                drawn = [draw.choice((draw.randrange(32, 127), draw.randrange(0x2100))) for _ in piece]
                text = text[:start] + "".join(map(chr, drawn)) + text[end:]
            case 6:
                place = draw.randrange(len(text) + 1)
                rest = text[:start] + text[end:]
                text = rest[:place] + piece + rest[place:]
    return text[:200_000]


def changed_json(draw, value):
    """Some changes of plain data at any place: replaced, left out, doubled, moved to another name."""
    value = copy.deepcopy(value)
    for _ in range(draw.choice((1, 1, 2, 4))):
        places = list(_places(value))
        if not places:
            return draw.choice(VALUES)
        holder, key = draw.choice(places)
        match draw.randrange(6):
            case 0 | 1:
                holder[key] = copy.deepcopy(draw.choice(VALUES))
            case 2:
                holder[key] = draw.choice(NASTY)
            case 3:
                del holder[key]
            case 4:
                other, name = draw.choice(places)
                holder[key] = copy.deepcopy(other[name]) if _small(other, name) else None
            case 5 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case 5:
                holder[draw.choice(NASTY)] = holder[key]
    return value


def _small(holder, key):
    try:
        return len(json.dumps(holder[key])) < 5_000
    except (KeyError, IndexError, RecursionError, ValueError):
        return False


def _places(value):
    waiting = [value] if isinstance(value, (dict, list)) else []
    while waiting:
        holder = waiting.pop()
        for key, inner in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            yield holder, key
            if isinstance(inner, (dict, list)):
                waiting.append(inner)


def as_json(value):
    """Plain data as somebody may send it, ``NaN`` and halves of letters included."""
    try:
        return json.dumps(value)
    except ValueError:  # a number of more digits than Python writes
        return "9" * 5000


def sentence(draw, words, most=9):
    """A row of words of a list, joined as people do or do not."""
    parts = []
    for _ in range(draw.randrange(1, most)):
        parts.append(draw.choice(words) if draw.random() < 0.93 else draw.choice(NASTY))
        parts.append(draw.choice((" ", " ", " ", "", ", ", "; ", ". ", "\n", "/", "-", ": ")))
    return "".join(parts)
