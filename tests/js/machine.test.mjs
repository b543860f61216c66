// The pure part of the machine at a glance.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const source = readFileSync(new URL("../../avickit/show/live/machine.js", import.meta.url), "utf8");
const { filled, moved } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

test("arrows go from name to name and stop at the ends", () => {
  assert.equal(moved({ key: "ArrowDown" }, 0, 3), 1);
  assert.equal(moved({ key: "ArrowRight" }, 2, 3), 2);
  assert.equal(moved({ key: "ArrowUp" }, 0, 3), 0);
  assert.equal(moved({ key: "ArrowLeft" }, 2, 3), 1);
  assert.equal(moved({ key: "Home" }, 2, 3), 0);
  assert.equal(moved({ key: "End" }, 0, 3), 2);
});

test("other keys and chords are the browser's", () => {
  for (const key of ["Tab", "Enter", " ", "a", "Escape"]) assert.equal(moved({ key }, 0, 3), null);
  for (const held of ["ctrlKey", "altKey", "metaKey", "shiftKey"]) {
    assert.equal(moved({ key: "ArrowDown", [held]: true }, 0, 3), null);
  }
  assert.equal(moved({ key: "ArrowDown" }, 0, 0), null);
});

test("numbers are put into words", () => {
  assert.equal(filled("on by {ns} ns", "ns", 12345), "on by 12,345 ns");
});
