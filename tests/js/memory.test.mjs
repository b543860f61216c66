// What the pages hold and how it is told, by node's own test runner.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const read = (name) => readFileSync(new URL(`../../avickit/show/live/${name}`, import.meta.url), "utf8");
const m = await import(`data:text/javascript,${encodeURIComponent(read("moves.js") + read("memory.js"))}`);

const field = ["ON", 31, 31, "it is on", {}];
const mode = ["MODE", 7, 4, "how", { 15: "FLAT" }];
const narrow = {
  name: "R", place: "page R, 010h", meaning: "a register", who: "anybody", rules: ["H-1: so it is. (p.1)"], section: "p.1",
  width: 32, words: [16], fields: [field, mode], unit: "bit",
};
const wide = { ...narrow, name: "SET", width: 256, words: [256, 272, 288, 304, 320, 336, 352, 368], fields: [], unit: "vector" };
const page = { title: "page", rows: { 10: narrow, 100: wide }, words: { 16: [5, 0x80000001, 9, 0xf0], 272: [5, 0, 7, 0x80000002] } };

test("a word is what was written last, 0 where nothing was", () => {
  assert.deepEqual([5, 8, 9, 20].map((n) => m.wordAt(page, 16, n)), [0x80000001, 0x80000001, 0xf0, 0xf0]);
  assert.equal(m.wordAt(page, 2000, 9), 0);
});

test("a value is put together from words that lie apart", () => {
  assert.equal(m.valueAt(page, wide, 6), 0n);
  assert.deepEqual(m.setBits(m.valueAt(page, wide, 7)), [33, 63]);
  assert.equal(m.differing(page, narrow, 9, 8), 0x800000f1n);
});

test("numbers are written as people read them", () => {
  assert.equal(m.hexOf(0x41n, 32), "0000_0041");
  assert.equal(m.hexOf(1n, 1), "1");
  assert.equal(m.threeWays(0x41n, 8), "41h = 65 = 0100_0001b");
  assert.equal(m.threeWays(5n, 3), "5h = 5 = 101b");
});

test("a place in a line is a bit, and a gap is none", () => {
  const length = 39;
  for (const [first, by] of [[31, -1], [64, 1]]) {
    for (let i = 0; i < 32; i += 1) {
      const bit = first + by * i;
      assert.equal(m.bitAt((m.charAt(bit, first, by) + 0.5) / length, 32, first, by), bit);
    }
  }
  assert.equal(m.bitAt(4.5 / length, 32, 31, -1), null, "a gap");
  assert.equal(m.bitAt(1.2, 32, 31, -1), null);
  assert.equal(m.rangeOf(32, 31, -1), 0xffffffffn);
  assert.equal(m.rangeOf(32, 64, 1), 0xffffffffn << 64n);
});

test("marks runs of bits, and many as one", () => {
  const bits = "\u00b7\u00b7\u00b71\u00a01\u00b7\u00b7\u00b7";
  assert.deepEqual(m.runs(bits, 0n, 7, -1), [[bits, false]]);
  assert.deepEqual(m.runs(bits, 0b00011000n, 7, -1), [["\u00b7\u00b7\u00b7", false], ["1\u00a01", true], ["\u00b7\u00b7\u00b7", false]]);
  assert.deepEqual(m.runs(bits, 0b11n, 0, 1).map(([, now]) => now), [true, false]);
  const line = Array(8).fill("1\u00b71\u00b7").join("\u00a0");
  const many = m.runs(line, 0xaaaaaaaan, 31, -1);
  assert.equal(many.filter(([, now]) => now).length, 1);
  assert.equal(many.map(([text]) => text).join(""), line);
});

test("tells of a row, a field, a bit, and what they were", () => {
  const row = m.tell(page, narrow, 9, 8);
  assert.equal(row.head, "R: page R, 010h");
  assert.equal(row.value, "0000_00F0h = 240 = 0000_0000_0000_0000_0000_0000_1111_0000b");
  assert.equal(row.more, "was 8000_0001h; ON 0, MODE FLAT");
  assert.equal(row.rules, "H-1: so it is. (p.1)", "the section is told once");
  const one = m.tell(page, narrow, 9, 9, 5);
  assert.equal(one.head, "R.MODE, bits 7:4: page R, 010h");
  assert.equal(one.value, "Fh = 15 = 1111b");
  assert.equal(one.more, "FLAT");
  assert.match(m.tell(page, narrow, 9, 9, 12).meaning, /reserved/);
  assert.equal(m.tell(page, wide, 9, 9).value, "vector 21h, 3Fh");
  assert.equal(m.tell(page, wide, 6, 6).value, "no vector");
  assert.equal(m.tell(page, wide, 9, 9, 33).head, "SET, vector 21h (33): page R, 010h");
});

test("dumps lines as memory holds them", () => {
  assert.deepEqual(m.dumpLine(page, 16, 8, 8).slice(0, 4).map(([byte]) => byte), ["01", "00", "00", "80"]);
  assert.deepEqual(m.dumpLine(page, 16, 9, 8).map(([, changed]) => changed).slice(0, 5), [true, false, false, true, false]);
  assert.deepEqual(["300", "0x30f", "fffh", "20", "1000", "x", ""].map(m.offsetOf), [0x300, 0x300, 0xff0, 0x20, null, null, null]);
});

test("puts a source together, a long one around its line", () => {
  const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`);
  const data = { first: 3, sources: { most: 10, steps: [{ shape: ["<a>", "<b>", "<c>"], lines }], calls: ["by x"], spots: [[0, 0, 0], [0, 20, 0], [0, 39, 0]] } };
  assert.ok(m.source(data, 3).startsWith("<a>by x<b><mark>&gt; line 0</mark>\n  line 1"));
  assert.equal(m.source(data, 4).split("\n").length, 10);
  assert.ok(m.source(data, 4).includes("<mark>&gt; line 20</mark>"));
  assert.ok(m.source(data, 5).endsWith("<mark>&gt; line 39</mark><c>"));
});
