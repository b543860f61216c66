// The live comparison: two stories, gone through place by place, prepared pieces swapped on both sides. All words come
// with the data. Does not model: what is compared.

function render({ model, el }) {
  const data = model.get("data");
  const { first, last, jump } = data;
  const { root, by, count, notice, help, said, tables, pages, live } = layOut(el, data, (name) => acts[name]());
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
    reach(pages.filter(({ fold }) => fold.open).flatMap(({ halves }) => halves), data.words.page);
    reach(tables, data.words.step);
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
    save(model, gone);
  }

  function gone() {
    notice.textContent = data.words.gone;
    notice.hidden = false;
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

  keepKeys(root);
  root.addEventListener("keydown", (event) => {
    const where = event.target.tagName.toLowerCase();
    const plain = !event.ctrlKey && !event.altKey && !event.metaKey && where !== "select";
    const found = where === "summary" && [" ", "Enter"].includes(event.key) ? null
      : plain && event.key === "b" ? "by" : action(event, where, jump.key);
    if (!found || !acts[found] || scrolls(event) || (found === "close" && help.hidden)) return;
    acts[found]();
    event.preventDefault();
  });
  pages.forEach(({ fold }) => fold.addEventListener("toggle", paint));
  const unwatch = whenGone(model, gone);
  model.on("change:beat", follow);
  paint();

  return () => {
    cancelAnimationFrame(frame);
    model.off("change:beat", follow);
    unwatch();
    root.remove();
  };
}

export default { render };
