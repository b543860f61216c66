// The live comparison: two stories, gone through place by place, prepared pieces swapped on both sides. All words come
// with the data. Does not model: what is compared.

// The index of the step that a place belongs to.
export const stepAt = (data, at) => upTo(data.steps, at) - 1;

// The number of a side's beat at a place: its own there, else the last one it has had; `here` tells which.
export function beatAt(data, which, at) {
  for (let place = at; place >= 1; place -= 1) {
    const n = data.places[2 * (place - 1) + which];
    if (n) return { n, here: place === at };
  }
  return { n: data.sides[which].first, here: false };
}

// The prepared HTML of a side at a place: what came of the step, and its beat.
export function sideAt(data, which, at) {
  const { n, here } = beatAt(data, which, at);
  const beat = here ? sentence(data.sides[which], n) : data.nothing;
  return data.around[stepAt(data, at)][which].replace(data.hole, () => beat);
}

// The prepared HTML of one page of a side at a place; empty if the side has no such page.
export function pageAt(data, which, page, at) {
  const side = data.sides[which];
  if (page >= side.sheets.length) return "";
  return sheets({ ...side, sheets: [side.sheets[page]], beside: ["", ""] }, beatAt(data, which, at).n);
}

// Where the cursor stands, in the data's words: step and beat with their counts, whether both sides do the same.
export function standing(data, at) {
  const { words, steps, numbers, last, same } = data;
  const step = stepAt(data, at);
  const beats = (steps[step + 1] ?? last + 1) - steps[step];
  const where = `${words.step} ${numbers[step]}, ${words.beat} ${at - steps[step] + 1} ${words.of} ${beats}`;
  return `${where}: ${same[at - 1] ? words.same : words.differs}`;
}

function layOut(el, data, act) {
  const { words } = data;
  const root = make(el, "div", {
    class: "avk avk-compare", tabindex: 0, role: "group", "aria-label": words.label, "data-lm-suppress-shortcuts": "true",
  });
  const bar = make(root, "div", { class: "avk-bar", role: "group", "aria-label": words.label });
  button(bar, "start", "to the start (Home)", () => act("start"));
  button(bar, "back", "back (Left)", () => act("back"));
  button(bar, "forward", "forward (Right)", () => act("forward"));
  button(bar, "end", "to the end (End)", () => act("end"));
  const by = choice(bar, "what a move is", [`by ${words.step}`, `by ${words.beat}`], 0);
  const jumper = button(bar, "jump", `${words.jump} (${data.jump.key})`, () => act("jump"), words.jump);
  jumper.disabled = !data.jump.at;
  button(bar, "help", "keys (?)", () => act("help"), "keys");
  const count = make(bar, "span", { class: "avk-count" });
  const help = make(root, "div", { class: "avk-help", role: "group", "aria-label": "Keys" });
  help.hidden = true;
  for (const [keys, what] of [
    ["Left, Right", "one move back, forward"], ["Home, End", "start, end"], ["PageUp, PageDown", "ten moves"],
    ["b", `by ${words.step} or by ${words.beat}`], [data.jump.key, words.jump],
    ["Up, Down", `choose a ${words.step} of the table`], ["?", "this help"], ["Escape", "leave help"],
  ]) {
    const line = make(help, "div");
    make(line, "kbd", {}, keys);
    line.append(` ${what}`);
  }
  const head = make(root, "div");
  head.innerHTML = data.verdict;
  const said = make(root, "div", { class: "avk-two", style: data.two });
  const tables = data.tables.map(({ html }) => {
    const holder = make(root, "div", { class: "avk-steps" });
    holder.innerHTML = html;
    return holder;
  });
  const pages = data.titles.map((title, i) => {
    const fold = make(root, "details", { class: "avk-pair" });
    fold.open = Boolean(data.open[i]);
    make(fold, "summary", {}, title);
    const two = make(fold, "div", { class: "avk-two", style: data.two });
    return { fold, halves: [0, 1].map(() => make(two, "div", { class: "avk-sheets" })) };
  });
  const live = make(root, "div", { class: "avk-live", "aria-live": "polite" });
  return { root, by, count, help, said, tables, pages, live };
}

function render({ model, el }) {
  const data = model.get("data");
  const { first, last, jump } = data;
  const { root, by, count, help, said, tables, pages, live } = layOut(el, data, (name) => acts[name]());
  let at = clamp(model.get("beat"), first, last);
  let frame = 0;

  // The rows of the tables that stand for steps: the cursor can be put there.
  const rows = tables.flatMap((holder, i) => {
    const found = [...holder.querySelectorAll("tbody tr")];
    return data.tables[i].rows.map(([number, place], k) => ({ row: found[k], number, place }));
  });
  rows.forEach(({ row, place }, i) => {
    row.tabIndex = i ? -1 : 0;
    row.classList.add("avk-step");
    row.addEventListener("click", () => go(place));
    row.addEventListener("focus", () => rows.forEach((other) => (other.row.tabIndex = other.row === row ? 0 : -1)));
  });

  function show(holder, html) {
    if (holder.dataset.shown === html) return;
    holder.dataset.shown = html;
    holder.innerHTML = html;
  }

  function mark() {
    const number = data.numbers[stepAt(data, at)];
    const own = rows.filter((entry) => entry.number <= number);
    const exact = rows.filter((entry) => entry.number === number);
    const chosen = (exact.length ? exact : own.slice(-1)).map((entry) => entry.row);
    for (const { row } of rows) {
      row.classList.toggle("avk-here", chosen.includes(row));
      if (chosen.includes(row)) row.setAttribute("aria-current", "step");
      else row.removeAttribute("aria-current");
    }
  }

  function paint() {
    frame = 0;
    said.innerHTML = sideAt(data, 0, at) + sideAt(data, 1, at);
    pages.forEach(({ fold, halves }, i) => {
      if (fold.open) halves.forEach((half, which) => show(half, pageAt(data, which, i, at)));
    });
    mark();
    count.textContent = standing(data, at);
    const words = data.names.map((name, which) => {
      const beat = said.children[which].lastElementChild;
      return `${name}: ${(beat.firstElementChild ?? beat).textContent}`;
    });
    live.textContent = [standing(data, at), data.said[stepAt(data, at)], ...words].join(". ");
  }

  function go(wanted) {
    const to = clamp(wanted, first, last);
    if (to === at) return;
    model.set("beat", to);
    try {
      model.save_changes();
    } catch {
      // No kernel any more: the picture stands, and can be gone through.
    }
  }

  function follow() {
    at = clamp(model.get("beat"), first, last);
    frame ||= requestAnimationFrame(paint);
  }

  function move(times) {
    const stops = by.value === "0" ? data.stops : null;
    let to = at;
    for (let i = 0; i < Math.abs(times); i += 1) to = step(data, stops, to, Math.sign(times));
    go(to);
  }

  function nextRow(direction) {
    const shown = rows.filter(({ row }) => row.offsetParent !== null);
    const focused = shown.findIndex(({ row }) => row === root.getRootNode().activeElement);
    const now = focused < 0 ? shown.findIndex(({ row }) => row.classList.contains("avk-here")) : focused;
    const to = shown[clamp(now + direction, 0, shown.length - 1)];
    to.row.focus({ preventScroll: true });
    go(to.place);
  }

  function toggle(shown) {
    help.hidden = !shown;
    if (!shown) root.focus({ preventScroll: true });
  }

  const acts = {
    start: () => go(first), end: () => go(last), back: () => move(-1), forward: () => move(1),
    tenBack: () => move(-10), tenOn: () => move(10), jump: () => go(jump.at || at),
    by: () => (by.value = by.value === "0" ? "1" : "0"), rowUp: () => nextRow(-1), rowDown: () => nextRow(1),
    help: () => toggle(help.hidden), close: () => toggle(false),
  };

  root.addEventListener("keydown", (event) => {
    if (isOwn(event)) event.stopPropagation();
    const where = event.target.tagName.toLowerCase();
    const plain = !event.ctrlKey && !event.altKey && !event.metaKey && where !== "select";
    const found = where === "summary" && [" ", "Enter"].includes(event.key) ? null
      : plain && event.key === "b" ? "by" : action(event, where, jump.key);
    if (!found || !acts[found] || (found === "close" && help.hidden)) return;
    acts[found]();
    event.preventDefault();
  });
  pages.forEach(({ fold }) => fold.addEventListener("toggle", paint));
  model.on("change:beat", follow);
  paint();

  return () => {
    cancelAnimationFrame(frame);
    model.off("change:beat", follow);
    root.remove();
  };
}

export default { render };
