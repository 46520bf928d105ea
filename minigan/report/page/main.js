// What the head says, and the reloading of the page while the run goes on.

by_id("title").textContent = data.title;
by_id("subtitle").textContent = data.subtitle;

// The page cannot ask for news from the disk, so it loads itself again, unless the reader is busy.
if (data.live) {
  const quiet = 5000, patience = 20 * data.reload_seconds;
  const silent = () => Date.now() / 1000 - data.written > patience; // for too long
  let on = true, next = Date.now() + 1000 * data.reload_seconds;
  by_id("live").hidden = false;
  say();
  by_id("live-toggle").addEventListener("click", () => {
    on = !on;
    if (on && silent()) reload();
    say();
  });
  setInterval(() => {
    if (!on || document.hidden || Date.now() < next || Date.now() - last_touch < quiet) return;
    if (silent()) say(); else reload();
  }, 1000);

  function reload() {
    save();
    location.reload();
  }

  function say() {
    if (silent()) on = false;
    by_id("live-words").textContent = silent()
      ? "There was nothing new for a while: the run may have stopped."
      : on ? "The run goes on. This page looks for news by itself and stays where you are."
        : "The run goes on. This page waits.";
    by_id("live-toggle").textContent = silent() ? "Look again" : on ? "Wait" : "Follow the run";
  }

  kept.live = { save: () => ({ on }), restore: (state) => { on = state.on; say(); } };
}
restore(); // after the head has its height
addEventListener("pagehide", save);
document.documentElement.dataset.ready = "yes";
