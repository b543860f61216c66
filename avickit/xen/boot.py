"""Booting Xen: command line, feature list, function table; then the patches bring what they bring.

Does not model: anything else that a boot does.
"""

from avickit.beat import Beats, Op, World
from avickit.manual.cpuid import CpuModel, has
from avickit.manual.exits import ExitCode
from avickit.manual.vmcb import XEN_NAMES
from avickit.xen import intr, keys, svm
from avickit.xen.evtchn import EvtchnDomain, EvtchnVcpu
from avickit.xen.hypercall import exit_vmmcall
from avickit.xen.parts import Console, Host, Hypervisor, PCpu, Symbol, printk, xen
from avickit.xen.vlapic import vlapic_reg_read, vlapic_reg_write

FEATURES = (
    ("NP", "Nested Page Tables (NPT)"),
    ("LBR_VIRT", "Last Branch Record (LBR) Virtualisation"),
    ("NRIPS", "Next-RIP Saved on #VMEXIT"),
    ("VMCB_CLEAN", "VMCB Clean Bits"),
    ("DECODE_ASSISTS", "DecodeAssists"),
    ("VMSAVE_VIRT", "Virtual VMLOAD/VMSAVE"),
    ("VGIF", "Virtual GIF"),
    ("PAUSE_FILTER", "Pause-Intercept Filter"),
    ("PAUSE_FILTER_THRESHOLD", "Pause-Intercept Filter Threshold"),
    ("TSC_RATE_MSR", "TSC Rate MSR"),
)
"""What Xen's start_svm prints of CPUID Fn8000_000A_EDX. (X4-1)"""


def new_xen(w: World) -> Hypervisor:
    """The hypervisor as it was before the series: its records in the World, its tables filled. Prints nothing yet."""
    host = Hypervisor()
    w.objects.update(xen=[host], lines=[], domains=[], vcpus=[])
    w.objects["console"] = [w.cells(Console, "console")]
    w.objects["host"] = [w.cells(Host, "host")]
    w.objects["pcpus"] = []
    for core in w.objects["cores"]:
        shared = w.area(f"core {core.index}", ("softirq", "next"))
        own = w.area(f"core {core.index}", ("current", "loaded", "last_run", "tasklet"), private=True)
        w.objects["pcpus"].append(PCpu(core, shared, own, own + 1, shared + 1, own + 2, own + 3))
    host.vmexits.update({int(code): handler for code, handler in svm.VMEXITS.items()})
    host.vmexits[int(ExitCode.VMEXIT_VMMCALL)] = exit_vmmcall
    host.domain_fields["evtchn_domain"], host.vcpu_fields["evtchn_vcpu"] = EvtchnDomain, EvtchnVcpu
    host.funcs.update(events_need_delivery=intr.events_need_delivery, reflect_tpr=svm.reflect_tpr)
    host.keys.update(keys.KEYS)
    host.symbols["vlapic_read_aligned"] = Symbol(vlapic_reg_read, "vlapic.c", static=True)
    host.symbols["vlapic_reg_write"] = Symbol(vlapic_reg_write, "vlapic.c", static=True)
    host.vmcb_names.update(name for name in XEN_NAMES if "avic" not in name)
    w.hooks["hypervisor"] = svm.hypervisor
    return host


@Op
def start_xen(w: World, cmdline: str) -> Beats[None]:
    """Parse the command line, then print the SVM features. (X4-1, X9-1)"""
    yield from printk(w, f"(XEN) Command line: {cmdline}".rstrip())
    for item in cmdline.split():
        yield from cmdline_parse(w, item)
    yield from start_svm(w)


@Op
def cmdline_parse(w: World, item: str) -> Beats[None]:
    """One parameter. What nobody knows is named and left alone. (Xen _cmdline_parse)"""
    name, _, value = item.partition("=")
    parse = xen(w).params.get(name)
    if parse is None:
        yield from printk(w, f'(XEN) parameter "{name}" unknown!')
    elif parse(w, value):
        yield from printk(w, f'(XEN) parameter "{name}" has invalid value "{value}", rc=-22!')


@Op
def start_svm(w: World) -> Beats[None]:
    """The list of SVM features, and what patches add to it. (X4-1)"""
    cpu: CpuModel = w.objects["cpu"][0]
    yield from printk(w, "(XEN) SVM: Supported advanced features:")
    lines = [name for feature, name in FEATURES if has(cpu, feature)]
    lines += [line for line in (begin(w) for begin in xen(w).start) if line]
    for line in lines or ["none"]:
        yield from printk(w, f"(XEN)  - {line}")
