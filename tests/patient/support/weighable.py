"""What can be given a weight: by the shipped evidence, and a burden of the tests' own."""

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.pooled.criteria import Criterion, criteria_of
from bcma_decide.pooled.rule_book import Burden

CRITERIA = criteria_of(load_pooled())
DAYS = Criterion("days", "Days", "days", "days", "harm", "burden", None, burden=Burden("days", "Days", "days", ()))
WITH_DAYS = {**CRITERIA, "days": DAYS}
