"""Proofs of X9-1: the command line option."""

import pytest

from avickit.beat import World
from avickit.series import p09_option as p09
from avickit.xen.parts import xen
from tests.proofs.frame import Make, breaks, proves

YES, NO = ("yes", "on", "true", "enable", "1"), ("no", "off", "false", "disable", "0")


def booted(make: Make, cmdline: str) -> tuple[bool, bool]:
    """Whether AVIC is on after this command line, and whether something in it was invalid."""
    m = make(cmdline=cmdline, cores=1, pages=8)
    assert m.xen is not None
    return xen(m.world).flags["svm_avic"], any("has invalid value" in line for line in m.xen.console)


@proves("X9-1")
def every_form_of_a_boolean(make: Make) -> None:
    """parse_bool: any non-empty prefix, "o" is off; with "=" a no- prefix is ignored; default off. (X9-1)"""
    assert booted(make, "") == (False, False)
    assert (booted(make, "svm=avic"), booted(make, "svm=no-avic")) == ((True, False), (False, False))
    for words, on in ((YES, True), (NO, False)):
        for word in words:
            for n in range(1, len(word) + 1):
                value = on and word[:n] != "o"
                assert booted(make, f"svm=avic={word[:n]}") == (value, False), word[:n]
        for prefix in ("", "no-"):
            assert booted(make, f"svm={prefix}avic={words[0]}") == (on, False)
    assert booted(make, "svm=avic=o") == (False, False)


@proves("X9-1")
def anything_else_is_einval_and_the_others_count(make: Make) -> None:
    """Anything else -> EINVAL and the other items still count; the last mention wins. (series.md X9-1)"""
    for wrong in ("", "avic=", "avic=2", "avic=yess", "avic=x", "foo", "noavic", "AVIC", "avicx", "no-no-avic"):
        assert booted(make, f"svm={wrong}") == (False, True), wrong
        assert booted(make, f"svm=avic,{wrong}") == (True, True), wrong
        assert booted(make, f"svm={wrong},avic") == (True, True), wrong
    for items, on in (("avic,no-avic", False), ("no-avic,avic", True), ("avic=0,avic=y,avic=f", False)):
        assert booted(make, f"svm={items}") == (on, False)
    assert booted(make, "svm=avic svm=no-avic") == (False, False)
    assert booted(make, "svm=no-avic svm=avic") == (True, False)


@breaks("X9-1", patch=True)
def only_whole_words(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(p09, "parse_bool", lambda value: int(value in YES) if value in (*YES, *NO) else -1)


@breaks("X9-1", patch=True)
def o_is_on(patch: pytest.MonkeyPatch) -> None:
    parse = p09.parse_bool
    patch.setattr(p09, "parse_bool", lambda value: 1 if value == "o" else parse(value))


@breaks("X9-1", patch=True)
def no_turns_a_value_round(patch: pytest.MonkeyPatch) -> None:
    parse = p09.parse_boolean
    patch.setattr(p09, "parse_boolean", lambda n, i: 1 - parse(n, i) if "no-avic=" in i else parse(n, i))


@breaks("X9-1", patch=True)
def a_comma_breaks_the_list(patch: pytest.MonkeyPatch) -> None:
    parse = p09.parse_svm_param

    def published(w: World, value: str) -> int:
        return 22 if "," in value else parse(w, value)

    patch.setattr(p09, "parse_svm_param", published)


@breaks("X9-1", patch=True)
def the_first_mention_wins(patch: pytest.MonkeyPatch) -> None:
    parse = p09.parse_svm_param
    patch.setattr(p09, "parse_svm_param", lambda w, value: parse(w, ",".join(reversed(value.split(",")))))


@breaks("X9-1", patch=True)
def unknown_words_are_ignored(patch: pytest.MonkeyPatch) -> None:
    parse = p09.parse_svm_param
    patch.setattr(p09, "parse_svm_param", lambda w, value: 0 * parse(w, value))
