// The row, field or bit that somebody has chosen or points at, and what the detail tells of it.
// Does not model: what is on the sheets (slots.js), the words (memory.js).

// `now` answers with the beat that is shown and the one that it is told against.
function makeChosen(parts, data, { rows, sheetOf }, now) {
  const { memory } = data;
  let row = null;
  let [pinned, hovered] = [null, null]; // { sheet, at, bit }

  // What the detail tells of a row that somebody chose: its place, or the place and field of its first cell.
  function spotIn(place) {
    const at = place.matches("[data-at]") ? place : place.querySelector("[data-at]");
    return at ? spotOf(at, sheetOf) : null;
  }

  const about = (spot) => (spot && spot.sheet >= 0 ? memory[spot.sheet].rows[spot.at] : undefined);

  function choose(slot, spot = spotIn(slot.place)) {
    if (row) row.place.tabIndex = -1;
    row?.place.classList.remove("avk-chosen");
    row = slot;
    slot.place.tabIndex = 0;
    slot.place.classList.add("avk-chosen");
    const head = slot.place.querySelector("th") ?? slot.place.querySelector("b");
    parts.watch.textContent = `next change: ${head ? head.textContent : ""}`;
    pinned = spot;
    tellDetail();
  }

  function tellDetail() {
    const spot = hovered ?? pinned;
    const found = about(spot);
    const { n, was } = now();
    const lines = found ? tell(memory[spot.sheet], found, n, was, spot.bit) : { meaning: data.hint };
    drawDetail(parts.detail, lines);
    return lines;
  }

  function bitsIn(spot, found) {
    if (found.fields.length) return found.fields.map(([, msb]) => msb);
    return setBits(valueAt(memory[spot.sheet], found, now().n));
  }

  // The next field of the chosen row, or of a set its next bit that is set; in a row of several places the next place.
  function nextPart(direction) {
    const found = about(pinned);
    if (!found) return;
    const cells = row.place.matches("[data-at]") ? [] : [...row.place.querySelectorAll("[data-at]")];
    if (cells.length) {
      const at = cells.findIndex((cell) => cell.dataset.at === pinned.at);
      pinned = spotOf(cells[clamp(at + direction, 0, cells.length - 1)], sheetOf);
    } else {
      const bits = bitsIn(pinned, found);
      const at = bits.indexOf(pinned.bit);
      const next = at < 0 ? (direction > 0 ? 0 : bits.length - 1) : at + direction;
      pinned = { ...pinned, bit: bits[next] ?? null };
    }
    const lines = tellDetail();
    parts.live.textContent = [lines.head, lines.value, lines.more, lines.meaning].filter(Boolean).join(". ");
  }

  function nextRow(direction) {
    const at = rows.indexOf(row);
    rows[clamp(at + direction, 0, rows.length - 1)]?.place.focus({ preventScroll: true });
    row?.place.scrollIntoView({ block: "nearest" });
  }

  // Chooses the first row that is one of those named ([page, key] each); answers with its name.
  function chooseNamed(named) {
    const slot = rows.find(({ sheet, place }) => named.some(([i, key]) => i === sheet && spotIn(place)?.at === key));
    if (slot) choose(slot);
    return slot && about(pinned).name;
  }

  rows.forEach((slot, i) => {
    slot.place.tabIndex = i ? -1 : 0;
    slot.place.addEventListener("focus", () => choose(slot));
  });
  // Hover tells of what is below the pointer; a click chooses it.
  parts.page.addEventListener("pointermove", (event) => {
    hovered = spotOf(event.target, sheetOf, event.clientX);
    tellDetail();
  });
  parts.page.addEventListener("pointerleave", () => {
    hovered = null;
    tellDetail();
  });
  parts.page.addEventListener("click", (event) => {
    const slot = rows.find(({ place }) => place.contains(event.target));
    if (!slot) return;
    slot.place.focus({ preventScroll: true });
    choose(slot, spotOf(event.target, sheetOf, event.clientX) ?? undefined);
  });
  return { tell: tellDetail, nextPart, nextRow, chooseNamed, list: () => row?.list ?? null, spot: () => hovered ?? pinned };
}
