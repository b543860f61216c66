// The parts of a view: buttons, choices, find field, help, raw lines, and the places for timeline, sentence, source,
// detail and sheets. All labels are set as text. Does not model: what they do (`act` is called with a name).

const SPEEDS = [["0.5x", 1600], ["1x", 800], ["2x", 400], ["5x", 160], ["20x", 40]];
const ICONS = {
  start: "M4 3v10M13 3L6 8l7 5z", back: "M10 3L5 8l5 5", play: "M4 2.5L13 8l-9 5.5z", pause: "M5 3v10M11 3v10",
  forward: "M6 3l5 5-5 5", end: "M12 3v10M3 3l7 5-7 5z",
  zoomOut: "M3 8h10", zoomIn: "M3 8h10M8 3v10", zoomAll: "M2 4v8M14 4v8M5 8h6M7 5.5L4.5 8L7 10.500M9 5.500L11.500 8L9 10.500",
};

function icon(button, name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" })) {
    svg.setAttribute(key, value);
  }
  draw(svg, "path", { d: ICONS[name] });
  button.replaceChildren(svg);
}

function button(parent, name, label, onclick, text = "") {
  const found = make(parent, "button", { type: "button", title: label, "data-do": name }, text);
  if (!text) found.setAttribute("aria-label", label);
  if (ICONS[name]) icon(found, name);
  found.addEventListener("click", onclick);
  return found;
}

function choice(parent, label, names, chosen) {
  const select = make(parent, "select", { "aria-label": label, title: label });
  names.forEach((name, i) => make(select, "option", { value: i }, name));
  select.value = String(chosen);
  return select;
}

const HELP = [
  ["Left, Right", "one step back, forward"], ["Home, End", "first, last beat"], ["PageUp, PageDown", "ten beats"],
  ["Space", "play, pause"], ["jump", ""], ["Up, Down", "choose a row"],
  ["[, ]", "its previous, next field, or bit that is set"],
  ["Shift+Right, Shift+Left", "next, previous change of the chosen row"],
  ["s", "mark all changes since this beat; again: no more"], ["r", "raw lines of 16 bytes"], ["c", "source"],
  ["/", "find: a beat, words, a name, an offset"], ["+, -, 0", "zoom in, out, to all beats"], ["<, >", "pan"],
  ["?", "this help"], ["Escape", "leave find, raw or help"],
];

function buildBar(root, data, act) {
  const { jump } = data;
  const bar = make(root, "div", { class: "avk-bar", role: "group", "aria-label": "Steps" });
  button(bar, "start", "to the first beat (Home)", () => act("start"));
  button(bar, "back", "back (Left)", () => act("back"));
  const player = button(bar, "play", "play (Space)", () => act("play"));
  button(bar, "forward", "forward (Right)", () => act("forward"));
  button(bar, "end", "to the last beat (End)", () => act("end"));
  const by = choice(bar, "what a step is", data.stops.map((stop) => `by ${stop.name}`), 0);
  const speed = choice(bar, "speed", SPEEDS.map(([name]) => name), 1);
  const jumper = button(bar, "jump", `${jump.name} (${jump.key})`, () => act("jump"), jump.name);
  jumper.disabled = !data.stops[jump.stop].at.length;
  const watch = button(bar, "watch", "next change of the chosen row (Shift+Right)", () => act("nextChange"), "next change");
  const since = button(bar, "since", "mark all changes since this beat (s)", () => act("since"), "since");
  since.setAttribute("aria-pressed", "false");
  button(bar, "raw", "raw lines of 16 bytes (r)", () => act("raw"), "raw");
  button(bar, "find", "find (/)", () => act("find"), "find");
  button(bar, "help", "keys (?)", () => act("help"), "keys");
  const count = make(bar, "span", { class: "avk-count" });
  return { player, by, speed, watch, since, count };
}

function buildFinder(root, act) {
  const finder = make(root, "div", { class: "avk-find", role: "search" });
  finder.hidden = true;
  const field = make(finder, "input", { type: "text", "aria-label": "a beat's number, words, a name or an offset" });
  field.placeholder = "number, words, name, offset";
  button(finder, "found", "next one found (Enter)", () => act("search"), "next");
  const result = make(finder, "span", { role: "status" });
  return { finder, field, result };
}

function buildHelp(root, jump) {
  const help = make(root, "div", { class: "avk-help", role: "group", "aria-label": "Keys" });
  help.hidden = true;
  for (const [keys, what] of HELP) {
    const line = make(help, "div");
    make(line, "kbd", {}, keys === "jump" ? jump.key : keys);
    line.append(` ${keys === "jump" ? jump.name : what}`);
  }
  return help;
}

function buildTime(root, data, act) {
  const { first, last } = data;
  const time = make(root, "div", { class: "avk-span-of-time" });
  time.hidden = data.lanes.length === 0;
  const strip = make(time, "div", {
    class: "avk-time", tabindex: 0, role: "slider", "aria-label": "timeline", "aria-valuemin": first, "aria-valuemax": last,
  });
  const zoom = make(time, "div", { class: "avk-zoom", role: "group", "aria-label": "Zoom" });
  button(zoom, "zoomIn", "zoom in (+)", () => act("zoomIn"));
  button(zoom, "zoomOut", "zoom out (-)", () => act("zoomOut"));
  button(zoom, "zoomAll", "all beats (0)", () => act("zoomAll"));
  return { strip };
}

function buildRaw(root, data) {
  const raw = make(root, "div", { class: "avk-raw", role: "group", "aria-label": "Raw lines" });
  raw.hidden = true;
  const bar = make(raw, "div", { class: "avk-bar" });
  const which = choice(bar, "page", data.memory.map((page) => page.title), 0);
  const label = make(bar, "label", {}, "offset ");
  const offset = make(label, "input", { type: "text", value: "000", size: 5, class: "avk-offset" });
  const trouble = make(bar, "span", { role: "status" });
  const dump = make(raw, "pre", { class: "avk-dump", tabindex: 0, role: "region", "aria-label": "raw lines" });
  return { raw, which, offset, trouble, dump };
}

// All parts of a view below `el`, in the order in which Tab goes through them.
function build(el, data, act) {
  const root = make(el, "div", {
    class: "avk avk-theme", tabindex: 0, role: "group", "aria-label": data.name, "data-lm-suppress-shortcuts": "true",
  });
  const bar = buildBar(root, data, act);
  const notice = make(root, "div", { class: "avk-notice", role: "status" });
  notice.hidden = true;
  const finder = buildFinder(root, act);
  const help = buildHelp(root, data.jump);
  const time = buildTime(root, data, act);
  const top = make(root, "div", { class: "avk-top" });
  const left = make(top, "div", { class: "avk-left" });
  const said = make(left, "div", { class: "avk-said" });
  const detail = make(left, "div", { class: "avk-detail", tabindex: 0, role: "region", "aria-label": "Detail" });
  const code = make(top, "div", { class: "avk-code" });
  code.hidden = !data.sources.steps.length;
  const raw = buildRaw(root, data);
  const page = make(root, "div", { class: "avk-sheets" });
  const live = make(root, "div", { class: "avk-spoken", "aria-live": "polite" });
  return { root, notice, help, said, detail, code, page, live, ...bar, ...finder, ...time, ...raw };
}
