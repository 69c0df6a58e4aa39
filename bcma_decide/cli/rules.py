"""``bcma-decide rules``: the rules, labels and practical facts behind the findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.output import print_json, say
from bcma_decide.cli.profiles import EvidenceDirectory
from bcma_decide.vocabulary import DEFAULT_REGION

if TYPE_CHECKING:
    from bcma_decide.pooled.definitions import Definitions
    from bcma_decide.pooled.evidence import PooledEvidence
    from bcma_decide.pooled.rule_book import PracticalFact, Product, Rule
    from bcma_decide.render.terminal.page import TerminalPage
    from bcma_decide.rules.coverage import CoverageCell

rules_app = typer.Typer(
    name="rules",
    help="List, show and check the rules, labels and practical facts behind the findings.",
    no_args_is_help=True,
    add_completion=False,
)

AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON instead of text.")]


def _pooled(evidence: EvidenceDirectory) -> PooledEvidence:
    from bcma_decide.comparing.compare import load_pooled

    return load_pooled(evidence)


def _ids() -> list[str]:
    book = _pooled(None).rules
    return [*(rule.id for rule in book.rules), *(product.id for product in book.products)]


@rules_app.command("list")
@report_errors
def list_rules(
    class_id: Annotated[
        Literal["car_t", "bite"] | None, typer.Option("--class", help="Only rules that concern this class.")
    ] = None,
    topic: Annotated[str | None, typer.Option("--topic", help="Only rules of this topic, such as kidney.")] = None,
    severity: Annotated[
        Literal["contraindication", "caution", "information"] | None, typer.Option("--severity", help="Only this rank.")
    ] = None,
    basis: Annotated[
        Literal["verified", "derived", "recalled"] | None, typer.Option("--basis", help="Only rules known like this.")
    ] = None,
    evidence: EvidenceDirectory = None,
    as_json: AsJson = False,
) -> None:
    """List the rules: id, rank, whom they concern, the condition."""
    pooled = _pooled(evidence)
    topics = list(dict.fromkeys(rule.topic for rule in pooled.rules.rules))
    if topic is not None and topic not in topics:
        raise typer.BadParameter(f"{topic!r} is not a topic; one of {', '.join(topics)}", param_hint="--topic")
    chosen = [
        rule
        for rule in pooled.rules.rules
        if class_id in (None, rule.class_id) or rule.class_id == "any"
        if topic in (None, rule.topic) and severity in (None, rule.severity) and basis in (None, rule.basis)
    ]
    if as_json:
        print_json([_plain(rule, pooled.definitions) for rule in chosen])
        return
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.render.terminal.page import TerminalPage
    from bcma_decide.rules.condition_words import condition_words

    page = TerminalPage(Console(highlight=False))
    for name in topics:
        rows = [rule for rule in chosen if rule.topic == name]
        if rows:
            page.subheading(name)
            page.items(
                [
                    (
                        page.ink.symbol(rule.severity),
                        f"{rule.id}: {rule.severity}, {_whom(rule)}, {rule.basis}: "
                        f"{condition_words(rule.when, pooled.definitions)}",
                    )
                    for rule in rows
                ]
            )
    say(f"{len(chosen)} of {len(pooled.rules.rules)} rules; details: bcma-decide rules show ID")


@rules_app.command()
@report_errors
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of a rule or of a product.", autocompletion=_ids)],
    evidence: EvidenceDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Show one rule with its sources, or one product with its labels by region and date and its practical facts."""
    pooled = _pooled(evidence)
    rule = next((each for each in pooled.rules.rules if each.id == name), None)
    product = next((each for each in pooled.rules.products if each.id == name), None)
    if rule is None and product is None:
        from bcma_decide.errors import closest

        hint = closest(name, _ids()) or "see: bcma-decide rules list"
        raise typer.BadParameter(f"{name!r} is neither a rule nor a product; {hint}", param_hint="ID")
    if as_json:
        from bcma_decide.pooled.score_book import plain_value

        print_json(_plain(rule, pooled.definitions) if rule else plain_value(product))
        return
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.render.terminal.page import TerminalPage

    page = TerminalPage(Console(highlight=False))
    if rule is not None:
        _show_rule(page, rule, pooled)
    elif product is not None:
        _show_product(page, product, pooled)


@rules_app.command()
@report_errors
def table(
    region: Annotated[
        str, typer.Option("--region", metavar="REGION", help="Whose labels and regional rules: US, EU, China, ...")
    ] = DEFAULT_REGION,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="Only this state, such as pregnancy.")
    ] = None,
    evidence: EvidenceDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Lay side by side what the rules say of every state, by product: rank, nothing seen, or does not apply."""
    from datetime import date

    from bcma_decide.comparing.compare import check_region
    from bcma_decide.pooled.score_book import plain_value
    from bcma_decide.rules.coverage import compared_products, coverage

    pooled = _pooled(evidence)
    check_region(pooled, region)
    on = date.fromisoformat(pooled.date)
    known = [each.id for each in pooled.rules.states]
    if state is not None and state not in known:
        from bcma_decide.errors import closest

        raise typer.BadParameter(
            f"{state!r} is not a state; {closest(state, known) or 'see: bcma-decide rules table'}", param_hint="--state"
        )
    products = compared_products(pooled.rules, {option.id for option in pooled.options}, region, on)
    rows = [row for row in coverage(pooled.rules, region, on, products) if state in (None, row.state)]
    if as_json:
        print_json([plain_value(row) for row in rows])
        return
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.render.terminal.page import TerminalPage

    page = TerminalPage(Console(highlight=False))
    for row in rows:
        page.subheading(f"{row.label} ({row.state})" + (", during treatment" if row.phase == "during" else ""))
        page.items([(cell.product, _cell(cell)) for cell in row.cells], 16)
        if row.differences and len({cell.rank for cell in row.cells if cell.rank}) > 1:
            page.bullets(f"differs: {text}" for text in row.differences)
    say(f"{len(rows)} states of {len(products)} products, {region}, {pooled.date}")


@rules_app.command()
@report_errors
def check(evidence: EvidenceDirectory = None, as_json: AsJson = False) -> None:
    """Check the rule, product and score files; list what is wrong and end with code 3 if anything is."""
    from bcma_decide.errors import EXIT_INVALID_INPUT, EvidenceError
    from bcma_decide.pooled.location import evidence_directory
    from bcma_decide.workshop.evidence.definitions import load_definitions
    from bcma_decide.workshop.evidence.rules import load_rules

    root = evidence_directory(evidence)
    try:
        files = load_rules(root, load_definitions(root))
    except EvidenceError as error:
        if as_json:
            print_json([problem._asdict() for problem in error.problems])
        else:
            for problem in error.problems:
                say(str(problem))
            say(f"{len(error.problems)} problems", err=True)
        raise typer.Exit(EXIT_INVALID_INPUT) from None
    rules = [rule for _, file in files.topics for rule in file.rules]
    bases = {basis: sum(rule.basis == basis for rule in rules) for basis in ("verified", "derived", "recalled")}
    labels = sum(len(product.indications) for product in files.products.products)
    facts = sum(len(product.facts) for product in files.products.products)
    facts += sum(len(group.facts) for group in files.products.classes.values())
    if as_json:
        print_json([])
        return
    say(
        f"The rules are sound: {len(rules)} rules "
        f"({', '.join(f'{count} {basis}' for basis, count in bases.items())}), "
        f"{labels} labels and {facts} practical facts of {len(files.products.products)} products."
    )


def _cell(cell: CoverageCell) -> str:
    if cell.rank:
        return f"{cell.rank}: {', '.join(cell.rules)}"
    if cell.other is None:
        return "nothing is said: a hole"
    sources = f" ({', '.join(cell.other.sources)})" if cell.other.sources else ""
    return f"{cell.other.kind.replace('_', ' ')}: {cell.other.text}{sources}"


def _whom(rule: Rule) -> str:
    from bcma_decide.vocabulary import CLASS_LABELS

    whom = ", ".join(rule.products) or ("both" if rule.class_id == "any" else CLASS_LABELS[rule.class_id][0])
    return f"{whom}, {rule.region}" if rule.region else whom


def _show_rule(page: TerminalPage, rule: Rule, pooled: PooledEvidence) -> None:
    from bcma_decide.rules.condition_words import condition_words

    page.paragraph(rule.id, "bold")
    named = (
        ("Says", rule.text),
        ("If", condition_words(rule.when, pooled.definitions)),
        ("Concerns", _whom(rule)),
        ("In a line", rule.short),
        ("State", rule.state),
        ("Rank", f"{rule.severity}, {rule.origin.replace('_', ' ')}"),
        ("Speaks of", "doses during treatment, not the start" if rule.phase == "during" else ""),
        ("In force", _times(rule)),
        ("Basis", f"{rule.basis}, {rule.date}"),
        ("Note", rule.note),
    )
    page.items([(name, text) for name, text in named if text], 10)
    for key in rule.sources:
        page.bullets([_source(key, pooled)])


def _show_product(page: TerminalPage, product: Product, pooled: PooledEvidence) -> None:
    page.paragraph(f"{product.id}: {product.inn}" + (f" ({product.brand})" if product.brand else ""), "bold")
    page.heading("Labels")
    for each in product.indications:
        times = f"{each.since or 'no date'} to {each.until}" if each.until else f"since {each.since or 'no date'}"
        items = "; ".join(item.text for item in each.items) or "nothing in force"
        approval = each.approval or "kind of approval not stated"
        page.items([(each.region, f"{each.regimen}, {times}, {approval}, {each.basis}: {items}")], 10)
        if each.note:
            page.paragraph(each.note, indent=11)
    page.heading("In practice")
    labels = {topic.id: topic.label for topic in pooled.rules.topics}
    facts = (*product.facts, *pooled.rules.class_facts.get(product.class_id, ()))
    for fact in facts:
        where = " ".join(part for part in (fact.region, _times(fact)) if part)
        page.items(
            [(labels[fact.topic], f"{fact.text} ({'; '.join(part for part in (where, fact.basis) if part)})")], 24
        )
    keys = [each.source for each in product.indications if each.source]
    keys += [fact.source for fact in facts if fact.source]
    page.heading("Sources")
    page.bullets(_source(key, pooled) for key in dict.fromkeys(keys))


def _times(row: Rule | PracticalFact) -> str:
    times = (row.since and f"from {row.since}", row.until and f"until {row.until}")
    return " ".join(part for part in times if part)


def _source(key: str, pooled: PooledEvidence) -> str:
    source = pooled.rules.sources[key]
    return f"{key}: {source.citation}{f', {source.url}' if source.url else ''}"


def _plain(rule: Rule, definitions: Definitions) -> dict[str, object]:
    from bcma_decide.pooled.score_book import plain_value
    from bcma_decide.rules.condition_words import condition_words

    plain: dict[str, object] = plain_value(rule)
    return plain | {"condition": condition_words(rule.when, definitions)}
