"""x86/SVM: Introduce svm command line option.

svm=avic on Xen's command line sets svm_avic. (X9-1) Why off by default: the series supports no nested guests, and what
it leaves open (X23, X33) would surprise somebody. Published differently: X32 (any comma breaks the list).
"""

from avickit.beat import World
from avickit.xen.parts import xen

YES, NO = ("yes", "on", "true", "enable", "1"), ("no", "off", "false", "disable", "0")
EINVAL = 22


def parse_bool(value: str) -> int:
    """Xen's parse_bool: any non-empty prefix of a word, `o` is off; -1 for anything else. (X9-1)"""
    if value and any(word.startswith(value) for word in NO):
        return 0
    if value and any(word.startswith(value) for word in YES):
        return 1
    return -1


def parse_boolean(name: str, item: str) -> int:
    """`name`, `no-name` or `name=bool`; with `=` a no- prefix is ignored; -1 if it is not that. (X9-1)"""
    plain = item.removeprefix("no-")
    if plain == name:
        return int(plain == item)
    head, equals, value = plain.partition("=")
    return parse_bool(value) if head == name and equals else -1


def parse_svm_param(w: World, value: str) -> int:
    """A comma separated list; 0, or EINVAL if an item was wrong: the others still count, the last wins. (X9-1; X32)"""
    rc = 0
    for item in value.split(","):
        on = parse_boolean("avic", item)
        if on < 0:
            rc = EINVAL
        else:
            xen(w).flags["svm_avic"] = bool(on)
    return rc


def apply(w: World) -> None:
    """One command line parameter. (X9-1)"""
    xen(w).params["svm"] = parse_svm_param
