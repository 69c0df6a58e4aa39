"""What is looked at on a page in a browser: rules of accessibility, and whether everything fits."""

import re

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


SPACING = """
* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
p { margin-bottom: 2em !important; }
"""


LINES = """() => {
  const hidden = element => element.closest("thead, caption") && getComputedStyle(
    element.closest("thead, caption")).clipPath !== "none"
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = []
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement
    if (!node.data.trim() || element.closest("svg, style") || hidden(element) || !element.checkVisibility()) continue
    const range = document.createRange()
    range.selectNodeContents(node)
    for (const box of range.getClientRects())
      if (box.width > 0)
        found.push({text: node.data.trim().slice(0, 40), sup: !!element.closest("sup"), left: box.left,
          right: box.right, top: box.top + scrollY, bottom: box.bottom + scrollY})
  }
  return found
}"""
"""Every line of text that is shown, with its box; what is for screen readers only is left out."""


CUT = """() => [...document.querySelectorAll("body *")].filter(element => {
  const style = getComputedStyle(element)
  return style.clipPath === "none" && !element.closest("svg") && element.checkVisibility()
    && !(element.closest("thead, caption") && getComputedStyle(element.closest("thead, caption")).clipPath !== "none")
    && [style.overflowX, style.overflowY].some(value => value !== "visible")
    && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1)
}).map(element => element.outerHTML.slice(0, 120))"""
"""Elements that cut off what does not fit in them."""


def violations(axe, page):
    """Broken rules as lines: rule, place, what is wrong."""
    options = {"runOnly": {"type": "tag", "values": list(RULES)}, "resultTypes": ["violations"]}
    response = axe.run(page, options=options).response
    return [
        f"{rule['id']} at {' '.join(map(str, node['target']))} (of {len(rule['nodes'])}): "
        f"{' '.join(node['failureSummary'].split())[:200]} | {node['html'][:120]}"
        for rule in response["violations"]
        for node in rule["nodes"][:3]
    ]


def assert_fits(page):
    """Nothing is wider than the screen, cut off, or printed over something else."""
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    lines = page.evaluate(LINES)
    assert len(lines) > 50
    outside = [line for line in lines if line["left"] < -0.5 or line["right"] > width + 0.5]
    assert not outside, (width, outside[:5])
    cut = page.evaluate(CUT)
    assert not cut, (width, cut[:5])
    over_each_other = list(dict.fromkeys(overlapping(lines)))
    assert not over_each_other, (width, over_each_other[:10])


def letters(text):
    """What is left of a text when lines, columns and soft breaks no longer matter."""
    return re.sub(r"[\s\u00ad\u2010-]+", "", text)


def overlapping(lines, share=0.3):
    """Pairs of lines that lie over each other."""
    lines = sorted((line for line in lines if not line["sup"]), key=lambda line: line["top"])
    for place, one in enumerate(lines):
        for other in lines[place + 1 :]:
            if other["top"] >= one["bottom"]:
                break
            width = min(one["right"], other["right"]) - max(one["left"], other["left"])
            height = min(one["bottom"], other["bottom"]) - other["top"]
            smaller = min((line["right"] - line["left"]) * (line["bottom"] - line["top"]) for line in (one, other))
            if width > 0 and height > 0 and width * height > share * smaller:
                yield one["text"], other["text"]
