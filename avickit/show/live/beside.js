// The parts of a comparison: buttons, keys, what is said of both sides, tables of steps, pairs of pages.
// Does not model: what they do (`act` is called with a name).

function layOut(el, data, act) {
  const { words } = data;
  const root = make(el, "div", {
    class: "avk avk-theme avk-compare", tabindex: 0, role: "group", "aria-label": words.label, "data-lm-suppress-shortcuts": "true",
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
  const notice = make(root, "div", { class: "avk-notice", role: "status" });
  notice.hidden = true;
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
  const live = make(root, "div", { class: "avk-spoken", "aria-live": "polite" });
  return { root, by, count, notice, help, said, tables, pages, live };
}
