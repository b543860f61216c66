// A gate: a question, and options as buttons; choosing one opens every reason. All words come with the data and are
// set as text. Does not model: scores.

// What a key means: the number of an option by its letter, "hide", or null, which leaves it to the browser.
export function keyed({ key, ctrlKey, altKey, metaKey }, options) {
  if (ctrlKey || altKey || metaKey) return null;
  if (key === "Escape") return "hide";
  const found = options.findIndex(([letter]) => letter.toLowerCase() === key.toLowerCase());
  return found < 0 ? null : found;
}

// What is spoken after a choice.
export function spoken({ options, answer, words }, chosen) {
  if (chosen < 0) return "";
  const said = words.said.replace("{chosen}", options[chosen][0]).replace("{answer}", options[answer][0]);
  return `${said} ${options[answer][1]} ${options[answer][2]}`;
}

function build(el, { question, options, words }) {
  const root = make(el, "div", {
    class: "avk-theme avk-gate", role: "group", "aria-label": words.label, "data-lm-suppress-shortcuts": "true",
  });
  make(root, "p", { class: "avk-question" }, `${words.label}: ${question}`);
  const list = make(root, "ol", { class: "avk-options" });
  const items = options.map(([letter, option, why]) => {
    const item = make(list, "li");
    const button = make(item, "button", { type: "button", "aria-pressed": "false" });
    make(button, "b", {}, letter);
    make(button, "span", {}, option);
    const reason = make(item, "div", { class: "avk-why" });
    const marks = make(reason, "span");
    make(reason, "span", {}, why);
    return { item, button, reason, marks };
  });
  const foot = make(root, "div", { class: "avk-foot" });
  const hide = make(foot, "button", { type: "button" }, words.hide);
  const note = make(foot, "small", { role: "status" }, words.help);
  const live = make(root, "div", { class: "avk-spoken", "aria-live": "polite" });
  return { root, items, hide, note, live };
}

function render({ model, el }) {
  const data = model.get("data");
  const { root, items, hide, note, live } = build(el, data);

  function choose(wanted) {
    model.set("chosen", wanted); // every view of the model hears it at once
    save(model, lost);
  }

  function paint() {
    const chosen = model.get("chosen");
    const open = chosen >= 0;
    items.forEach(({ item, button, reason, marks }, i) => {
      button.setAttribute("aria-pressed", String(i === chosen));
      item.classList.toggle("avk-right", open && i === data.answer);
      item.classList.toggle("avk-chosen", i === chosen);
      reason.hidden = !open;
      const words = [i === data.answer && data.words.answer, i === chosen && data.words.chosen].filter(Boolean);
      marks.replaceChildren(...words.map((word) => Object.assign(document.createElement("em"), { textContent: word })));
    });
    if (!open && root.getRootNode().activeElement === hide) items[0].button.focus({ preventScroll: true });
    hide.hidden = !open;
    live.textContent = spoken(data, chosen);
  }

  items.forEach(({ button }, i) => button.addEventListener("click", () => choose(i)));
  hide.addEventListener("click", () => choose(-1));
  keepKeys(root);
  root.addEventListener("keydown", (event) => {
    const found = keyed(event, data.options);
    if (found === null || (found === "hide" && hide.hidden)) return;
    if (found === "hide") choose(-1);
    else {
      items[found].button.focus({ preventScroll: true });
      choose(found);
    }
    event.preventDefault();
    event.stopPropagation();
  });
  function lost() {
    note.textContent = data.words.lost;
  }

  model.on("change:chosen", paint);
  const unwatch = whenGone(model, lost);
  paint();
  return () => {
    model.off("change:chosen", paint);
    unwatch();
    root.remove();
  };
}

export default { render };
