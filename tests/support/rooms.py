"""The rooms of the package and what stands on what."""

from __future__ import annotations

ROOT_MODULES = {
    "__init__",
    "version",
    "errors",
    "logic",
    "vocabulary",
    "pieces",
    "value",
    "behind",
    "time_course",
    "preference_shapes",
    "comparison",
    "spellings",
}
GROUND = ROOT_MODULES - {"__init__"}

ROOMS = [
    {"ground"},
    {"strict", "guide"},
    {"pooled"},
    {"patient"},
    {"facts"},
    {"rules", "model"},
    {"comparing"},
    {"render"},
    {"fhir"},
    {"service", "workshop", "cohort"},
    {"cli"},
]
"""From the bottom up. A room may import itself and lower rooms only; rooms of one row know nothing of each other."""
