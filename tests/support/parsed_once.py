"""The same text is parsed once in a process: the evidence, which hundreds of tests read, and pages.

Every text is parsed by the real parser the first time. A YAML document is given out as a copy each time; a file of the
evidence in its shape cannot be changed; a page is not changed by those who look things up in it.
"""

import functools
import marshal

from justhtml import JustHTML

from bcma_decide.strict import yaml
from bcma_decide.workshop.evidence import schema


def yaml_once():
    """Let the strict reader remember the documents it has built; what is refused is read anew each time."""
    build, known = yaml._Builder.build, {}

    @functools.wraps(build)
    def remembered(self, text):
        if text not in known:
            known[text] = marshal.dumps(build(self, text))
        return marshal.loads(known[text])

    yaml._Builder.build = remembered


def shapes_once():
    """Let the shapes of the evidence remember what they were read from; what is refused is read anew each time."""
    read = schema.Strict.model_validate_json.__func__
    schema.Strict.model_validate_json = classmethod(functools.lru_cache(maxsize=4096)(read))


@functools.lru_cache(maxsize=64)
def page(text, *, strict=False):
    """The page as a tree, to look things up in; ``strict`` refuses what is not well formed."""
    return JustHTML(text, strict=strict, sanitize=False)
