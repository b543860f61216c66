// The timeline: lanes with spans, marks, arrows, ticks and the line of the current beat. Words come with the data.

const SVG = "http://www.w3.org/2000/svg";
const TOP = 12, LANE = 20, BAR = 13, LEFT = 68, RIGHT = 10, AXIS = 18;
const MANY = 400; // from here on marks and arrows are one path each, without titles
let serial = 0;

function draw(parent, tag, attributes, words) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (words !== undefined) element.textContent = words;
  parent.append(element);
  return element;
}

// A state's hue by the class that paints it; black is painted grey, which shows on a dark page too.
const PAINT = {
  "bluish green": "green", orange: "orange", "sky blue": "sky", "reddish purple": "purple", blue: "blue", vermillion: "red", yellow: "yellow",
};
const FILLING = {
  hatch: "M0 6L6 0M-1 1L1 -1M5 7L7 5", back: "M0 0L6 6M-1 5L1 7M5 -1L7 1", lines: "M0 1.5H6M0 4.5H6", bars: "M1.5 0V6M4.5 0V6",
  cross: "M0 0L6 6M0 6L6 0", rings: "M1 3a2 2 0 1 0 4 0a2 2 0 1 0 -4 0",
};

function pattern(defs, id, look) {
  const hue = `avk-${PAINT[look.hue] ?? "grey"}`;
  const found = draw(defs, "pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" });
  draw(found, "rect", { width: 6, height: 6, class: `avk-wash ${hue}` });
  if (FILLING[look.pattern]) draw(found, "path", { d: FILLING[look.pattern], class: `avk-line ${hue}` });
  if (look.pattern === "dots") draw(found, "circle", { cx: 3, cy: 3, r: 1.3, class: `avk-ink ${hue}` });
}

function drawLane(svg, data, lane, index, at, ids) {
  const y = TOP + index * LANE;
  draw(svg, "text", { x: 4, y: y + BAR - 3, class: "avk-name" }, lane.name);
  const paths = new Map();
  for (const span of spansOf(lane.spans, data.last, at.first, at.last)) {
    const look = data.looks[span.look];
    const [x, width] = [at.x(span.from), at.x(span.to) - at.x(span.from)];
    const [top, height] = look.pattern === "thin" ? [y + BAR / 2 - 1, 2] : [y, BAR];
    paths.set(span.look, `${paths.get(span.look) ?? ""}M${x} ${top}h${width}v${height}h${-width}z`);
    if (look.pattern === "thin") continue;
    const long = [look.letter, look.word, data.labels[span.label]].filter(Boolean).join(" ");
    span.words = width > 6.5 * long.length + 8 ? long : width > 14 ? look.letter : "";
    span.x = x + 4;
    lane.words = [...(lane.words ?? []), span];
  }
  for (const [look, d] of paths) draw(svg, "path", { d, fill: `url(#${ids}${look})`, class: "avk-span" });
  for (const span of lane.words ?? []) {
    if (!span.words) continue;
    draw(svg, "rect", { x: span.x - 2, y: y + 1, width: 6.4 * span.words.length + 4, height: BAR - 2, class: "avk-under" });
    draw(svg, "text", { x: span.x, y: y + BAR - 3, class: "avk-label" }, span.words);
  }
  lane.words = undefined;
}

function drawEvents(svg, data, at) {
  const middle = (lane) => TOP + lane * LANE + BAR / 2;
  if (at.column >= 3) {
    const acts = data.acts.slice(at.first - data.first, at.last - data.first + 1);
    const d = acts.map((lane, i) => (lane < 0 ? "" : `M${at.middle(at.first + i)} ${TOP + lane * LANE + BAR}v4`));
    draw(svg, "path", { d: d.join(""), class: "avk-tick" });
  }
  const seen = data.marks.filter(([n]) => n >= at.first && n <= at.last);
  const marks = seen.map(([n, lane, title]) => [`M${at.middle(n)} ${TOP + lane * LANE + 3}l-5 -8h10z`, title]);
  if (marks.length > MANY) draw(svg, "path", { d: marks.map(([d]) => d).join(""), class: "avk-mark" });
  else for (const [d, title] of marks) draw(draw(svg, "path", { d, class: "avk-mark" }), "title", {}, title);
  const arrows = data.arrows.filter(([from, , to]) => to >= at.first && from <= at.last);
  if (arrows.length > MANY) {
    const d = arrows.map(([from, a, to, b]) => `M${at.middle(from)} ${middle(a)}L${at.middle(to)} ${middle(b)}`);
    draw(draw(svg, "g", { class: "avk-arrow" }), "path", { d: d.join("") });
  } else for (const [from, a, to, b, title] of arrows) {
    const [x, y, u, v] = [at.middle(from), middle(a), at.middle(to), middle(b)];
    const turn = (Math.atan2(v - y, u - x) * 180) / Math.PI;
    const group = draw(svg, "g", { class: "avk-arrow" });
    draw(group, "title", {}, title);
    draw(group, "path", { d: `M${x} ${y}L${u} ${v}` });
    draw(group, "path", { d: "M0 0l-7 -3.5v7z", class: "avk-head", transform: `translate(${u} ${v}) rotate(${turn})` });
    if (arrows.length <= 12 && at.column >= 5) {
      draw(group, "text", { x: Math.max(x, u) + 5, y: (y + v) / 2 + 8, class: "avk-label" }, title);
    }
  }
}

// The bar below that says which part of the beats is seen.
function drawOverview(svg, data, at, width, y) {
  if (at.first === data.first && at.last === data.last) return;
  const whole = scale(data.first, data.last, LEFT, width - LEFT - RIGHT);
  draw(svg, "rect", { x: LEFT, y, width: width - LEFT - RIGHT, height: 4, class: "avk-track" });
  const [x, end] = [whole.x(at.first), whole.x(at.last + 1)];
  draw(svg, "rect", { x, y: y - 1, width: Math.max(end - x, 4), height: 6, rx: 2, class: "avk-thumb" });
}

// An SVG in `holder`; answers with what shows a beat, tells the beat at a place, zooms, pans, and draws anew.
function makeTimeline(holder, data) {
  const ids = `avk-look-${Date.now()}-${(serial += 1)}-`;
  const height = TOP + data.lanes.length * LANE + AXIS + 8;
  const [first, last] = [data.first, data.last];
  const axis = height - AXIS - 8;
  let at, line, number, plate;
  let shown = first;
  let view = [first, last];

  // A beat that is panned away keeps its place, unseen.
  function place() {
    const away = shown < view[0] || shown > view[1];
    for (const each of [line, plate, number]) each.setAttribute("visibility", away ? "hidden" : "visible");
    const x = at.middle(shown);
    line.setAttribute("transform", `translate(${x} 0)`);
    const wide = String(shown).length * 7 + 8;
    const left = clamp(x, LEFT + wide / 2 + 12, at.x(at.last + 1) - wide / 2 + 8);
    plate.setAttribute("x", left - wide / 2);
    plate.setAttribute("width", wide);
    number.setAttribute("x", left);
    number.textContent = String(shown);
  }

  function show(n) {
    shown = n;
    const wanted = holding(view, n, first, last);
    if (wanted[0] === view[0]) place();
    else look(wanted);
  }

  function look(wanted) {
    view = wanted;
    redraw();
  }

  function redraw() {
    const width = Math.max(holder.clientWidth, 260);
    at = scale(view[0], view[1], LEFT, width - LEFT - RIGHT);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.setAttribute("aria-hidden", "true");
    const defs = draw(svg, "defs", {});
    data.looks.forEach((each, i) => pattern(defs, `${ids}${i}`, each));
    data.lanes.forEach((lane, i) => drawLane(svg, data, lane, i, at, ids));
    for (const n of ticks(at.first, at.last, at.column)) {
      draw(svg, "text", { x: at.middle(n), y: axis + 14, class: "avk-number" }, n);
    }
    drawEvents(svg, data, at);
    drawOverview(svg, data, at, width, height - 6);
    const over = document.createElementNS(SVG, "svg"); // what moves, so that the rest need not be painted anew
    for (const [name, value] of Object.entries({ width, height, class: "avk-over", "aria-hidden": "true" })) over.setAttribute(name, value);
    line = draw(over, "path", { d: `M0 2V${axis + 2}`, class: "avk-now" });
    plate = draw(over, "rect", { y: axis + 2, height: 15, rx: 3, class: "avk-plate" });
    number = draw(over, "text", { y: axis + 13, class: "avk-plate-text" });
    holder.replaceChildren(svg, over);
    place();
  }

  redraw();
  return {
    show, redraw,
    beat: (clientX) => at.beat(clientX - holder.getBoundingClientRect().left),
    zoom: (factor, n = shown) => look(zoomed(view, n, factor, first, last)),
    pan: (share) => look(panned(view, share, first, last)),
    all: () => look([first, last]),
    part: () => view,
  };
}
