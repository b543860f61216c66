"""The map of the series says what the rules say that each patch brings."""

from avickit.lessons.series_map import STRUCTURES, SeriesMap


def test_it_says_what_the_rules_say() -> None:
    """X1-1, X2-1, X3-1, X4-1, X5-1, X6-4, X7-1, X7-2, X8-1, X9-1, X10-1: each patch touches what it should."""
    found = dict(SeriesMap())
    assert set(found[1]) == {"VMCB"}
    assert found[2] == {"symbols": ["vlapic_reg_read"]}
    assert found[3] == {"symbols": ["vlapic_reg_read", "vlapic_reg_write"]}
    assert found[4]["flags"] == ["svm_avic"]
    assert found[5]["#VMEXIT"] == ["AVIC_INCOMPLETE_IPI", "AVIC_NOACCEL"]
    assert found[6]["function table"] == ["domain_init", "pi_block", "pi_from", "pi_resume", "pi_to"]
    assert found[7]["function table"] == ["deliver_posted_intr"]
    assert "enable_intr_window" in found[7]["steps"]
    assert found[8]["flags"] == ["virtual_intr_delivery_enabled"]
    assert found[9] == {"options": ["svm"]}
    assert found[10]["keys"] == ["i"]


def test_both_forms_name_every_patch_and_whatever_it_touches() -> None:
    series = SeriesMap()
    for form in (repr(series), series._repr_html_()):
        assert all(name in form for _, found in series for names in found.values() for name in names)
        assert form.count("x86/") == 10
    assert set(STRUCTURES) == {name for _, found in series for name in found}
    assert series.who_touches("options") == [9]
