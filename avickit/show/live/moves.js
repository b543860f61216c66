// Where to go and where things lie: pure functions, tested without a browser (tests/js).
// Does not model: anything that is drawn; the words come with the data.

export const clamp = (n, low, high) => Math.min(Math.max(n, low), high);

// How many entries of a rising list are <= n; `stride` entries make a record, its first is compared.
export function upTo(list, n, stride = 1) {
  let low = 0;
  let high = list.length / stride;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle * stride] <= n) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The piece that a slot (beat, piece, beat, piece, ...) shows at a beat.
export const pieceAt = (slot, n) => slot[2 * Math.max(upTo(slot, n, 2) - 1, 0) + 1];

// The next or previous entry of a rising list; null if there is none.
export const after = (list, n) => list[upTo(list, n)] ?? null;
export const before = (list, n) => list[upTo(list, n - 1) - 1] ?? null;

// The beat that one step leads to: by one, or by the entries of `at`; at the end it stays.
export function step(data, at, n, by) {
  if (!at) return clamp(n + by, data.first, data.last);
  return (by > 0 ? after(at, n) : before(at, n)) ?? (by > 0 ? data.last : data.first);
}

// The beats at which a slot shows a piece with a marked change.
export function changes(slot, text) {
  const found = [];
  for (let i = 0; i < slot.length; i += 2) if (text[slot[i + 1]].includes("<mark>")) found.push(slot[i]);
  return found;
}

// The prepared sentence of a beat.
export function sentence(data, n) {
  const pieces = data.said.map((column) => data.text[Array.isArray(column) ? column[n - data.first] : column]);
  return pieces.join("").replace(data.hole, String(n));
}

// The prepared HTML of all sheets at a beat.
export function sheets(data, n) {
  const parts = data.sheets.map(({ gaps, slots }) =>
    gaps.map((gap, i) => data.text[gap] + (i < slots.length ? data.text[pieceAt(slots[i], n)] : "")).join(""));
  return data.beside[0] + parts.join("") + data.beside[1];
}

// The next beat (in the direction `by`, round the end) whose sentence has one of the needles (in lower case).
export function find(data, needles, n, by, plain) {
  const count = data.last - data.first + 1;
  const has = (i) => needles.some((needle) => plain(i).includes(needle));
  const known = new Map();
  const hit = (i) => known.get(i) ?? (known.set(i, has(i)), known.get(i));
  for (let i = 1; i <= count; i += 1) {
    const at = data.first + ((((n - data.first + by * i) % count) + count) % count);
    if (data.said.some((c) => hit(Array.isArray(c) ? c[at - data.first] : c))) return at;
  }
  return null;
}

// What somebody looks for: a beat's number, or words in lower case; null for nothing.
export function wanted(words, first, last) {
  const asked = words.trim().toLowerCase();
  if (/^\d+$/.test(asked) && Number(asked) >= first && Number(asked) <= last) return Number(asked);
  return asked || null;
}

// The rows of all pages whose name, place or offset has the words: [page, key] each.
export function rowsWith(memory, words) {
  return memory.flatMap((page, i) => Object.entries(page.rows)
    .filter(([, row]) => `${row.name} ${row.place}`.toLowerCase().includes(words)).map(([key]) => [i, key]));
}

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

// Beats and pixels: the middle of a beat's column, and back.
export function scale(first, last, left, width) {
  const column = width / (last - first + 1);
  return {
    first,
    last,
    column,
    x: (n) => left + (n - first) * column,
    middle: (n) => left + (n - first + 0.5) * column,
    beat: (x) => clamp(first + Math.floor((x - left) / column), first, last),
  };
}

// A round distance between numbered ticks, so that they are at least `apart` pixels from each other.
export function ticks(first, last, column, apart = 46) {
  const every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000]
    .find((d) => d * column >= apart) ?? 1000000;
  const found = [];
  for (let n = Math.ceil(first / every) * every; n <= last; n += every) found.push(n);
  return found;
}

// Records (beat, look, label, ...) as spans of a lane: where each begins and where the next one does; those, and the
// parts of those, between two beats.
export function spansOf(flat, last, from = flat[0], to = last) {
  const found = [];
  for (let i = 3 * Math.max(upTo(flat, from, 3) - 1, 0); i < flat.length && flat[i] <= to; i += 3) {
    const end = Math.min(flat[i + 3] ?? last + 1, to + 1);
    found.push({ from: Math.max(flat[i], from), to: end, look: flat[i + 1], label: flat[i + 2] });
  }
  return found;
}

const FEWEST = 24; // so many beats at least are in a zoomed view

// A part [from, to] of the beats first..last, zoomed around a beat, which keeps its place.
export function zoomed([from, to], n, factor, first, last) {
  const wide = clamp(Math.round((to - from + 1) / factor), Math.min(FEWEST, last - first + 1), last - first + 1);
  const place = (clamp(n, from, to) - from + 0.5) / (to - from + 1);
  return moved(Math.round(clamp(n, from, to) + 0.5 - place * wide), wide, first, last);
}

// A part so wide that begins at a beat, or as near as there are beats.
export function moved(from, wide, first, last) {
  const start = clamp(from, first, Math.max(last - wide + 1, first));
  return [start, Math.min(start + wide - 1, last)];
}

// The part moved by a share of its width.
export const panned = ([from, to], share, first, last) =>
  moved(from + Math.round((to - from + 1) * share), to - from + 1, first, last);

// The part moved so that it holds a beat: as it is if it does, else with the beat in its middle.
export const holding = ([from, to], n, first, last) =>
  n >= from && n <= to ? [from, to] : moved(n - ((to - from) >> 1), to - from + 1, first, last);
