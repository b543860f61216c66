// The live stepper: controls, keys, and the swapping of prepared pieces. Everything happens in the browser; the kernel
// is told the beat. One model may have several views, so a view keeps nothing that others need.

const TELL_EVERY = 1500; // milliseconds between spoken sentences while playing
const WIDE = 900; // pixels from which on the source stands open beside the sentence
const ENDS = ["restarting", "autorestarting", "terminating", "dead"];
const GONE = "The kernel has gone. The picture stands, and can still be stepped through.";

// The element that a prepared piece stands for, parsed when it is first shown.
function parser(text) {
  const known = [];
  return (number) => {
    const template = document.createElement("template");
    if (!known[number]) template.innerHTML = text[number];
    return (known[number] ??= template.content.firstElementChild);
  };
}

const words = (html) => {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.textContent;
};

function render({ model, el }) {
  const data = model.get("data");
  const { first, last, jump, memory } = data;
  const jumps = data.stops[jump.stop].at;
  const parts = build(el, data, (name) => act(name));
  const { root, player, by, speed, watch, count, finder, field, result, help, strip, said, page, live } = parts;

  const piece = parser(data.text);
  let n = clamp(model.get("beat"), first, last);
  let [timer, frame, told, row] = [0, 0, 0, null];
  let since = data.since ?? null; // the beat whose later changes are marked
  let [sourced, scroll] = [null, false]; // the source that is shown, and whether its line is to be scrolled to
  let [pinned, hovered] = [null, null]; // what the detail tells of: { sheet, at, bit }

  // The sheets stand there once; from then on only pieces in them change.
  page.innerHTML = sheets(data, n);
  const panels = [...page.firstElementChild.children];
  const sheetOf = (element) => panels.findIndex((panel) => panel.contains(element));
  const slots = data.sheets.flatMap((sheet, i) => {
    const places = sheet.whole ? [panels[i]] : [...panels[i].querySelectorAll(data.pick)];
    return sheet.slots.map((list, k) => ({ list, place: places[k], shown: pieceAt(list, n), sheet: i, marked: false }));
  });
  const rows = slots.filter(({ place }) => place.matches("tr, div") && (place.matches("[data-at]") || place.querySelector("td[data-at]")));
  rows.forEach((slot, i) => {
    slot.place.tabIndex = i ? -1 : 0;
    slot.place.addEventListener("focus", () => choose(slot));
  });
  const line = makeTimeline(strip, data);

  // What the detail tells of a row that somebody chose: its place, or the place and field of its first cell.
  function spotIn(place) {
    const at = place.matches("[data-at]") ? place : place.querySelector("[data-at]");
    return at ? spotOf(at, sheetOf) : null;
  }

  function choose(slot, spot = spotIn(slot.place)) {
    if (row) row.place.tabIndex = -1;
    row?.place.classList.remove("avk-chosen");
    row = slot;
    slot.place.tabIndex = 0;
    slot.place.classList.add("avk-chosen");
    const head = slot.place.querySelector("th") ?? slot.place.querySelector("b");
    watch.textContent = `next change: ${head ? head.textContent : ""}`;
    pinned = spot;
    tellDetail();
  }

  const about = (spot) => (spot && spot.sheet >= 0 ? memory[spot.sheet].rows[spot.at] : undefined);

  function tellDetail() {
    const spot = hovered ?? pinned;
    const found = about(spot);
    const was = since ?? Math.max(n - 1, first);
    const lines = found ? tell(memory[spot.sheet], found, n, was, spot.bit) : { meaning: data.hint };
    drawDetail(parts.detail, lines);
    return lines;
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
      const bits = found.fields.length ? found.fields.map(([, msb]) => msb) : setBits(valueAt(memory[pinned.sheet], found, n));
      const at = bits.indexOf(pinned.bit);
      const next = at < 0 ? (direction > 0 ? 0 : bits.length - 1) : at + direction;
      pinned = { ...pinned, bit: bits[next] ?? null };
    }
    const lines = tellDetail();
    live.textContent = [lines.head, lines.value, lines.more, lines.meaning].filter(Boolean).join(". ");
  }

  // In place: the element stays, so that focus and the chosen row stay.
  function swap(slot) {
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

  function mark(slot) {
    if (!slot.place.matches("tbody *, div")) return;
    const cells = slot.place.matches("[data-at]") ? [slot.place] : [...slot.place.querySelectorAll("td[data-at]")];
    for (const cell of cells) {
      const found = memory[slot.sheet].rows[cell.dataset.at];
      const mask = found ? differing(memory[slot.sheet], found, n, since) : 0n;
      const field = cell.dataset.bit?.split(":").map(Number);
      if (!mask || (field && !part(mask, field[0], field[1] ?? field[0]))) continue;
      slot.marked = true;
      markSince(cell, mask);
    }
  }

  function showSource() {
    const key = data.sources.spots[n - first]?.join();
    if (!data.sources.steps.length || key === sourced) return;
    sourced = key;
    const template = document.createElement("template");
    template.innerHTML = source(data, n);
    const fresh = template.content.firstElementChild;
    const old = parts.code.firstElementChild;
    if (old) [...fresh.children].forEach((child, i) => old.children[i].replaceChildren(...child.childNodes));
    else {
      fresh.open = el.clientWidth >= WIDE || el.clientWidth === 0;
      parts.code.append(fresh);
    }
    scroll = true;
  }

  // Last of all, when nothing more is written: to ask where something lies makes the browser lay out what there is.
  function scrollSource() {
    const [pre, at] = [parts.code.querySelector("pre"), parts.code.querySelector("pre mark")];
    if (scroll && at && pre.clientHeight) pre.scrollTop = at.offsetTop - pre.offsetTop - pre.clientHeight / 2;
    scroll = false;
  }

  function showRaw() {
    if (parts.raw.hidden) return;
    const offset = offsetOf(parts.offset.value);
    parts.trouble.textContent = offset === null ? "an offset is 000 to FFF" : "";
    if (offset !== null) drawDump(parts.dump, memory[Number(parts.which.value)], offset, n, since ?? Math.max(n - 1, first));
  }

  function paint() {
    frame = 0;
    slots.forEach(swap);
    if (since !== null) slots.forEach(mark);
    said.innerHTML = sentence(data, n);
    line.show(n);
    showSource();
    showRaw();
    tellDetail();
    count.textContent = `beat ${n} / ${last}`;
    strip.setAttribute("aria-valuenow", n);
    strip.setAttribute("aria-valuetext", said.firstElementChild.firstElementChild.textContent);
    const now = Date.now();
    if (!timer || now - told > TELL_EVERY) {
      told = now;
      live.textContent = said.firstElementChild.firstElementChild.textContent;
    }
    scrollSource();
  }

  // Sent at once: what waits here would be undone by the kernel's answer to what was sent before; the widget manager
  // itself sends no more than the kernel keeps up with.
  function go(to) {
    const there = clamp(to, first, last);
    if (there === n) return;
    model.set("beat", there); // every view of the model hears it at once
    try {
      model.save_changes();
    } catch {
      gone(); // the picture stands, and can be stepped through
    }
  }

  function gone() {
    parts.notice.textContent = GONE;
    parts.notice.hidden = false;
  }

  function follow() {
    n = clamp(model.get("beat"), first, last);
    frame ||= requestAnimationFrame(paint);
  }

  function face(name) {
    icon(player, name);
    player.title = `${name} (Space)`;
    player.setAttribute("aria-label", player.title);
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    face("play");
  }

  function start() {
    if (n === last) go(first);
    timer = setInterval(() => {
      if (n === last) {
        stop();
        paint();
      } else go(step(data, data.stops[by.value].at, n, 1));
    }, SPEEDS[speed.value][1]);
    face("pause");
  }

  // A beat; or the next beat that speaks of the words, or of a row that has them: that row is chosen then.
  function search(direction) {
    const asked = wanted(field.value, first, last);
    if (asked === null || typeof asked === "number") {
      result.textContent = asked === null ? "nothing to find" : `beat ${asked}`;
      if (asked !== null) go(asked);
      return;
    }
    const named = rowsWith(memory, asked);
    const needles = [asked, ...named.map(([i, key]) => memory[i].rows[key].place.split(",")[0].toLowerCase())];
    const found = find(data, needles, n, direction, (i) => (plain[i] ??= words(data.text[i]).toLowerCase()));
    const slot = rows.find(({ sheet, place }) => named.some(([i, key]) => i === sheet && spotIn(place)?.at === key));
    if (slot) choose(slot);
    result.textContent = [found === null ? "in no beat" : `found: beat ${found}`, slot && `row ${about(pinned).name} chosen`].filter(Boolean).join(", ");
    if (found !== null) go(found);
  }
  const plain = [];

  function open(opened, shown) {
    opened.hidden = !shown;
    if (opened === finder && shown) field.focus();
    else if (opened === parts.raw && shown) {
      const spot = hovered ?? pinned;
      if (spot && spot.sheet >= 0 && spot.at) [parts.which.value, parts.offset.value] = [String(spot.sheet), spot.at.padStart(3, "0")];
      showRaw();
      parts.offset.focus();
    } else if (!shown) root.focus({ preventScroll: true });
  }

  function change(direction) {
    const found = row && (direction > 0 ? after : before)(changes(row.list, data.text), n);
    if (found === null) count.textContent = live.textContent = row ? "no further change" : "choose a row first";
    else go(found);
  }

  function nextRow(direction) {
    const at = rows.indexOf(row);
    rows[clamp(at + direction, 0, rows.length - 1)]?.place.focus({ preventScroll: true });
    row?.place.scrollIntoView({ block: "nearest" });
  }

  function markFrom(beat) {
    since = beat;
    parts.since.textContent = since === null ? "since" : `since ${since}`;
    parts.since.setAttribute("aria-pressed", String(since !== null));
    live.textContent = since === null ? "only the beat's own changes are marked" : `changes since beat ${since} are marked`;
    paint();
  }

  const stops = () => data.stops[by.value].at;
  const opened = () => [finder, help, parts.raw].filter((each) => !each.hidden);
  const acts = {
    start: () => go(first), end: () => go(last),
    back: () => go(step(data, stops(), n, -1)), forward: () => go(step(data, stops(), n, 1)),
    tenBack: () => go(n - 10), tenOn: () => go(n + 10),
    play: () => (timer ? stop() : start()), jump: () => go(after(jumps, n) ?? n),
    find: () => open(finder, finder.hidden), help: () => open(help, help.hidden), raw: () => open(parts.raw, parts.raw.hidden),
    close: () => opened().forEach((each) => open(each, false)),
    search: () => search(1), nextChange: () => change(1), lastChange: () => change(-1), rowUp: () => nextRow(-1), rowDown: () => nextRow(1),
    partBack: () => nextPart(-1), partOn: () => nextPart(1), since: () => markFrom(since === null ? n : null),
    zoomIn: () => line.zoom(2), zoomOut: () => line.zoom(0.5), zoomAll: () => line.all(),
    panLeft: () => line.pan(-0.25), panRight: () => line.pan(0.25),
    source: () => parts.code.firstElementChild?.toggleAttribute("open"),
  };

  function act(name) {
    if (timer && name !== "play") stop();
    acts[name]();
  }

  root.addEventListener("keydown", (event) => {
    const found = action(event, event.target.tagName.toLowerCase(), jump.key);
    const rawStep = { ArrowUp: -16, ArrowDown: 16 }[event.key];
    if (event.target === field && event.key === "Enter") search(event.shiftKey ? -1 : 1);
    else if (event.target === parts.offset && rawStep) stepRaw(rawStep);
    else if (!found || (found === "close" && !opened().length)) return;
    else act(found);
    event.preventDefault();
    event.stopPropagation();
  });
  function stepRaw(bytes) {
    const at = offsetOf(parts.offset.value);
    if (at !== null) parts.offset.value = clamp(at + bytes, 0, 4080).toString(16).toUpperCase().padStart(3, "0");
    showRaw();
  }
  parts.offset.addEventListener("input", showRaw);
  parts.which.addEventListener("change", showRaw);
  speed.addEventListener("change", () => timer && (stop(), start()));

  // Hover tells of what is below the pointer; a click chooses it.
  page.addEventListener("pointermove", (event) => {
    hovered = spotOf(event.target, sheetOf, event.clientX);
    tellDetail();
  });
  page.addEventListener("pointerleave", () => {
    hovered = null;
    tellDetail();
  });
  page.addEventListener("click", (event) => {
    const slot = rows.find(({ place }) => place.contains(event.target));
    if (!slot) return;
    slot.place.focus({ preventScroll: true });
    choose(slot, spotOf(event.target, sheetOf, event.clientX) ?? undefined);
  });

  let pressed = false;
  strip.addEventListener("pointerdown", (event) => {
    pressed = true;
    if (timer) stop();
    strip.setPointerCapture(event.pointerId);
    go(line.beat(event.clientX));
  });
  strip.addEventListener("pointermove", (event) => pressed && go(line.beat(event.clientX)));
  strip.addEventListener("pointerup", () => (pressed = false));
  strip.addEventListener("pointercancel", () => (pressed = false));
  // The plain wheel scrolls the notebook, as everywhere.
  strip.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    if (event.ctrlKey) line.zoom(event.deltaY < 0 ? 1.25 : 0.8, line.beat(event.clientX));
    else line.pan(Math.sign(event.deltaY || event.deltaX) * 0.1);
  }, { passive: false });
  const sizes = new ResizeObserver(() => strip.clientWidth && line.redraw());
  sizes.observe(strip);
  // Where there is a kernel to watch, its end is told; a front end without this signal says it itself.
  const { kernel } = model.widget_manager ?? {};
  const watched = (_, status) => ENDS.includes(status) && gone();
  kernel?.statusChanged?.connect(watched);
  model.on("change:beat", follow);
  if (data.at) parts.offset.value = data.at;
  markFrom(since);

  return () => {
    clearInterval(timer);
    cancelAnimationFrame(frame);
    sizes.disconnect();
    model.off("change:beat", follow);
    kernel?.statusChanged?.disconnect(watched);
    root.remove();
  };
}
