// Branches of a view: what somebody does at a place makes a new one, which is asked for from the kernel; all that are
// there can be shown without it. All words come with the data. Does not model: what an act does.

const AFTER_PAINT = 250; // milliseconds
const PATIENCE = 4000; // milliseconds until a kernel that says nothing is called silent

// The story of a branch.
export const storyOf = (stories, branch) => stories[clamp(branch, 0, stories.length - 1)];

// A model whose data is the story of the branch that is shown; all else is the model's own.
export function branched(model) {
  const stories = () => [model.get("data"), ...(model.get("others") ?? [])];
  return {
    stories,
    get: (name) => (name === "data" ? storyOf(stories(), model.get("branch") ?? 0) : model.get(name)),
    set: (name, value) => model.set(name, value),
    save_changes: () => model.save_changes(),
    on: (name, hear) => model.on(name, hear),
    off: (name, hear) => model.off(name, hear),
    widget_manager: model.widget_manager,
  };
}

function renderBranches({ model, el }) {
  const proxy = branched(model);
  const data = model.get("form");
  const { words } = data ?? {};
  const holder = make(el, "div", { tabindex: -1, class: "avk-held" });
  keepKeys(holder);
  if (!words) return render({ model: proxy, el: holder });
  const form = buildForm(data);
  const branches = buildBranches(words);
  let [undo, shown, pending, timer, asked, opener] = [null, -1, null, 0, 0, null];

  const root = () => holder.firstElementChild;
  const focused = () => holder.getRootNode().activeElement;

  // Draw the branch that is shown; what stood in the form stays, and so does the focus.
  function draw() {
    const branch = model.get("branch") ?? 0;
    if (branch !== shown) {
      // Focus waits on what is not taken away: a notebook takes the focus of what vanishes to the cell it calls active.
      const had = holder.contains(focused());
      const own = [form.box, branches.bar].some((part) => part.contains(focused())) ? focused() : null;
      if (had) holder.focus({ preventScroll: true });
      undo?.();
      shown = branch;
      undo = render({ model: proxy, el: holder });
      place();
      list();
      if (had) (own ?? root()).focus({ preventScroll: true });
    } else list();
    lead();
  }

  // The button stands in the view's bar, form and branches below it.
  function place() {
    const bar = root().querySelector(".avk-bar");
    opener = button(bar, "what", `${words.button} (${words.key})`, () => toggle(form.box.hidden), words.button);
    bar.querySelector(".avk-count")?.before(opener);
    opener.setAttribute("aria-expanded", String(!form.box.hidden));
    if (model.alone) {
      opener.disabled = true;
      opener.title = words.alone;
    }
    bar.after(form.box, branches.bar);
    const line = make(root().querySelector(".avk-help"), "div");
    make(line, "kbd", {}, words.key);
    line.append(` ${words.button}`);
  }

  function list() {
    const names = model.get("branches") ?? [];
    branches.bar.hidden = names.length < 2;
    if (branches.select.options.length !== names.length) {
      branches.select.replaceChildren();
      names.forEach((branch, i) => make(branches.select, "option", { value: i }, indented(branch)));
    }
    branches.select.value = String(shown);
    branches.note.textContent = names[shown]?.note ?? "";
  }

  const lead = () => { form.lead.textContent = words.at.replace("{beat}", model.get("beat")); };

  function toggle(open) {
    form.box.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
    lead();
    if (open) form.which.focus();
    else root().focus({ preventScroll: true });
  }

  function say(text, trouble) {
    form.said.textContent = text;
    form.said.classList.toggle("avk-trouble", Boolean(trouble));
  }

  // An answer that comes late is taken all the same.
  const silent = () => {
    form.go.disabled = false;
    say(words.silent, true);
  };

  function ask() {
    clearTimeout(timer);
    asked += 1;
    pending = `${forms}-${asked}-${Date.now()}`;
    say(words.asked);
    form.go.disabled = true;
    timer = setTimeout(silent, PATIENCE);
    try {
      model.send(asking(pending, model.get("beat"), form.act(), form.values()));
    } catch {
      clearTimeout(timer);
      silent();
    }
  }

  function answered(content) {
    if (!pending || content?.ask !== pending) return;
    clearTimeout(timer);
    pending = null;
    form.go.disabled = false;
    if (content.problem) {
      say(content.problem, true);
      return;
    }
    say("");
    toggle(false);
    const name = model.get("branches")?.[model.get("branch")]?.name ?? "";
    const at = model.get("beat");
    const announce = () => {
      const live = root()?.querySelector("[aria-live]");
      if (live && model.get("beat") === at) live.textContent = words.done.replace("{name}", name);
    };
    announce();
    setTimeout(announce, AFTER_PAINT); // the new branch is painted meanwhile, and speaks its own sentence
  }

  form.box.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  form.close.addEventListener("click", () => toggle(false));
  branches.select.addEventListener("change", () => {
    const story = storyOf(proxy.stories(), Number(branches.select.value));
    model.set("branch", Number(branches.select.value));
    model.set("beat", clamp(model.get("beat"), story.first, story.last));
    save(model, () => {}); // without a kernel every branch that is there can be shown
  });
  holder.addEventListener("keydown", (event) => {
    if (!isOwn(event)) return;
    const typed = ["INPUT", "SELECT"].includes(event.target.tagName);
    if (event.key === "Escape" && !form.box.hidden) toggle(false);
    else if (event.key === words.key && !typed && !model.alone) toggle(form.box.hidden);
    else return;
    event.preventDefault();
  });
  model.on("change:branch", draw);
  model.on("change:branches", draw);
  model.on("change:beat", lead);
  model.on("msg:custom", answered);
  draw();
  return () => {
    clearTimeout(timer);
    model.off("change:branch", draw);
    model.off("change:branches", draw);
    model.off("change:beat", lead);
    model.off("msg:custom", answered);
    undo?.();
    holder.remove();
  };
}

export default { render: renderBranches };
