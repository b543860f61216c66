"""The VMCB: where each word lies, and what its bits mean.

Gathers `vmcb_map`, `vmcb_avic`, `vmcb_fields`, `vmcb_intercepts` and `vmcb_xen` under one name.
Does not model: behaviour; that is silicon's work.
"""

from avickit.manual.vmcb_avic import *  # noqa: F403
from avickit.manual.vmcb_fields import *  # noqa: F403
from avickit.manual.vmcb_intercepts import *  # noqa: F403
from avickit.manual.vmcb_map import *  # noqa: F403
from avickit.manual.vmcb_xen import *  # noqa: F403
