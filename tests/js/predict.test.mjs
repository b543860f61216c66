// The pure part of the gate.
import assert from "node:assert/strict";
import test from "node:test";
import { readFileSync } from "node:fs";

const source = readFileSync(new URL("../../avickit/show/live/predict.js", import.meta.url), "utf8");
const { keyed, spoken } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

const options = [["A", "It is lost.", "No."], ["B", "It waits.", "Yes: there."]];
const words = { said: "You chose {chosen}. The answer is {answer}." };

test("a letter chooses, in either case", () => {
  assert.equal(keyed({ key: "a" }, options), 0);
  assert.equal(keyed({ key: "B" }, options), 1);
});

test("Escape hides; Tab, Enter, letters of no option and chords are the browser's", () => {
  assert.equal(keyed({ key: "Escape" }, options), "hide");
  for (const key of ["Tab", "Enter", " ", "c", "ArrowDown", "1"]) assert.equal(keyed({ key }, options), null);
  for (const held of ["ctrlKey", "altKey", "metaKey"]) assert.equal(keyed({ key: "a", [held]: true }, options), null);
});

test("a choice is spoken with the answer and its why; nothing before", () => {
  assert.equal(spoken({ options, answer: 1, words }, 0), "You chose A. The answer is B. It waits. Yes: there.");
  assert.equal(spoken({ options, answer: 1, words }, -1), "");
});
