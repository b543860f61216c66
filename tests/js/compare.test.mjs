// The pure parts of the live comparison.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const read = (name) => readFileSync(new URL(`../../avickit/show/live/${name}`, import.meta.url), "utf8");
const source = read("moves.js") + read("aligned.js"); // one behind the other, as they are shown
const m = await import(`data:text/javascript,${encodeURIComponent(source)}`);

const story = (first, last, word) => ({
  first, last, hole: "\ue000", text: ["<i>\ue000</i>", `<b>${word}</b>`, "<p>old</p>", "<p>new</p>", ""],
  said: [0, 1], sheets: [{ whole: false, gaps: [4, 4], slots: [[first, 2, last, 3]] }],
});
const data = {
  first: 1, last: 5,
  places: [3, 7, 4, 8, 5, 0, 0, 9, 0, 0], // left and right beat of each place
  same: [1, 1, 0, 0, 1], steps: [1, 3, 5], stops: [2, 3, 5], numbers: [7, 8, 9], hole: "\ue001",
  around: [["L1 \ue001", "R1 \ue001"], ["L2 \ue001", "R2 \ue001"], ["L3 \ue001", "R3 \ue001"]],
  nothing: "none", rows: [[0, 0], [-1, 0]], absent: "absent", sides: [story(3, 5, "one $& two"), story(7, 9, "other")],
  words: { step: "step", beat: "beat", of: "of", same: "same", differs: "differ" },
};

test("knows the step of a place", () => {
  assert.deepEqual([1, 2, 3, 4, 5].map((at) => m.stepAt(data, at)), [0, 0, 1, 1, 2]);
});

test("a side without a beat stays where it was", () => {
  assert.deepEqual(m.beatAt(data, 0, 3), { n: 5, here: true });
  assert.deepEqual(m.beatAt(data, 0, 4), { n: 5, here: false });
  assert.deepEqual(m.beatAt(data, 1, 3), { n: 8, here: false });
  assert.deepEqual(m.beatAt(data, 1, 5), { n: 9, here: false });
  const late = { ...data, places: [0, 7], sides: data.sides };
  assert.deepEqual(m.beatAt(late, 0, 1), { n: 3, here: false }, "before its first beat it shows that");
});

test("puts a prepared sentence into what stands around it, as it is", () => {
  assert.equal(m.sideAt(data, 0, 1), "L1 <i>3</i><b>one $& two</b>");
  assert.equal(m.sideAt(data, 1, 3), "R2 none");
  assert.equal(m.sideAt(data, 1, 4), "R2 <i>9</i><b>other</b>");
});

test("shows the pages of each side's own beat", () => {
  assert.equal(m.pageAt(data, 0, 0, 2), "<p>old</p>");
  assert.equal(m.pageAt(data, 0, 0, 4), "<p>new</p>");
  assert.equal(m.pageAt(data, 1, 0, 3), "<p>old</p>");
  assert.equal(m.pageAt(data, 0, 1, 3), "absent", "a side may lack a page");
  assert.equal(m.pageAt(data, 1, 1, 3), "<p>old</p>");
});

test("says where one stands and whether both sides agree", () => {
  assert.equal(m.standing(data, 2), "step 7, beat 2 of 2: same");
  assert.equal(m.standing(data, 4), "step 8, beat 2 of 2: differ");
  assert.equal(m.standing(data, 5), "step 9, beat 1 of 1: same");
});

test("goes by the stops of steps as the stepper goes by its own", () => {
  assert.equal(m.step(data, data.stops, 2, 1), 3);
  assert.equal(m.step(data, data.stops, 5, -1), 3);
  assert.equal(m.step(data, null, 3, 1), 4);
});
