// The pure parts of the branches.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const read = (name) => readFileSync(new URL(`../../avickit/show/live/${name}`, import.meta.url), "utf8");
const source = ["moves.js", "whatform.js", "whatif.js"].map(read).join("\n"); // one behind the other, as they are shown
const m = await import(`data:text/javascript,${encodeURIComponent(source)}`);

function modelOf(values) {
  const calls = [];
  return {
    calls, get: (name) => values[name], set: (name, value) => { calls.push(name); values[name] = value; },
    save_changes: () => calls.push("saved"), on: () => {}, off: () => {},
  };
}

test("shows the story of the branch, or of one that is there", () => {
  assert.equal(m.storyOf(["a", "b"], 1), "b");
  assert.equal(m.storyOf(["a", "b"], 7), "b");
  assert.equal(m.storyOf(["a"], -1), "a");
});

test("a branched model gives the data of its branch and passes on all else", () => {
  const values = { data: "first", others: ["second"], branch: 1, beat: 3 };
  const inner = modelOf(values);
  const outer = m.branched(inner);
  assert.equal(outer.get("data"), "second");
  values.branch = 0;
  assert.equal(outer.get("data"), "first");
  assert.equal(outer.get("beat"), 3);
  outer.set("beat", 4);
  outer.save_changes();
  assert.deepEqual(inner.calls, ["beat", "saved"]);
  assert.equal(m.branched(modelOf({ data: "only" })).get("data"), "only", "without branches there is one story");
});

test("names hang below what they come from", () => {
  assert.equal(m.indented({ name: "root", depth: 0 }), "root");
  assert.equal(m.indented({ name: "x", depth: 2 }).trim(), "\u2514 x");
  assert.ok(m.indented({ name: "x", depth: 2 }).length > m.indented({ name: "x", depth: 1 }).length);
});

test("asks with names and texts only", () => {
  assert.deepEqual(m.asking("1-2", 17, { name: "go", words: "Go!" }, ["a", ""]), { ask: "1-2", beat: 17, act: "go", given: ["a", ""] });
});
