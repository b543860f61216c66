// Beats and pixels, and the stretch of beats that is seen: pure functions, tested without a browser (tests/js).
// Does not model: what is drawn there (timeline.js).

// Beats and pixels: the middle of a beat's column, and back.
export function scale(first, last, left, width) {
  const column = width / (last - first + 1);
  return {
    first,
    last,
    column,
    x: (n) => left + (n - first) * column,
    middle: (n) => left + (n - first + 0.5) * column,
    beat: (x) => clamp(first + Math.floor((x - left) / column), first, last),
  };
}

// A round distance between numbered ticks, so that they are at least `apart` pixels from each other.
export function ticks(first, last, column, apart = 46) {
  const every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000]
    .find((d) => d * column >= apart) ?? 1000000;
  const found = [];
  for (let n = Math.ceil(first / every) * every; n <= last; n += every) found.push(n);
  return found;
}

// Records (beat, look, label, ...) as spans of a lane: where each begins and where the next one does; those, and the
// parts of those, between two beats.
export function spansOf(flat, last, from = flat[0], to = last) {
  const found = [];
  for (let i = 3 * Math.max(upTo(flat, from, 3) - 1, 0); i < flat.length && flat[i] <= to; i += 3) {
    const end = Math.min(flat[i + 3] ?? last + 1, to + 1);
    found.push({ from: Math.max(flat[i], from), to: end, look: flat[i + 1], label: flat[i + 2] });
  }
  return found;
}

const FEWEST = 24; // so many beats at least are in a zoomed view

// A part [from, to] of the beats first..last, zoomed around a beat, which keeps its place.
export function zoomed([from, to], n, factor, first, last) {
  const wide = clamp(Math.round((to - from + 1) / factor), Math.min(FEWEST, last - first + 1), last - first + 1);
  const place = (clamp(n, from, to) - from + 0.5) / (to - from + 1);
  return moved(Math.round(clamp(n, from, to) + 0.5 - place * wide), wide, first, last);
}

// A part so wide that begins at a beat, or as near as there are beats.
export function moved(from, wide, first, last) {
  const start = clamp(from, first, Math.max(last - wide + 1, first));
  return [start, Math.min(start + wide - 1, last)];
}

// The part moved by a share of its width.
export const panned = ([from, to], share, first, last) =>
  moved(from + Math.round((to - from + 1) * share), to - from + 1, first, last);

// The part moved so that it holds a beat: as it is if it does, else with the beat in its middle.
export const holding = ([from, to], n, first, last) =>
  n >= from && n <= to ? [from, to] : moved(n - ((to - from) >> 1), to - from + 1, first, last);
