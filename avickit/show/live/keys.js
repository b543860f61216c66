// What keys mean, and whose they are. Does not model: what is done then.

const KEYS = {
  ArrowLeft: "back", ArrowRight: "forward", Home: "start", End: "end", PageUp: "tenBack", PageDown: "tenOn",
  " ": "play", "/": "find", "?": "help", Escape: "close", ArrowUp: "rowUp", ArrowDown: "rowDown",
  "+": "zoomIn", "=": "zoomIn", "-": "zoomOut", 0: "zoomAll", "<": "panLeft", ">": "panRight",
  "[": "partBack", "]": "partOn", s: "since", r: "raw", c: "source",
};
const OWN = { button: [" ", "Enter"], summary: [" ", "Enter"], select: null, input: null };

// What a key means where it was pressed (`where`: the tag's name); null leaves it to the browser. Tab is never ours.
export function action({ key, shiftKey, ctrlKey, altKey, metaKey }, where, jumpKey) {
  if (ctrlKey || altKey || metaKey) return null;
  if (key === "Escape") return "close";
  if (where in OWN && (OWN[where] === null || OWN[where].includes(key))) return null;
  if (shiftKey && key === "ArrowRight") return "nextChange";
  if (shiftKey && key === "ArrowLeft") return "lastChange";
  if (key === jumpKey) return "jump";
  return KEYS[key] ?? null;
}

// Whether a key belongs to the view while it has the focus. A notebook's one-letter commands match the element that has
// the focus, and would take it; chords, and what runs a cell, stay the notebook's.
export function isOwn({ key, shiftKey, ctrlKey, altKey, metaKey }) {
  return !ctrlKey && !altKey && !metaKey && !(shiftKey && key === "Enter");
}

// What scrolls, and has the focus, keeps the arrow keys that scroll it.
export function scrolls({ target, key }) {
  if (target.getAttribute("role") !== "region") return false;
  const [wide, high] = [target.scrollWidth > target.clientWidth + 1, target.scrollHeight > target.clientHeight + 1];
  return (wide && ["ArrowLeft", "ArrowRight"].includes(key)) || (high && ["ArrowUp", "ArrowDown"].includes(key));
}

// Keeps the view's keys in an element that has the focus in it.
const keepKeys = (root) => root.addEventListener("keydown", (event) => isOwn(event) && event.stopPropagation());
