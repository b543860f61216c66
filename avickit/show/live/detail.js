// The detail of a row, field or bit, the marks of all changes since a beat, and the raw lines: what is drawn of memory.js.
// Does not model: what is chosen when (stepper.js).

const DUMPED = 8; // lines of raw bytes

// What an element of the sheets stands for: { sheet, at, bit, place }; null for none.
function spotOf(target, sheetOf, clientX) {
  const holder = target.closest("[data-at]");
  if (!holder) return null;
  const line = target.closest("[data-bits]");
  const field = target.closest("[data-bit]");
  let bit = field ? Number(field.dataset.bit.split(":")[0]) : null;
  if (line && clientX !== undefined) {
    const box = line.getBoundingClientRect();
    bit = bitAt((clientX - box.left) / box.width, ...bitsOf(line));
  }
  return { sheet: sheetOf(holder), at: holder.dataset.at, bit };
}

// How many bits a line shows, the number of its first, and how they go on.
function bitsOf(line) {
  const [first, by] = line.dataset.bits.split(",").map(Number);
  return [[...line.textContent].filter((char) => char !== GAP).length, first, by];
}

function drawDetail(holder, lines) {
  if (!holder.childElementCount) for (const name of ["head", "meaning", "value", "more", "who", "rules"]) make(holder, "div", { class: `avk-${name}` });
  [...holder.children].forEach((line) => {
    const words = lines?.[line.className.slice(4)] ?? "";
    if (line.textContent !== words) line.textContent = words;
  });
}

// Marks in a row's lines the bits that differ, and the row itself if it shows one; what was marked before is drawn anew.
function markSince(place, mask) {
  const lines = [...place.querySelectorAll("[data-bits]")];
  const seen = lines.reduce((sum, line) => sum | rangeOf(...bitsOf(line)), 0n);
  if (lines.length && !(mask & seen)) return;
  place.classList.add("avk-since");
  for (const line of lines) {
    const [, first, by] = bitsOf(line);
    const found = runs(line.textContent, mask, first, by);
    line.replaceChildren();
    for (const [text, marked] of found) lit(marked ? make(line, "mark") : line, text);
  }
  for (const field of place.querySelectorAll("[data-bit]")) {
    const [high, low] = field.dataset.bit.split(":").map(Number);
    field.classList.toggle("avk-since", part(mask, high, low ?? high) !== 0n);
  }
}

// Bits as text, those that are set in bold.
function lit(parent, text) {
  for (const piece of text.split(/(1+)/)) {
    if (piece.startsWith("1")) make(parent, "b", {}, piece);
    else if (piece) parent.append(piece);
  }
}

function drawDump(holder, page, offset, n, was) {
  holder.replaceChildren();
  for (let at = Math.max(Math.min(offset, 4096 - 16 * DUMPED), 0), i = 0; i < DUMPED; i += 1, at += 16) {
    const line = make(holder, "span", { class: at === offset ? "avk-chosen" : "" });
    line.append(`${at.toString(16).toUpperCase().padStart(3, "0")}  `);
    dumpLine(page, at, n, was).forEach(([byte, changed], k) => {
      if (k) line.append(k % 4 ? " " : "  ");
      if (changed) make(line, "mark", {}, byte);
      else line.append(byte);
    });
    holder.append("\n");
  }
}
