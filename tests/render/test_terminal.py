"""The terminal view at several widths, encodings and colour settings."""

import io
import re
import subprocess
import sys

import pytest
from rich.cells import cell_len
from rich.console import Console

from bcma_decide.comparison import Comparison, Outcome
from bcma_decide.errors import NoEvidenceError
from bcma_decide.render.terminal.comparison import render_comparison, render_explanation, render_sources
from bcma_decide.render.terminal.page import TerminalPage
from tests.render.support.factory import HOSTILE, OPTIONS, comparison, contrast, outcome
from tests.render.support.reading import DIRECTIVE, numbers_of, numbers_of_contrast, printed, words
from tests.support.cases import for_each

WIDTHS = (20, 40, 79, 80, 96, 100, 120, 200)
CLASSES = ("car_t", "bite")
HOSTILE_AS_PRINTED = '[bold red]x[/] <script>alert("1")</script> [31mred & {{ 7*7 }} [/]'


def draw(width, value=None, encoding="utf-8", **options):
    shown = value or comparison()
    return printed(lambda console: render_comparison(shown, console, **options), width, encoding=encoding)


def explain(width, encoding="utf-8", **options):
    return printed(
        lambda console: render_explanation(comparison(), "orr", console, **options), width, encoding=encoding
    )


def everything(width, encoding="utf-8"):
    return "".join(
        [
            draw(width, encoding=encoding, products=True, sources=True),
            explain(width, encoding, products=True),
            printed(lambda console: render_sources(comparison(), console), width, encoding=encoding),
        ]
    )


@for_each("width", WIDTHS, plain=8)
@for_each("encoding", ["utf-8", "ascii", "cp1252"])
def test_no_line_is_wider_than_the_console_and_nothing_is_cut_off(width, encoding):
    text = everything(width, encoding)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    assert "..." not in re.sub(r"[#.]{5,}", "", text)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_every_row_holds_every_number_of_both_options(width):
    for row in comparison().outcomes:
        alone = comparison(outcomes=(row,), unknowns=(), findings=())
        text = words(draw(width, value=alone))
        for option in CLASSES:
            missing = [number for number in numbers_of(row.estimates[option]) if number not in text]
            assert missing == [], (row.id, option)
        if row.contrast:
            assert [n for n in numbers_of_contrast(row.contrast) if n not in text] == []


@pytest.mark.parametrize("width", [40, 60, 79])
def test_every_block_holds_every_number_of_both_options(width):
    for row in comparison().outcomes:
        text = words(draw(width, value=comparison(outcomes=(row,), unknowns=(), findings=())))
        for option in CLASSES:
            assert [n for n in numbers_of(row.estimates[option]) if n not in text] == [], (row.id, option)
        if row.contrast:
            assert [n for n in numbers_of_contrast(row.contrast) if n not in text] == []


@pytest.mark.parametrize("width", [40, 80, 120])
def test_products_hold_their_numbers(width):
    row = comparison().outcomes[0]
    text = words(draw(width, value=comparison(outcomes=(row,), unknowns=()), products=True))
    for option in OPTIONS:
        assert option.label in text
        assert [n for n in numbers_of(row.estimates[option.id]) if n not in text] == [], option.id


@pytest.mark.parametrize("width", [40, 80, 120])
def test_every_state_is_words_with_its_reason(width):
    text = words(draw(width))
    for state in ("not reported", "too few", "does not", "not comparable"):
        assert state in text
    for row in comparison().outcomes:
        reasons = [estimate.reason for estimate in row.estimates.values() if estimate.reason]
        for reason in [*reasons, row.contrast_reason]:
            assert reason is None or words(reason) in text


def test_both_options_have_the_same_width_and_style():
    text = draw(80)
    header = next(line for line in text.splitlines() if line.startswith("Of 100"))
    row = next(line for line in text.splitlines() if line.startswith("VGPR"))
    first, second = header.index("CAR-T"), header.index("Bispecific")
    assert row.index("51 (40 to 62)") == first
    assert row.index("45 (33 to 57)") == second
    assert second - first == header.rindex("CAR-T") - second


def test_a_contrast_stored_the_other_way_round_is_turned():
    value = contrast(0.081, (-0.134, 0.291), 0.774).model_copy(update={"options": ("bite", "car_t")})
    row = outcome("orr", *(comparison().outcomes[0].estimates[name] for name in CLASSES), value)
    text = words(draw(80, value=comparison(outcomes=(row,), unknowns=())))
    assert "−8 (−29 to +13)" in text
    assert "CAR-T higher: 23 %" in text


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_sections_come_in_order(width):
    text = words(draw(width, sources=True))
    order = [
        "What does the evidence say",
        "Side by side",
        "What moves these numbers",
        "Findings",
        "Profile used",
    ]
    order += ["What is not known", "Sources", "For haematologists"]
    places = [text.index(title) for title in order]
    assert places == sorted(places)
    assert "9f2c1a77d0b3" in text


def test_the_ledger_shows_its_states_as_word_and_symbol():
    text = words(draw(120))
    for shown in (
        "✓ used, given Age: 72 years",
        "↳ used, derived Triple-class refractory: yes",
        "– no own effect Frail: yes",
        "! check input Renal impairment",
        "? unknown High-risk cytogenetics",
    ):
        assert shown in text


def test_what_is_carried_along_is_not_shown_twice():
    assert draw(120).count("Age: 72 years") == 1
    assert "Age: 72 years (given)" not in draw(120)


def test_an_unknown_trait_that_moves_nothing_is_kept_apart():
    profile = comparison().profile
    lines = [line.model_copy(update={"used": line.trait != "ferritin_high"}) for line in profile.traits]
    value = comparison(profile=profile.model_copy(update={"traits": tuple(lines)}))
    assert "– in no number High ferritin: unknown, and no number depends on it." in words(draw(120, value))


def test_findings_are_shape_and_word():
    text = words(draw(120))
    assert "▲ caution: Trials of this class" in text
    assert "? contraindication: needs CNS imaging or CSF" in text
    assert "(here: LVEF 42 %; threshold: ≥ 45 %; label 2024-05; source: label-2024)" in text


def test_the_three_largest_movers_are_in_words():
    text = words(draw(80))
    assert "CAR-T 17 of 100 if absent, 50 if present" in text
    assert "CAR-T 52 of 100 if present, 64 if absent; Bispecific 45 of 100 if present, 56 if absent" in text
    assert "CAR-T 56 of 100 if present, 63 if absent" in text
    assert "ISS stage III is not known" not in text
    assert text.index("CAR-HEMATOTOX high is not known") < text.index("High-risk cytogenetics is not known")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_nothing_tells_the_reader_what_to_do(width):
    assert DIRECTIVE.findall(everything(width)) == []
    assert DIRECTIVE.findall(draw(width, plain=True, products=True, sources=True)) == []


@pytest.mark.parametrize("plain", [True, False])
def test_hostile_text_prints_as_it_stands(plain):
    text = draw(200, plain=plain, sources=True)
    assert HOSTILE not in text
    assert text.count(HOSTILE_AS_PRINTED) == 3


def test_no_escape_codes_without_a_terminal():
    assert "\x1b" not in everything(80)
    assert "\x1b" not in draw(80, plain=True)


def test_no_colour_means_no_colour_codes(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    file = io.StringIO()
    render_comparison(comparison(), Console(file=file, width=120, force_terminal=True))
    assert re.findall(r"\x1b\[[0-9;]*3[0-7]\b", file.getvalue()) == []


def test_colour_carries_no_meaning(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    file = io.StringIO()
    console = Console(file=file, width=120, force_terminal=True, color_system="truecolor", legacy_windows=False)
    render_comparison(comparison(), console, products=True)
    assert set(re.findall(r"\x1b\[([0-9;]*)m", file.getvalue())) <= {"0", "1", "2", "2;3", "36"}
    assert draw(120, products=True) == re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue())


@pytest.mark.parametrize("plain", [True, False])
def test_ascii_is_enough(plain):
    text = draw(120, encoding="ascii", plain=plain, products=True, sources=True)
    assert text.isascii()
    assert "-13 to +29" in text
    if not plain:
        assert "[x] used, given" in text
        assert "[?] unknown" in text
        assert "60 (50 to 70)   ###" in text


def test_a_bar_stands_beside_its_number_where_there_is_room():
    assert "█" not in draw(80)
    rows = [line for line in draw(120).splitlines() if "█" in line]
    assert rows
    assert all(re.search(r"\d+ .*█", line) for line in rows)


def test_plain_lines_are_tab_separated_and_complete():
    text = draw(20, plain=True, products=True)
    lines = [line.split("\t") for line in text.splitlines()]
    assert all(len(line) > 1 and all(line) for line in lines)
    estimates = [line[:3] for line in lines if line[0] in ("estimate", "further product of the class")]
    assert len(estimates) == len(comparison().outcomes) * len(OPTIONS)
    assert ["further product of the class", "CRS, any grade", "ide-cel"] in estimates
    assert ["estimate", "VGPR or better", "CAR-T", "51", "40 to 62", "30 to 72", "low"] in lines
    assert not set(text) & set("─│█━┃┏")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_an_explanation_shows_steps_effects_studies_and_method(width):
    text = words(explain(width))
    for shown in (
        "Average patient of the evidence",
        "Extramedullary disease: present",
        "60 (50 to 70)",
        "0.27 (0.15 to 0.49)",
        "seen in this class",
        "borrowed from the other class",
        "9 of 19 present",
        "ZETA 2021: the same patients as BETA",
        "Random-effects model",
        "95",
        "174",
        "34 %",
        "28 months",
        "odds ratio of 1.86",
    ):
        assert shown in text, shown
    assert text.count("33 %") == 2


def test_an_unknown_outcome_is_refused_by_name():
    with pytest.raises(NoEvidenceError, match="nonsense"):
        render_explanation(comparison(), "nonsense", Console(file=io.StringIO()))


def test_an_outcome_without_explanation_says_so():
    file = io.StringIO()
    render_explanation(comparison(), "delayed_neurotoxicity", Console(file=file, width=80))
    assert "With BCMAxCD3 bispecific antibody: not reported." in words(file.getvalue())
    assert "No studies are listed for this outcome." in file.getvalue()


def test_an_empty_comparison_does_not_fail():
    bare: Comparison = comparison(
        outcomes=(), findings=(), unknowns=(), not_known=(), explanations=(), references=(), options=()
    )
    for width in (40, 80, 120):
        assert "For haematologists" in draw(width, value=bare, products=True, sources=True)


def test_an_option_without_an_estimate_is_not_reported():
    row: Outcome = comparison().outcomes[1].model_copy(update={"estimates": {}, "contrast": None})
    text = words(draw(80, value=comparison(outcomes=(row,), unknowns=())))
    assert "not reported not reported not comparable" in text


def test_same_comparison_same_text():
    assert everything(120) == everything(120)


def test_the_page_is_no_wider_than_reads_well():
    assert TerminalPage(Console(file=io.StringIO(), width=400)).width == 140


def test_importing_the_terminal_stays_light():
    code = (
        "import sys, types; bare = types.ModuleType('bcma_decide'); bare.__path__ = sys.argv[1:];"
        "sys.modules['bcma_decide'] = bare;"
        "import bcma_decide.render.terminal.comparison, bcma_decide.render.sheet.html;"
        "print(*sorted({'jinja2', 'rich.markdown', 'scipy', 'numpy'} & set(sys.modules)))"
    )
    import bcma_decide

    command = [sys.executable, "-c", code, *bcma_decide.__path__]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == ""
