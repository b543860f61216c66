// The form of what if, and the choice of a branch: their elements. All words come with the data.
// Does not model: what an act does, or when the kernel is asked (whatif.js).

let forms = 0;

// A name, further in the deeper its branch hangs.
export const indented = ({ name, depth }) => `${"\u00a0\u00a0\u00a0".repeat(depth)}${depth ? "\u2514 " : ""}${name}`;

// What is asked for; `values` are those of the inputs in their order.
export const asking = (id, beat, act, values) => ({ ask: id, beat, act: act.name, given: values });

function inputOf(parent, input, id) {
  const label = make(parent, "label", {}, `${input.name} `);
  if (input.choices.length) {
    const select = make(label, "select");
    input.choices.forEach((name) => make(select, "option", { value: name }, name));
    return select;
  }
  const field = make(label, "input", { type: "text", placeholder: input.hint, size: Math.max(8, input.hint.length) });
  if (input.suggested.length) {
    const list = make(label, "datalist", { id });
    input.suggested.forEach((name) => make(list, "option", { value: name }));
    field.setAttribute("list", id);
  }
  return field;
}

// The form: which act, its inputs, and what came of it.
function buildForm({ acts, words }) {
  const box = document.createElement("form");
  box.className = "avk-what";
  box.setAttribute("aria-label", words.button);
  box.hidden = true;
  forms += 1;
  const lead = make(box, "b");
  const which = choice(box, words.act, acts.map((act) => act.words), 0);
  const fields = make(box, "span", { class: "avk-fields" });
  const go = make(box, "button", { type: "submit", "data-do": "ask" }, words.do);
  const close = button(box, "closeWhat", `${words.close} (Escape)`, () => {}, words.close);
  const said = make(box, "div", { class: "avk-problem", role: "status" });
  let inputs = [];
  const choose = () => {
    fields.replaceChildren();
    inputs = acts[which.value].inputs.map((input, i) => inputOf(fields, input, `avk-list-${forms}-${which.value}-${i}`));
    said.textContent = "";
  };
  which.addEventListener("change", choose);
  choose();
  return { box, lead, which, go, close, said, act: () => acts[which.value], values: () => inputs.map((i) => i.value) };
}

// The choice of a branch, and below it why its story ends early, if it does.
function buildBranches(words) {
  const bar = document.createElement("div");
  bar.className = "avk-branches";
  const label = make(bar, "label", {}, `${words.branch} `);
  const select = make(label, "select", { "data-do": "branch" });
  const note = make(bar, "small");
  return { bar, select, note };
}
