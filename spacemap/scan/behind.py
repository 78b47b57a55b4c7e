"""Imported by the server that workers come from, and by nobody else: they stand back behind an interface.

Whoever looks at a scan waits for the interface, not for the scan; and a scan mostly has all that is left.
"""

import os

NICENESS = 10
"""A processor that both want goes to the interface for nine tenths of the time."""

if hasattr(os, "nice"):
    os.nice(NICENESS)
