// The pure parts of the live views, by node's own test runner.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

// The views are one module without file names' help, so the file is loaded as text.
const read = (name) => readFileSync(new URL(`../../avickit/show/live/${name}`, import.meta.url), "utf8");
const source = ["moves.js", "find.js", "keys.js", "stretch.js"].map(read).join("\n");
const m = await import(`data:text/javascript,${encodeURIComponent(source)}`);

const data = {
  first: 10, last: 14, hole: "\ue000", beside: ["<div>", "</div>"],
  text: ["beat \ue000 ", "<b>loads</b>", "<b>rings &amp; waits</b>", "<tr>a</tr>", "<tr><mark>b</mark></tr>", "<table>", "</table>"],
  said: [0, [1, 1, 2, 1, 2]],
  sheets: [{ whole: false, gaps: [5, 6], slots: [[10, 3, 12, 4, 13, 3, 14, 4]] }],
};
const plain = (i) => data.text[i].replace(/<[^>]*>/g, "").replace("&amp;", "&");

test("what scrolls keeps the arrow keys that scroll it", () => {
  const pane = (role, wide, high) => ({ getAttribute: () => role, scrollWidth: wide, clientWidth: 100, scrollHeight: high, clientHeight: 100 });
  const kept = (target) => ["ArrowLeft", "ArrowDown", "Home"].filter((key) => m.scrolls({ target, key }));
  assert.deepEqual(kept(pane("region", 300, 100)), ["ArrowLeft"]);
  assert.deepEqual(kept(pane("region", 100, 300)), ["ArrowDown"]);
  assert.deepEqual(kept(pane("region", 100, 100)), []);
  assert.deepEqual(kept(pane("group", 300, 300)), []);
});

test("counts entries up to a number, in records too", () => {
  assert.deepEqual([0, 1, 2, 5, 9].map((n) => m.upTo([1, 2, 5], n)), [0, 1, 2, 3, 3]);
  assert.deepEqual([0, 10, 11, 99].map((n) => m.upTo([10, 7, 11, 8], n, 2)), [0, 1, 2, 2]);
  assert.equal(m.upTo([], 4), 0);
});

test("finds the piece that a slot shows", () => {
  const [slot] = data.sheets[0].slots;
  assert.deepEqual([10, 11, 12, 13, 14].map((n) => m.pieceAt(slot, n)), [3, 3, 4, 3, 4]);
});

test("goes by beats and by stops, and stays at the ends", () => {
  assert.equal(m.step(data, null, 12, 1), 13);
  assert.equal(m.step(data, null, 14, 1), 14);
  assert.equal(m.step(data, null, 10, -1), 10);
  assert.equal(m.step(data, [11, 13], 11, 1), 13);
  assert.equal(m.step(data, [11, 13], 13, 1), 14);
  assert.equal(m.step(data, [11, 13], 13, -1), 11);
  assert.equal(m.step(data, [11, 13], 11, -1), 10);
  assert.equal(m.step(data, [], 12, 1), 14);
});

test("knows the next and the previous change", () => {
  const found = m.changes(data.sheets[0].slots[0], data.text);
  assert.deepEqual(found, [12, 14]);
  assert.deepEqual([m.after(found, 12), m.after(found, 14), m.before(found, 14), m.before(found, 12)], [14, null, 12, null]);
});

test("joins prepared pieces only", () => {
  assert.equal(m.sentence(data, 12), "beat 12 <b>rings &amp; waits</b>");
  assert.equal(m.sheets(data, 12), "<div><table><tr><mark>b</mark></tr></table></div>");
});

test("finds words, round the end, and tells numbers from words", () => {
  assert.equal(m.find(data, ["rings"], 10, 1, plain), 12);
  assert.equal(m.find(data, ["rings"], 14, 1, plain), 12);
  assert.equal(m.find(data, ["rings"], 12, -1, plain), 14);
  assert.equal(m.find(data, ["& waits"], 12, 1, plain), 14);
  assert.equal(m.find(data, ["nothing", "loads"], 12, 1, plain), 13);
  assert.equal(m.find(data, ["<b>"], 10, 1, plain), null);
  assert.deepEqual(["13", " 99 ", "RINGS", "  "].map((x) => m.wanted(x, 10, 14)), [13, "99", "rings", null]);
  const memory = [{ rows: { 10: { name: "A", place: "one A, 010h" }, 20: { name: "B", place: "one B, 020h" } } }];
  assert.deepEqual(m.rowsWith(memory, "one b"), [[0, "20"]]);
  assert.deepEqual(m.rowsWith(memory, "010h"), [[0, "10"]]);
  assert.deepEqual(m.rowsWith(memory, "zz"), []);
});

test("maps keys, and leaves others alone", () => {
  const key = (name, where = "div", more = {}) => m.action({ key: name, ...more }, where, "e");
  assert.equal(key("ArrowRight"), "forward");
  assert.equal(key("ArrowRight", "div", { shiftKey: true }), "nextChange");
  assert.equal(key("ArrowLeft", "tr", { shiftKey: true }), "lastChange");
  assert.equal(key("e"), "jump");
  assert.equal(key(" "), "play");
  assert.equal(key("?", "div", { shiftKey: true }), "help");
  for (const where of ["div", "button", "select", "input"]) {
    assert.equal(key("Tab", where), null, "Tab is never ours");
    assert.equal(key("Tab", where, { shiftKey: true }), null);
    assert.equal(key("Escape", where), "close");
  }
  assert.equal(key(" ", "button"), null, "a button is pressed");
  assert.equal(key("ArrowRight", "button"), "forward");
  assert.equal(key("ArrowDown", "select"), null, "a choice is chosen");
  assert.equal(key("e", "input"), null, "a letter is typed");
  assert.equal(key("ArrowRight", "div", { ctrlKey: true }), null);
  assert.equal(key("s", "div", { metaKey: true }), null);
});

test("plain keys are the view's own, chords and running a cell are the notebook's", () => {
  for (const key of ["ArrowUp", "x", "Tab", "Enter", "Escape"]) assert.equal(m.isOwn({ key }), true);
  assert.equal(m.isOwn({ key: "Enter", shiftKey: true }), false);
  for (const held of ["ctrlKey", "altKey", "metaKey"]) assert.equal(m.isOwn({ key: "s", [held]: true }), false);
});

test("beats and pixels are inverse to each other", () => {
  for (const count of [1, 27, 10_000]) {
    const at = m.scale(5, 4 + count, 60, 900);
    for (let n = 5; n <= 4 + count; n += 1) assert.equal(at.beat(at.middle(n)), n);
    assert.equal(at.beat(-50), 5);
    assert.equal(at.beat(5000), 4 + count);
  }
});

test("ticks are round and not too dense", () => {
  assert.deepEqual(m.ticks(372, 381, 30), [372, 374, 376, 378, 380]);
  const many = m.ticks(1, 10_000, 0.1);
  assert.ok(many.length <= 22);
  assert.ok(many.every((n) => n % 500 === 0));
});

test("spans are cut to the part that is seen", () => {
  const flat = [1, 0, 0, 4, 1, 2, 8, 2, 1];
  assert.deepEqual(m.spansOf(flat, 9, 5, 8).map(({ from, to, look }) => [from, to, look]), [[5, 8, 1], [8, 9, 2]]);
  assert.deepEqual(m.spansOf(flat, 9, 2, 3).map(({ from, to, look }) => [from, to, look]), [[2, 4, 0]]);
});

test("a zoomed part keeps the beat where it was, and stays within all beats", () => {
  for (const n of [1, 250, 999, 1000]) {
    let view = [1, 1000];
    for (const factor of [2, 2, 2, 2, 2, 2, 2, 0.5, 0.5]) {
      view = m.zoomed(view, n, factor, 1, 1000);
      assert.ok(view[0] >= 1 && view[1] <= 1000 && view[0] <= n && n <= view[1], `${n} in ${view}`);
      assert.ok(view[1] - view[0] + 1 >= 24);
    }
  }
  assert.deepEqual(m.zoomed([100, 199], 150, 0.001, 1, 1000), [1, 1000]);
  assert.deepEqual(m.zoomed([1, 10], 5, 2, 1, 10), [1, 10], "there is nothing to zoom into");
});

test("a part pans to the ends, and follows a beat that leaves it", () => {
  assert.deepEqual(m.panned([100, 199], 0.25, 1, 1000), [125, 224]);
  assert.deepEqual(m.panned([950, 999], 0.5, 1, 1000), [951, 1000]);
  assert.deepEqual(m.panned([3, 52], -0.5, 1, 1000), [1, 50]);
  assert.deepEqual(m.holding([100, 199], 150, 1, 1000), [100, 199]);
  const [from, to] = m.holding([100, 199], 500, 1, 1000);
  assert.ok(from <= 500 && 500 <= to && to - from === 99);
});

test("spans end where the next begins", () => {
  assert.deepEqual(m.spansOf([1, 0, 0, 4, 1, 2], 9), [
    { from: 1, to: 4, look: 0, label: 0 },
    { from: 4, to: 10, look: 1, label: 2 },
  ]);
});
