// What goes through the beats by itself or by pointer: the player, and the timeline as a slider.
// Does not model: which beat is shown (stepper.js).

// `ended` says whether there is no further beat, `rewind` goes to the first one, `forward` one step on, `done` is called
// when it has stopped at the end.
function makePlayer({ player, speed }, { ended, rewind, forward, done }) {
  let timer = 0;

  function face(name) {
    icon(player, name);
    player.title = `${name} (Space)`;
    player.setAttribute("aria-label", player.title);
  }

  function stop() {
    clearInterval(timer);
    if (timer) face("play");
    timer = 0;
  }

  function start() {
    if (ended()) rewind();
    timer = setInterval(() => {
      if (ended()) {
        stop();
        done();
      } else forward();
    }, SPEEDS[speed.value][1]);
    face("pause");
  }

  speed.addEventListener("change", () => timer && (stop(), start()));
  return { stop, toggle: () => (timer ? stop() : start()), plays: () => timer !== 0 };
}

// Dragging along the timeline goes to the beat below the pointer; Ctrl and Shift with the wheel zoom and pan. The plain
// wheel scrolls the notebook, as everywhere.
function slide(strip, line, { pause, go }) {
  let pressed = false;
  strip.addEventListener("pointerdown", (event) => {
    pressed = true;
    pause();
    strip.setPointerCapture(event.pointerId);
    go(line.beat(event.clientX));
  });
  strip.addEventListener("pointermove", (event) => pressed && go(line.beat(event.clientX)));
  strip.addEventListener("pointerup", () => (pressed = false));
  strip.addEventListener("pointercancel", () => (pressed = false));
  strip.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    if (event.ctrlKey) line.zoom(event.deltaY < 0 ? 1.25 : 0.8, line.beat(event.clientX));
    else line.pan(Math.sign(event.deltaY || event.deltaX) * 0.1);
  }, { passive: false });
}
