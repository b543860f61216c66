"""#VMEXITs: their codes, and what comes with them.

Gathers `exit_codes` and `exit_info` under one name.
Does not model: behaviour; that is silicon's and Xen's work.
"""

from avickit.manual.exit_codes import *  # noqa: F403
from avickit.manual.exit_info import *  # noqa: F403
