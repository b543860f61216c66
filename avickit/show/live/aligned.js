// Two stories laid beside each other, place by place: pure functions, tested without a browser (tests/js). All words
// come with the data. Does not model: what is compared.

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

// The prepared HTML of one row of pages, on one side, at a place; a side may have no such page.
export function pageAt(data, which, row, at) {
  const side = data.sides[which];
  const page = data.rows[row][which];
  if (page < 0) return data.absent;
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
