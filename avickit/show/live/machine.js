// A picture with names in it: each name is a button that opens its detail; where several stand for one thing, they light
// up together. The picture and all words come prepared. Does not model: what is shown.

// The place that a key leads to among `count` places; null leaves the key to the browser.
export function moved({ key, ctrlKey, altKey, metaKey, shiftKey }, at, count) {
  if (ctrlKey || altKey || metaKey || shiftKey || !count) return null;
  const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: count - 1 }[key];
  return to === undefined ? null : Math.min(Math.max(to, 0), count - 1);
}

// A number with commas, put into words.
export const filled = (words, name, value) => words.replace(`{${name}}`, value.toLocaleString("en"));

function build(el, words, act) {
  const root = make(el, "div", {
    class: "avk-theme avk-machine", role: "group", "aria-label": words.label, "data-lm-suppress-shortcuts": "true",
  });
  const bar = make(root, "div", { class: "avk-bar" });
  const follow = make(bar, "button", { type: "button", "aria-pressed": "false" }, words.follow);
  const behind = make(bar, "span", { role: "status" });
  const now = make(bar, "button", { type: "button" }, words.now);
  const both = make(root, "div", { class: "avk-both" });
  const page = make(both, "div", { class: "avk-page" });
  const detail = make(both, "section", { class: "avk-detail", tabindex: -1 });
  const bare = make(detail, "div", { class: "avk-bar" });
  const title = make(bare, "b");
  make(bare, "button", { type: "button" }, words.close).addEventListener("click", () => act("close"));
  const inner = make(detail, "div");
  make(root, "small", {}, words.help);
  const live = make(root, "div", { class: "avk-spoken", "aria-live": "polite" });
  return { root, follow, behind, now, page, detail, title, inner, live };
}

function render({ model, el }) {
  const words = model.get("words");
  const { root, follow, behind, now, page, detail, title, inner, live } = build(el, words, () => open(null));
  let chosen = null;
  let buttons = [];

  // The prepared picture, its names turned into buttons.
  function draw() {
    const at = buttons.indexOf(root.getRootNode().activeElement);
    page.innerHTML = model.get("shown").html;
    buttons = [...page.querySelectorAll("[data-for]")].map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "avk-name";
      button.dataset.for = name.dataset.for;
      button.append(...name.childNodes);
      name.replaceWith(button);
      for (const kind of ["focus", "mouseenter"]) button.addEventListener(kind, () => light(button.dataset.for));
      for (const kind of ["blur", "mouseleave"]) button.addEventListener(kind, () => light(null));
      button.addEventListener("click", () => open(chosen === button.dataset.for ? null : button.dataset.for));
      return button;
    });
    if (at >= 0) buttons[Math.min(at, buttons.length - 1)]?.focus({ preventScroll: true });
    show();
    live.textContent = model.get("shown").said;
  }

  const stops = () => reach(root.querySelectorAll(".avk-page div, .avk-detail div:not(.avk-bar)"), words.label);

  function light(name) {
    for (const button of buttons) button.classList.toggle("avk-same", name !== null && button.dataset.for === name);
  }

  function show() {
    const html = chosen === null ? undefined : model.get("shown").details[chosen];
    if (html === undefined) chosen = null;
    detail.hidden = chosen === null;
    for (const button of buttons) button.setAttribute("aria-expanded", String(button.dataset.for === chosen));
    if (chosen === null) return;
    title.textContent = words.detail.replace("{name}", chosen);
    detail.setAttribute("aria-label", title.textContent);
    inner.innerHTML = html;
    stops();
  }

  function open(name) {
    const back = name === null && detail.contains(root.getRootNode().activeElement) ? chosen : null;
    chosen = name;
    show();
    if (back !== null) buttons.find((button) => button.dataset.for === back)?.focus({ preventScroll: true });
    live.textContent = name === null ? "" : title.textContent;
  }

  function tell() {
    const ns = model.get("behind");
    behind.textContent = ns > 0 ? filled(words.behind, "ns", ns) : "";
    now.hidden = ns === 0;
    follow.hidden = false;
    follow.setAttribute("aria-pressed", String(model.get("follow")));
  }

  // Until the kernel is heard of again.
  function lost() {
    behind.textContent = words.lost;
    follow.hidden = now.hidden = true;
  }

  follow.parentElement.hidden = Boolean(model.alone); // in a file of its own there is nothing to follow
  follow.addEventListener("click", () => {
    model.set("follow", !model.get("follow"));
    save(model, lost);
  });
  now.addEventListener("click", () => {
    follow.focus({ preventScroll: true });
    model.set("asked", model.get("asked") + 1);
    save(model, lost);
  });
  keepKeys(root);
  root.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(event.target);
    const to = at < 0 ? null : moved(event, at, buttons.length);
    if (to !== null) buttons[to].focus();
    else if (event.key === "Escape" && chosen !== null) open(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const heard = [
    ["change:shown", draw], ["change:behind", tell], ["change:follow", tell],
  ];
  for (const [name, hear] of heard) model.on(name, hear);
  const unwatch = whenGone(model, lost);
  draw();
  tell();
  const sizes = new ResizeObserver(stops);
  sizes.observe(root);
  return () => {
    sizes.disconnect();
    unwatch();
    for (const [name, hear] of heard) model.off(name, hear);
    root.remove();
  };
}

export default { render };
