// What somebody looks for: a beat, words of its sentence, a row. Pure functions, tested without a browser (tests/js).
// Does not model: where it is typed (parts.js).

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
