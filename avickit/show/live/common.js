// What all live views share: elements, what scrolls, what is said to the kernel and what to do when it has gone.
// All labels are set as text. Does not model: keys (keys.js), what is shown.

const ENDS = ["restarting", "autorestarting", "terminating", "dead"];

function make(parent, tag, attributes = {}, text = "") {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(text);
  parent.append(element);
  return element;
}

// What scrolls can be reached with Tab, so that the arrow keys scroll it; what does not, is no stop on the way.
function reach(elements, label) {
  const over = (e) => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1;
  const found = [...elements].map((e) => [e, e.clientWidth && getComputedStyle(e).overflowX !== "visible" && over(e)]);
  for (const [element, scrolls] of found) {
    const marks = { tabindex: "0", role: "region", "aria-label": label };
    for (const [name, value] of Object.entries(marks)) {
      if (scrolls) element.setAttribute(name, value);
      else element.removeAttribute(name);
    }
  }
}

// Tells the kernel what was set; `gone` is called if there is none any more. What is shown goes on without it.
function save(model, gone) {
  try {
    model.save_changes();
  } catch {
    gone();
  }
}

// Calls `gone` when the kernel restarts or ends; answers with what stops listening. A front end tells its models that
// their line is cut when the kernel restarts; that it has died, only the kernel's status says.
function whenGone(model, gone) {
  const { kernel } = model.widget_manager ?? {};
  const watched = (_, status) => ENDS.includes(status) && gone();
  kernel?.statusChanged?.connect(watched);
  model.on("comm_live_update", gone);
  return () => {
    kernel?.statusChanged?.disconnect(watched);
    model.off("comm_live_update", gone);
  };
}
