// The places of the sheets that change: rows, captions, whole sheets; prepared pieces are swapped in place, so that the
// elements stay, and with them the focus and what is chosen. Does not model: which beat is shown (stepper.js).

// The element that a prepared piece stands for, parsed when it is first shown.
function parser(text) {
  const known = [];
  return (number) => {
    const template = document.createElement("template");
    if (!known[number]) template.innerHTML = text[number];
    return (known[number] ??= template.content.firstElementChild);
  };
}

function swap(slot, n, piece) {
  const wantedPiece = pieceAt(slot.list, n);
  if (wantedPiece === slot.shown && !slot.marked) return;
  slot.shown = wantedPiece;
  slot.marked = false;
  slot.place.classList.remove("avk-since");
  if (!slot.place.classList.length) slot.place.removeAttribute("class");
  const from = piece(wantedPiece);
  for (const name of ["style", "data-at"]) {
    const value = from.getAttribute(name);
    if (value === null) slot.place.removeAttribute(name);
    else slot.place.setAttribute(name, value);
  }
  slot.place.replaceChildren(...from.cloneNode(true).childNodes);
}

// Marks what is different from what it was after beat `since`.
function mark(slot, page, n, since) {
  if (!slot.place.matches("tbody *, div")) return;
  const cells = slot.place.matches("[data-at]") ? [slot.place] : [...slot.place.querySelectorAll("td[data-at]")];
  for (const cell of cells) {
    const found = page.rows[cell.dataset.at];
    const mask = found ? differing(page, found, n, since) : 0n;
    const field = cell.dataset.bit?.split(":").map(Number);
    if (!mask || (field && !part(mask, field[0], field[1] ?? field[0]))) continue;
    slot.marked = true;
    markSince(cell, mask);
  }
}

const isRow = ({ place }) => place.matches("tr, div") && Boolean(place.matches("[data-at]") || place.querySelector("td[data-at]"));

// The sheets stand in `holder` once; answers with their rows, and with what shows a beat.
function makeSlots(holder, data, n) {
  const piece = parser(data.text);
  holder.innerHTML = sheets(data, n);
  const panels = [...holder.firstElementChild.children];
  const slots = data.sheets.flatMap((sheet, i) => {
    const places = sheet.whole ? [panels[i]] : [...panels[i].querySelectorAll(data.pick)];
    return sheet.slots.map((list, k) => ({ list, place: places[k], shown: pieceAt(list, n), sheet: i, marked: false }));
  });
  return {
    rows: slots.filter(isRow),
    sheetOf: (element) => panels.findIndex((panel) => panel.contains(element)),
    show: (beat, since) => {
      for (const slot of slots) swap(slot, beat, piece);
      if (since !== null) for (const slot of slots) mark(slot, data.memory[slot.sheet], beat, since);
    },
  };
}
