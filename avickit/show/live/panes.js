// The source of a beat, and raw lines of a page. Does not model: when they are shown (stepper.js).

const WIDE = 900; // pixels from which on the source stands open beside the sentence

// Answers with what shows the source of a beat, what scrolls to its line, and what opens and closes it.
function makeSource(holder, data) {
  let [sourced, scroll] = [null, false]; // the source that is shown, and whether its line is to be scrolled to
  let touched = false;

  function show(n) {
    const key = data.sources.spots[n - data.first]?.join();
    if (!data.sources.steps.length || key === sourced) return;
    sourced = key;
    const template = document.createElement("template");
    template.innerHTML = source(data, n);
    const fresh = template.content.firstElementChild;
    const old = holder.firstElementChild;
    if (old) [...fresh.children].forEach((child, i) => old.children[i].replaceChildren(...child.childNodes));
    else {
      holder.append(fresh);
      fit();
      const pre = holder.querySelector("pre"); // it scrolls: the arrow keys are to reach it
      for (const [name, value] of Object.entries({ tabindex: 0, role: "region", "aria-label": "source" })) pre.setAttribute(name, value);
    }
    scroll = true;
  }

  // Open where there is room beside the sentence, until somebody has opened or closed it.
  function fit() {
    const wide = holder.closest(".avk").parentElement.clientWidth;
    if (!touched && holder.firstElementChild) holder.firstElementChild.open = wide >= WIDE || wide === 0;
  }

  // Last of all, when nothing more is written: to ask where something lies makes the browser lay out what there is.
  function settle() {
    if (!scroll || !holder.firstElementChild?.open) return; // a closed one when it is opened
    const [pre, at] = [holder.querySelector("pre"), holder.querySelector("pre mark")];
    if (at && pre.clientHeight) {
      const above = Math.floor(pre.clientHeight / at.offsetHeight / 2); // so many whole lines
      pre.scrollTop = at.offsetTop - pre.offsetTop - above * at.offsetHeight;
    }
    scroll = !pre.clientHeight;
  }

  function toggle() {
    touched = true;
    holder.firstElementChild?.toggleAttribute("open");
  }

  holder.addEventListener("click", (event) => (touched ||= Boolean(event.target.closest("summary"))));
  holder.addEventListener("toggle", settle, true); // it does not bubble
  return { show, settle, fit, toggle };
}

// The raw lines around an offset; `now` answers with the beat that is shown and the one that it is told against.
function makeRaw({ raw, which, offset, trouble, dump }, memory, now) {
  function show() {
    if (raw.hidden) return;
    const at = offsetOf(offset.value);
    trouble.textContent = at === null ? "an offset is 000 to FFF" : "";
    const { n, was } = now();
    if (at !== null) drawDump(dump, memory[Number(which.value)], at, n, was);
  }

  // Opened at what is chosen.
  function open(spot) {
    if (spot && spot.sheet >= 0 && spot.at) [which.value, offset.value] = [String(spot.sheet), spot.at.padStart(3, "0")];
    show();
    offset.focus();
  }

  function move(bytes) {
    const at = offsetOf(offset.value);
    if (at !== null) offset.value = clamp(at + bytes, 0, 4080).toString(16).toUpperCase().padStart(3, "0");
    show();
  }

  offset.addEventListener("input", show);
  which.addEventListener("change", show);
  return { show, open, move };
}
