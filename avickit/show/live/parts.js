// The parts of a view: buttons, choices, find field, help, and the places for timeline, sentence and sheets. All labels
// are set as text. Does not model: what they do (`act` is called with a name).

const SPEEDS = [["0.5x", 1600], ["1x", 800], ["2x", 400], ["5x", 160], ["20x", 40]];
const ICONS = {
  start: "M4 3v10M13 3L6 8l7 5z", back: "M10 3L5 8l5 5", play: "M4 2.5L13 8l-9 5.5z", pause: "M5 3v10M11 3v10",
  forward: "M6 3l5 5-5 5", end: "M12 3v10M3 3l7 5-7 5z",
};

function make(parent, tag, attributes = {}, text = "") {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(text);
  parent.append(element);
  return element;
}

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

// All parts of a view below `el`.
function build(el, data, act) {
  const { first, last, jump } = data;
  const jumps = data.stops[jump.stop].at;
  const root = make(el, "div", {
    class: "avk", tabindex: 0, role: "group", "aria-label": "Stepper", "data-lm-suppress-shortcuts": "true",
  });

  // The parts, in the order in which Tab goes through them.
  const bar = make(root, "div", { class: "avk-bar", role: "group", "aria-label": "Steps" });
  button(bar, "start", "to the first beat (Home)", () => act("start"));
  button(bar, "back", "back (Left)", () => act("back"));
  const player = button(bar, "play", "play (Space)", () => act("play"));
  button(bar, "forward", "forward (Right)", () => act("forward"));
  button(bar, "end", "to the last beat (End)", () => act("end"));
  const by = choice(bar, "what a step is", data.stops.map((stop) => `by ${stop.name}`), 0);
  const speed = choice(bar, "speed", SPEEDS.map(([name]) => name), 1);
  const jumper = button(bar, "jump", `${jump.name} (${jump.key})`, () => act("jump"), jump.name);
  jumper.disabled = !jumps.length;
  const watch = button(bar, "watch", "next change of the chosen row (Shift+Right)", () => act("nextChange"), "next change");
  button(bar, "find", "find (/)", () => act("find"), "find");
  button(bar, "help", "keys (?)", () => act("help"), "keys");
  const count = make(bar, "span", { class: "avk-count" });

  const finder = make(root, "div", { class: "avk-find", role: "search" });
  finder.hidden = true;
  const field = make(finder, "input", { type: "text", "aria-label": "a beat's number, or words of its sentence" });
  field.placeholder = "number, or words";
  button(finder, "found", "next one found (Enter)", () => act("search"), "next");
  const result = make(finder, "span", { role: "status" });

  const help = make(root, "div", { class: "avk-help", role: "group", "aria-label": "Keys" });
  help.hidden = true;
  for (const [keys, what] of [
    ["Left, Right", "one step back, forward"], ["Home, End", "first, last beat"], ["PageUp, PageDown", "ten steps"],
    ["Space", "play, pause"], [jump.key, jump.name], ["Up, Down", "choose a row"],
    ["Shift+Right, Shift+Left", "next, previous change of the chosen row"], ["/", "find"],
    ["?", "this help"], ["Escape", "leave find or help"],
  ]) {
    const line = make(help, "div");
    make(line, "kbd", {}, keys);
    line.append(` ${what}`);
  }

  const strip = make(root, "div", {
    class: "avk-time", tabindex: 0, role: "slider", "aria-label": "timeline", "aria-valuemin": first, "aria-valuemax": last,
  });
  const said = make(root, "div", { class: "avk-said" });
  const page = make(root, "div", { class: "avk-sheets" });
  const live = make(root, "div", { class: "avk-live", "aria-live": "polite" });
  return { root, player, by, speed, watch, count, finder, field, result, help, strip, said, page, live };
}
