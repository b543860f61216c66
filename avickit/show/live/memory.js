// What the pages hold at a beat, and how it is told: pure functions, tested without a browser (tests/js).
// A page is { title, words: { offset: [beat, value, beat, value, ...] }, rows }; words that are not listed are 0.

const GAP = "\u00a0";
const MOST_MARKS = 6; // more marked runs than these are marked as one, as in the static form
const MOST_SET = 12; // so many set bits are listed

export const wordAt = (page, offset, n) => {
  const list = page.words[offset];
  return list && list[0] <= n ? pieceAt(list, n) >>> 0 : list ? list[1] >>> 0 : 0;
};

// The value of a row, whose words may lie apart.
export const valueAt = (page, row, n) =>
  row.words.reduce((sum, offset, i) => sum | (BigInt(wordAt(page, offset, n)) << BigInt(32 * i)), 0n);

export const part = (value, msb, lsb) => (value >> BigInt(lsb)) & ((1n << BigInt(msb - lsb + 1)) - 1n);

export const hexOf = (value, width) =>
  value.toString(16).toUpperCase().padStart(Math.max(width / 4, 1), "0").replace(/(?<=.)(?=(.{4})+$)/g, "_");

const binOf = (value, width) => value.toString(2).padStart(width, "0").replace(/(?<=.)(?=(.{4})+$)/g, "_");

// A value in the three ways: 0041h, 65, 0000_0000_0100_0001b.
export const threeWays = (value, width) => `${hexOf(value, width)}h = ${value} = ${binOf(value, width)}b`;

// The numbers of the set bits.
export function setBits(value) {
  const found = [];
  for (let i = 0; value >> BigInt(i); i += 1) if ((value >> BigInt(i)) & 1n) found.push(i);
  return found;
}

const numbered = (unit, bits) => {
  const shown = bits.slice(0, MOST_SET).map((bit) => `${bit.toString(16).toUpperCase().padStart(2, "0")}h`).join(", ");
  return `${unit} ${shown}${bits.length > MOST_SET ? ` and ${bits.length - MOST_SET} more` : ""}`;
};

// Which bit lies at a place (0 to 1) of a line of `count` bits with a gap after every fourth; null in a gap.
export function bitAt(place, count, first, by) {
  const length = count + Math.ceil(count / 4) - 1;
  const at = Math.floor(place * length);
  if (at < 0 || at >= length || at % 5 === 4) return null;
  return first + by * (at - Math.floor(at / 5));
}

// The bits of such a line, as a mask.
export const rangeOf = (count, first, by) => ((1n << BigInt(count)) - 1n) << BigInt(by > 0 ? first : first - count + 1);

// And where it lies: the index of its character.
export const charAt = (bit, first, by) => {
  const i = (bit - first) * by;
  return i + Math.floor(i / 4);
};

// A line of bits with other bits marked: [text, marked] in runs; `mask` is by bit number.
export function runs(text, mask, first, by) {
  const found = [];
  let i = 0;
  for (const char of text) {
    if (char === GAP) {
      found[found.length - 1][0] += char;
      continue;
    }
    const now = Boolean((mask >> BigInt(first + by * i)) & 1n);
    i += 1;
    if (found.length && found[found.length - 1][1] === now) found[found.length - 1][0] += char;
    else found.push([char, now]);
  }
  const hot = found.map(([, now], k) => (now ? k : -1)).filter((k) => k >= 0);
  if (hot.length <= MOST_MARKS) return found;
  const [start, end] = [hot[0], hot[hot.length - 1] + 1];
  return [...found.slice(0, start), [found.slice(start, end).map(([t]) => t).join(""), true], ...found.slice(end)];
}

// The field of a row that a bit belongs to, or null.
export const fieldAt = (row, bit) => row.fields.find(([, msb, lsb]) => bit <= msb && bit >= lsb) ?? null;

const shown = ([, msb, lsb, , names], value) => {
  const found = part(value, msb, lsb);
  return names[String(found)] ?? (found < 10n ? String(found) : `${found.toString(16).toUpperCase()}h`);
};

// What there is to tell of a row, a field or a bit at a beat: [head, meaning, value, more, who, rules] as plain words.
export function tell(page, row, n, was, bit = null) {
  const [value, earlier] = [valueAt(page, row, n), valueAt(page, row, was)];
  const field = bit === null ? null : fieldAt(row, bit);
  const [name, msb, lsb, meaning] = field ?? [null, bit, bit, ""];
  const wide = row.width > 64;
  const lines = { head: `${row.name}: ${row.place}`, meaning: row.meaning, who: row.who, rules: row.rules.join(" ") };
  if (bit === null) {
    lines.value = wide ? (value ? numbered(row.unit, setBits(value)) : `no ${row.unit}`) : threeWays(value, row.width);
    lines.more = row.fields.map((f) => `${f[0]} ${shown(f, value)}`).join(", ");
  } else {
    const width = msb - lsb + 1;
    const where = width > 1 ? `bits ${msb}:${lsb}` : `${row.unit} ${wide ? `${bit.toString(16).toUpperCase().padStart(2, "0")}h (${bit})` : msb}`;
    lines.head = `${row.name}${name ? `.${name}` : ""}, ${where}: ${row.place}`;
    lines.meaning = meaning || (name || wide ? row.meaning : `${row.meaning}; no field: reserved`);
    lines.value = threeWays(part(value, msb, lsb), width);
    lines.more = field && field[4][String(part(value, msb, lsb))] ? shown(field, value) : "";
  }
  if (value !== earlier) {
    const [now, then] = bit === null ? [value, earlier] : [part(value, msb, lsb), part(earlier, msb, lsb)];
    if (now !== then && !wide) lines.more = [`was ${hexOf(then, bit === null ? row.width : msb - lsb + 1)}h`, lines.more].filter(Boolean).join("; ");
  }
  if (!lines.rules.includes(row.section)) lines.rules = `${lines.rules} ${row.section}`.trim();
  return lines;
}

// The bits of a row that differ between two beats.
export const differing = (page, row, n, was) => valueAt(page, row, n) ^ valueAt(page, row, was);

// A line of 16 bytes: [two digits, changed] each, as memory holds them, the lowest address first.
export function dumpLine(page, offset, n, was) {
  const found = [];
  for (let at = offset; at < offset + 16; at += 1) {
    const [now, then] = [n, was].map((beat) => (wordAt(page, at & ~3, beat) >>> (8 * (at & 3))) & 0xff);
    found.push([now.toString(16).toUpperCase().padStart(2, "0"), now !== then]);
  }
  return found;
}

// An offset as people type it (300, 300h, 0x300), at its line's begin; null if it is none of the page.
export function offsetOf(words) {
  const found = /^(?:0x)?([0-9a-f]{1,3})h?$/i.exec(words.trim());
  return found ? parseInt(found[1], 16) & ~15 : null;
}

// The source of a beat, put together from its pieces as the static form is.
export function source(data, n) {
  const { steps, calls, spots, most } = data.sources;
  const [number, at, call] = spots[n - data.first];
  const { shape, lines } = steps[number];
  const first = Math.min(Math.max(at - (most >> 1), 0), Math.max(lines.length - most, 0));
  const marked = lines.map((line, i) => (i === at ? `<mark>&gt; ${line}</mark>` : `  ${line}`));
  return shape[0] + calls[call] + shape[1] + marked.slice(first, first + most).join("\n") + shape[2];
}
