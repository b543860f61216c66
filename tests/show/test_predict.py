"""The gate: its static form tells question and options and folds the rest; the live form is told what, not how."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from avickit import AvicError, Predict
from avickit.show.live.predict import LivePredict
from tests.show.test_forms import ATTRIBUTES, HOSTILE, LIMIT, TAGS, Inspector

OPTIONS = {
    "The interrupt is lost.": "No: IRR is a bit in memory and waits there.",
    "IRR is set, then the sender exits.": "Yes: IsRunning is 0, nobody would hear a doorbell. (H-IPI-5)",
    "The doorbell wakes the target.": "No: no core runs it.",
}
QUESTION = "The target sleeps. What does an IPI to it do?"
ANSWER = "IRR is set, then the sender exits."
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def gate() -> Predict:
    return Predict(QUESTION, OPTIONS, answer=ANSWER)


def test_the_text_asks_and_does_not_tell(gate: Predict) -> None:
    assert repr(gate).splitlines()[0] == f"Predict: {QUESTION}"
    assert re.findall(r"^  ([A-C])  (.*)$", repr(gate), re.MULTILINE) == list(zip("ABC", OPTIONS, strict=True))
    assert not any(why in repr(gate) for why in OPTIONS.values())


def test_revealing_tells_every_why_and_marks_the_answer(gate: Predict) -> None:
    for form in (str(gate.reveal()), Inspector(gate.reveal().html).words):
        assert all(why in form for why in OPTIONS.values())
    assert f"* B  {ANSWER}" in str(gate.reveal())
    assert "<details" not in gate.reveal().html


def test_the_html_folds_the_answer_and_the_whys(gate: Predict) -> None:
    outside, _, inside = gate.html.partition("<details>")
    assert "✓" not in outside
    assert all(option in outside for option in OPTIONS)
    assert not any(why in outside for why in OPTIONS.values())
    assert all(why in inside for why in OPTIONS.values())
    [marked] = [line for line in inside.split("<tr") if "✓ answer" in line]
    assert OPTIONS[ANSWER] in marked
    assert gate.html.count("<details>") == 1


def test_the_forms_are_small_lawful_and_the_same_every_time(gate: Predict) -> None:
    bundle = gate._repr_mimebundle_()
    again = Predict(QUESTION, OPTIONS, answer=ANSWER)._repr_mimebundle_()
    assert [bundle[kind] for kind in ("text/plain", "text/html")] == [
        again[kind] for kind in ("text/plain", "text/html")
    ]
    assert WIDGET_VIEW in bundle
    assert gate._repr_mimebundle_()[WIDGET_VIEW] == bundle[WIDGET_VIEW], "shown twice it is one model"
    seen = Inspector(bundle["text/html"])
    assert seen.tags <= TAGS
    assert seen.attributes <= ATTRIBUTES
    assert len(bundle["text/html"]) <= LIMIT


def test_without_widgets_the_static_form_is_left(gate: Predict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "avickit.show.live.predict", None)
    assert set(gate._repr_mimebundle_()) == {"text/plain", "text/html"}


@pytest.mark.parametrize(
    ("question", "options", "answer", "said"),
    [
        (QUESTION, {"one": "why"}, "one", "options: 1 given, expected 2 to 8"),
        (QUESTION, {str(n): "why" for n in range(9)}, "0", "options: 9 given"),
        (QUESTION, OPTIONS, "Something else.", "answer: Something else. given, expected one of the options: The inter"),
        ("  ", OPTIONS, ANSWER, "question:"),
        (QUESTION, {**OPTIONS, "": "why"}, ANSWER, "option:"),
        (QUESTION, {**OPTIONS, "No idea.": ""}, ANSWER, "the why of 'No idea.':"),
    ],
)
def test_a_gate_that_cannot_be_asked_is_refused(question: str, options: dict[str, str], answer: str, said: str) -> None:
    with pytest.raises(AvicError, match=re.escape(said)):
        Predict(question, options, answer=answer)


def test_browser_and_python_follow_each_other(gate: Predict) -> None:
    assert gate.chosen == ""
    gate._repr_mimebundle_()
    view = gate._live
    assert isinstance(view, LivePredict)
    view.chosen = 2
    assert gate.chosen == list(OPTIONS)[2]
    gate.chosen = ANSWER
    assert view.chosen == 1
    view.chosen = 99
    assert (view.chosen, gate.chosen) == (-1, ""), "a browser gets an option that is there"
    with pytest.raises(AvicError, match="option: Maybe given, expected one of"):
        gate.chosen = "Maybe"
    assert gate.chosen == ""


def test_one_chosen_before_it_is_shown_is_chosen_there(gate: Predict) -> None:
    gate.chosen = ANSWER
    gate._repr_mimebundle_()
    assert gate._live.chosen == 1


def test_text_from_elsewhere_is_escaped() -> None:
    gate = Predict(HOSTILE, {HOSTILE: HOSTILE, "b": HOSTILE}, answer=HOSTILE)
    for form in (gate.html, gate.reveal().html):
        seen = Inspector(form)
        assert seen.tags <= TAGS
        assert seen.attributes <= ATTRIBUTES
        assert "<script" not in form
        assert seen.words.count(HOSTILE) == 4


def test_the_script_is_one_module_with_its_words_from_python(tmp_path: Path) -> None:
    node = shutil.which("node") or pytest.fail("node is missing, see test_js.py")
    script = tmp_path / "gate.mjs"
    script.write_text(str(LivePredict._esm), encoding="utf-8")
    ask = f"import('{script.as_uri()}').then(m => console.log(JSON.stringify(Object.keys(m).sort())))"
    answer = subprocess.run([node, "-e", ask], capture_output=True, text=True, check=True).stdout
    assert {"default", "keyed", "spoken"} <= set(json.loads(answer))
