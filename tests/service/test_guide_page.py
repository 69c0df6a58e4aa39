"""The guide as the service shows it: every page, links that lead somewhere, nothing loaded, nothing else reached."""

from urllib.parse import quote, unquote, urlsplit

import justhtml
import pytest

from bcma_decide.guide import INDEX, Page, pages
from bcma_decide.service.page.guide_body import guide_body
from tests.render.support.reading import words
from tests.service.support.page import parsed, text_of
from tests.service.support.service import app, ask
from tests.service.support.tokens import issuer

SERVICE = app()


def shown(path, service=SERVICE):
    return ask(service, "GET", path)


def drawn(markdown, name="model", base=""):
    """The body of a page of that text."""
    return justhtml.JustHTML(guide_body(Page(name, "Title", markdown, f"{name}.md"), base), sanitize=False)


def test_every_page_is_shown_and_its_links_lead_to_pages_and_sections():
    ids, leads = {}, []
    for name, page in pages().items():
        path = f"/guide/{name}"
        answer = shown(path)
        assert answer.status_code == 200, name
        document = justhtml.JustHTML(answer.text, strict=True, sanitize=False)
        assert [each.to_text().strip() for each in document.query("h1")] == [page.title.replace("`", "")]
        assert not document.query("script, iframe, object, form, style, main img, main [style]"), name
        ids[path] = {each.attrs["id"] for each in document.query("[id]")}
        leads += [(path, each.attrs["href"]) for each in document.query("main a")]
    ids["/guide"] = ids[f"/guide/{INDEX}"]
    inside = [(path, lead) for path, lead in leads if not lead.startswith("https://")]
    assert len(inside) > len(pages())
    for path, lead in inside:
        target = urlsplit(lead)
        assert (target.path or path) in ids, (path, lead)
        assert not target.fragment or unquote(target.fragment) in ids[target.path or path], (path, lead)


def test_the_guide_starts_with_its_index_and_the_page_leads_to_it():
    assert shown("/guide").text == shown(f"/guide/{INDEX}").text == shown("/guide/").text
    for path in ("/", "/guide/model", "/guide/nothing"):
        assert [each.attrs["href"] for each in parsed(shown(path)).query("header nav a")][-1:] == ["/guide"]


def test_its_policy_lets_nothing_run_and_nothing_be_sent():
    policy = dict(part.split(" ", 1) for part in shown("/guide").headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'", "style-src": "'self'", "img-src": "'self'", "form-action": "'none'",
        "base-uri": "'none'", "frame-ancestors": "'none'",
    }  # fmt: skip


def test_below_a_path_its_addresses_stand_below_it():
    service = app(public_url="https://cds.example.org/bcma")
    leads = [each.attrs["href"] for each in parsed(shown("/guide", service)).query("a, head link")]
    assert len(leads) > 5
    assert all(lead.startswith("/bcma/") for lead in leads)


@pytest.mark.parametrize(
    "topic",
    ["nothing", ".", "..", "../evidence", "../../pyproject.toml", "decisions/../model", "/model",
     "__init__.py", "model.md", "MODEL", "model\0", "C:\\model", "\u202eledom", "{{7*7}}",
     "<script>alert(1)</script>", "x" * 7_000],
)  # fmt: skip
def test_a_page_that_is_not_there_is_a_list_of_those_that_are(topic):
    """Percent-encoded, since a client puts dots in order before it asks; a server undoes the encoding and no more."""
    answer = shown(f"/guide/{quote(topic, safe='').replace('.', '%2E')}")
    assert answer.status_code == 404
    document = parsed(answer)
    assert [each.attrs["href"] for each in document.query("main li a")][1:] == [
        f"/guide/{name}" for name in pages() if name != INDEX
    ]
    assert text_of(answer).startswith("The guide has no such page It has these: Guide")
    assert "alert" not in answer.text
    assert "49" not in text_of(answer, "h1, title")


def test_readers_need_no_token_and_nothing_else_is_opened_by_it(tmp_path):
    service = app(issuers=(issuer(tmp_path),))
    assert shown("/guide", service).status_code == shown("/guide/model", service).status_code == 200
    assert shown("/guide/nothing", service).status_code == shown("/guide/%2e%2e/schema", service).status_code == 404
    assert ask(service, "POST", "/guide").status_code == ask(service, "POST", "/guide/model").status_code == 401
    for path in ("/guides", "/guide.md", "/schema", "/comparisons"):
        assert shown(path, service).status_code == 401, path
    assert ask(SERVICE, "POST", "/guide/model").status_code == 405


def test_without_the_page_there_is_no_guide(tmp_path):
    assert shown("/guide", app(page="off")).status_code == shown("/guide/model", app(page="off")).status_code == 404
    assert shown("/guide", app(page="off", issuers=(issuer(tmp_path),))).status_code == 401


# what may stand in Markdown


def test_links_lead_to_pages_or_the_web_or_are_text():
    document = drawn(
        "[a](glossary.md) [b](./decisions/../reading.md#the-numbers) [c](#two-words) [d](https://example.org/x?y=1)\n"
        "[e](../README.md) [f](../../evidence/rules) [g](javascript:alert(1)) [h](/model.md) [i](nothing.md)\n"
        "[j](data:text/html,x) [k](ftp://example.org) [**l**](//example.org) [m](mailto:a@example.org)\n\n"
        "## Two words!",
        base="/b",
    )
    found = {each.to_text().strip(): each.attrs for each in document.query("a")}
    assert found == {
        "a": {"href": "/b/guide/glossary"},
        "b": {"href": "/b/guide/reading#the-numbers"},
        "c": {"href": "#two-words"},
        "d": {"href": "https://example.org/x?y=1", "rel": "noreferrer"},
    }
    assert document.query("h2")[0].attrs["id"] == "two-words"
    text = words(document.query("p")[0].to_text())
    for letter in "efhiklm":
        assert f" {letter}" in f" {text}"


def test_html_is_text_and_a_picture_is_its_words():
    document = drawn(
        '<script>alert(1)</script>\n\n<b onclick="x">bold</b> ![a drawing](x.svg "t") ![](https://x/y.png)'
    )
    assert not document.query("script, b, img, [onclick]")
    assert "<script>alert(1)</script>" in words(document.to_text())
    assert "a drawing" in words(document.to_text())


def test_tables_keep_their_roles_and_titles_on_a_narrow_screen():
    document = drawn("| Word | *What* it is |\n|---|:-:|\n| arm | one |\n\n| x |\n|---|\n| y |\n")
    cells = [(each.to_text().strip(), each.attrs) for each in document.query("td")]
    assert cells == [
        ("arm", {"role": "cell", "data-label": "Word"}),
        ("one", {"role": "cell", "data-label": "What it is"}),
        ("y", {"role": "cell", "data-label": "x"}),
    ]
    roles = [each.attrs["role"] for each in document.query("table, thead, tbody, tr, th")]
    assert roles.count("table") == 2
    assert set(roles) == {"table", "rowgroup", "row", "columnheader"}


def test_sections_of_one_name_have_ids_of_their_own():
    document = drawn("## Audit\n\n## Audit\n\n### What `x` is (2024)\n")
    assert [each.attrs["id"] for each in document.query("h2, h3")] == ["audit", "audit-1", "what-x-is-2024"]
