"""The page of agreement is the one that today's data of the tests make."""

from tests.workshop.meta_analysis.support.agreement import AGAIN, PAGE, page


def test_the_page_is_the_one_written_today():
    assert PAGE.read_text(encoding="utf-8") == page(), AGAIN
