"""What may change the files of a user: plans, their removal, the trash, and a journal of all of it."""

from spacemap.clean.apply import remove
from spacemap.clean.below import Below, look_below
from spacemap.clean.inspection import Inspection, inspect
from spacemap.clean.journal import Journal
from spacemap.clean.outcome import Method, Outcome, Removing, Stayed
from spacemap.clean.plan import Oddities, Plan, Refusal, make_plan
from spacemap.clean.script import write_script
from spacemap.clean.undo import undo_last

__all__ = [
    "Below",
    "Inspection",
    "Journal",
    "Method",
    "Oddities",
    "Outcome",
    "Plan",
    "Refusal",
    "Removing",
    "Stayed",
    "inspect",
    "look_below",
    "make_plan",
    "remove",
    "undo_last",
    "write_script",
]
