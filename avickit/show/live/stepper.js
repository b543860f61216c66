// The live stepper: controls, keys, and the swapping of prepared pieces. Everything happens in the browser; the kernel
// is told the beat. One model may have several views, so a view keeps nothing that others need.

const TELL_EVERY = 1500; // milliseconds between spoken sentences while playing

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
  const { first, last, jump } = data;
  const jumps = data.stops[jump.stop].at;
  const parts = build(el, data, (name) => act(name));
  const { root, player, by, speed, watch, count, finder, field, result, help, strip, said, page, live } = parts;

  const piece = parser(data.text);
  let n = clamp(model.get("beat"), first, last);
  let [timer, frame, told, row] = [0, 0, 0, null];

  // The sheets stand there once; from then on only pieces in them change.
  page.innerHTML = sheets(data, n);
  const slots = data.sheets.flatMap((sheet, i) => {
    const panel = page.firstElementChild.children[i];
    const places = sheet.whole ? [panel] : [...panel.querySelectorAll(data.pick)];
    return sheet.slots.map((list, k) => ({ list, place: places[k], shown: pieceAt(list, n), sheet: i }));
  });
  const rows = slots.filter(({ place }) => place.parentElement.tagName === "TBODY");
  rows.forEach((slot, i) => {
    slot.place.tabIndex = i ? -1 : 0;
    slot.place.addEventListener("focus", () => choose(slot));
    slot.place.addEventListener("click", () => slot.place.focus({ preventScroll: true }));
  });
  const line = makeTimeline(strip, data);

  function choose(slot) {
    if (row) row.place.tabIndex = -1;
    row?.place.classList.remove("avk-chosen");
    row = slot;
    slot.place.tabIndex = 0;
    slot.place.classList.add("avk-chosen");
    const head = slot.place.querySelector("th");
    watch.textContent = `next change: ${head ? head.textContent : ""}`;
  }

  // In place: the element stays, so that focus and the chosen row stay.
  function swap(slot) {
    const wanted = pieceAt(slot.list, n);
    if (wanted === slot.shown) return;
    slot.shown = wanted;
    const from = piece(wanted);
    const style = from.getAttribute("style");
    if (style === null) slot.place.removeAttribute("style");
    else slot.place.setAttribute("style", style);
    slot.place.replaceChildren(...from.cloneNode(true).childNodes);
  }

  function paint() {
    frame = 0;
    slots.forEach(swap);
    said.innerHTML = sentence(data, n);
    line.show(n);
    count.textContent = `beat ${n} / ${last}`;
    strip.setAttribute("aria-valuenow", n);
    strip.setAttribute("aria-valuetext", said.firstElementChild.firstElementChild.textContent);
    const now = Date.now();
    if (!timer || now - told > TELL_EVERY) {
      told = now;
      live.textContent = said.firstElementChild.firstElementChild.textContent;
    }
  }

  // Sent at once: what waits here would be undone by the kernel's answer to what was sent before; the widget manager
  // itself sends no more than the kernel keeps up with.
  function go(wanted) {
    const to = clamp(wanted, first, last);
    if (to === n) return;
    model.set("beat", to); // every view of the model hears it at once
    try {
      model.save_changes();
    } catch {
      // No kernel any more: the picture stands, and can be stepped through.
    }
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

  function search(direction) {
    const found = find(data, field.value, n, direction, (i) => {
      plain[i] ??= words(data.text[i]).toLowerCase();
      return plain[i];
    });
    result.textContent = found === null ? "not found" : `found: beat ${found}`;
    if (found !== null) go(found);
  }
  const plain = [];

  function open(part, shown) {
    part.hidden = !shown;
    if (part === finder && shown) field.focus();
    else if (!shown) root.focus({ preventScroll: true });
  }

  function change(direction) {
    const found = row && (direction > 0 ? after : before)(changes(row.list, data.text), n);
    if (found === null) count.textContent = live.textContent = row ? "no further change" : "choose a row first";
    else go(found);
  }

  function nextRow(direction) {
    const at = rows.indexOf(row);
    rows[clamp(at + direction, 0, rows.length - 1)]?.place.focus({ preventScroll: true });
  }

  const stops = () => data.stops[by.value].at;
  const acts = {
    start: () => go(first), end: () => go(last),
    back: () => go(step(data, stops(), n, -1)), forward: () => go(step(data, stops(), n, 1)),
    tenBack: () => go(n - 10), tenOn: () => go(n + 10),
    play: () => (timer ? stop() : start()), jump: () => go(after(jumps, n) ?? n),
    find: () => open(finder, finder.hidden), help: () => open(help, help.hidden),
    close: () => [finder, help].forEach((part) => part.hidden || open(part, false)),
    search: () => search(1), nextChange: () => change(1), lastChange: () => change(-1), rowUp: () => nextRow(-1), rowDown: () => nextRow(1),
  };

  function act(name) {
    if (timer && name !== "play") stop();
    acts[name]();
  }

  root.addEventListener("keydown", (event) => {
    const found = action(event, event.target.tagName.toLowerCase(), jump.key);
    if (event.target === field && event.key === "Enter") search(event.shiftKey ? -1 : 1);
    else if (!found || (found === "close" && finder.hidden && help.hidden)) return;
    else act(found);
    event.preventDefault();
    event.stopPropagation();
  });
  speed.addEventListener("change", () => timer && (stop(), start()));
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
  const sizes = new ResizeObserver(() => strip.clientWidth && line.redraw());
  sizes.observe(strip);
  model.on("change:beat", follow);
  paint();

  return () => {
    clearInterval(timer);
    cancelAnimationFrame(frame);
    sizes.disconnect();
    model.off("change:beat", follow);
    root.remove();
  };
}
