"""Words that tell a reader what to do."""

import re

DIRECTIVE = re.compile(r"\b(should|best|recommended|recommend|safe|prefer)\b", re.IGNORECASE)
