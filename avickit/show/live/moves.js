// Where to go and what is shown there: pure functions, tested without a browser (tests/js).
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
