// The live stepper: which beat is shown, and what each button and key does. Everything happens in the browser; the kernel
// is told the beat. One model may have several views, so a view keeps nothing that others need.

const TELL_EVERY = 1500; // milliseconds between spoken sentences while playing
const GONE = "The kernel has gone. The picture stands, and can still be stepped through.";

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
  const { root, by, count, finder, field, result, help, strip, said, page, live } = parts;

  let n = clamp(model.get("beat"), first, last);
  let [frame, told] = [0, 0];
  let since = data.since ?? null; // the beat whose later changes are marked
  const now = () => ({ n, was: since ?? Math.max(n - 1, first) });
  const stops = () => data.stops[by.value].at;

  const slots = makeSlots(page, data, n);
  const line = makeTimeline(strip, data);
  const code = makeSource(parts.code, data);
  const chosen = makeChosen(parts, data, slots, now);
  const raw = makeRaw(parts, memory, now);
  const player = makePlayer(parts, {
    ended: () => n === last, rewind: () => go(first), forward: () => go(step(data, stops(), n, 1)), done: () => paint(),
  });
  slide(strip, line, { pause: player.stop, go });

  function paint() {
    frame = 0;
    slots.show(n, since);
    said.innerHTML = sentence(data, n);
    line.show(n);
    code.show(n);
    raw.show();
    chosen.tell();
    count.textContent = `beat ${n} / ${last}`;
    const spoken = said.firstElementChild.firstElementChild.textContent;
    strip.setAttribute("aria-valuenow", n);
    strip.setAttribute("aria-valuetext", spoken);
    if (!player.plays() || Date.now() - told > TELL_EVERY) {
      told = Date.now();
      live.textContent = spoken;
    }
    code.settle();
  }

  // Sent at once: what waits here would be undone by the kernel's answer to what was sent before; the widget manager
  // itself sends no more than the kernel keeps up with.
  function go(to) {
    const there = clamp(to, first, last);
    if (there === n) return;
    model.set("beat", there); // every view of the model hears it at once
    save(model, gone);
  }

  function gone() {
    model.gone = true; // told again by the view of another branch
    parts.notice.textContent = GONE;
    parts.notice.hidden = false;
  }

  function follow() {
    n = clamp(model.get("beat"), first, last);
    frame ||= requestAnimationFrame(paint);
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
    const name = chosen.chooseNamed(named);
    result.textContent = [found === null ? "in no beat" : `found: beat ${found}`, name && `row ${name} chosen`].filter(Boolean).join(", ");
    if (found !== null) go(found);
  }
  const plain = [];

  function open(opened, shown) {
    opened.hidden = !shown;
    if (opened === finder && shown) field.focus();
    else if (opened === parts.raw && shown) raw.open(chosen.spot());
    else if (!shown) root.focus({ preventScroll: true });
  }

  function change(direction) {
    const row = chosen.list();
    const found = row && (direction > 0 ? after : before)(changes(row, data.text), n);
    if (found === null) count.textContent = live.textContent = row ? "no further change" : "choose a row first";
    else go(found);
  }

  function markFrom(beat) {
    since = beat;
    parts.since.textContent = since === null ? "since" : `since ${since}`;
    parts.since.setAttribute("aria-pressed", String(since !== null));
    live.textContent = since === null ? "only the beat's own changes are marked" : `changes since beat ${since} are marked`;
    paint();
  }

  const opened = () => [finder, help, parts.raw].filter((each) => !each.hidden);
  const acts = {
    start: () => go(first), end: () => go(last),
    back: () => go(step(data, stops(), n, -1)), forward: () => go(step(data, stops(), n, 1)),
    tenBack: () => go(n - 10), tenOn: () => go(n + 10),
    play: player.toggle, jump: () => go(after(jumps, n) ?? n),
    find: () => open(finder, finder.hidden), help: () => open(help, help.hidden), raw: () => open(parts.raw, parts.raw.hidden),
    close: () => opened().forEach((each) => open(each, false)),
    search: () => search(1), nextChange: () => change(1), lastChange: () => change(-1),
    rowUp: () => chosen.nextRow(-1), rowDown: () => chosen.nextRow(1),
    partBack: () => chosen.nextPart(-1), partOn: () => chosen.nextPart(1), since: () => markFrom(since === null ? n : null),
    zoomIn: () => line.zoom(2), zoomOut: () => line.zoom(0.5), zoomAll: () => line.all(),
    panLeft: () => line.pan(-0.25), panRight: () => line.pan(0.25), source: code.toggle,
  };

  function act(name) {
    if (name !== "play") player.stop();
    acts[name]();
  }

  root.addEventListener("keydown", (event) => {
    const found = action(event, event.target.tagName.toLowerCase(), jump.key);
    const rawStep = { ArrowUp: -16, ArrowDown: 16 }[event.key];
    if (event.target === field && event.key === "Enter") search(event.shiftKey ? -1 : 1);
    else if (event.target === parts.offset && rawStep) raw.move(rawStep);
    else if (!found || scrolls(event) || (found === "close" && !opened().length)) return;
    else act(found);
    event.preventDefault();
    event.stopPropagation();
  });

  const sizes = new ResizeObserver(() => {
    if (!root.clientWidth) return;
    line.redraw();
    code.fit();
    code.settle();
  });
  sizes.observe(root);
  const unwatch = whenGone(model, gone);
  model.on("change:beat", follow);
  if (data.at) parts.offset.value = data.at;
  if (model.gone) gone();
  markFrom(since);

  return () => {
    player.stop();
    cancelAnimationFrame(frame);
    sizes.disconnect();
    model.off("change:beat", follow);
    unwatch();
    root.remove();
  };
}
