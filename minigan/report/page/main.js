// What the head says, and the reloading of the page while the run goes on.

by_id("title").textContent = data.title;
by_id("subtitle").textContent = data.subtitle;
restore();
addEventListener("pagehide", save);

// The page cannot ask for news from the disk, so it loads itself again, unless the reader is busy.
if (data.live) {
  const quiet = 5000, patience = 20 * data.reload_seconds;
  const age = () => Date.now() / 1000 - data.written;
  let on = true, next = Date.now() + 1000 * data.reload_seconds;
  by_id("live").hidden = false;
  on_live();
  by_id("live-toggle").addEventListener("click", () => { on = !on; on_live(); });
  setInterval(() => {
    if (!on || document.hidden || Date.now() < next || Date.now() - last_touch < quiet) return;
    if (age() > patience) {
      on = false;
      on_live();
      by_id("live-words").textContent = "There was nothing new for a while: the run may have stopped.";
      return;
    }
    save();
    location.reload();
  }, 1000);
  function on_live() {
    by_id("live-words").textContent = on
      ? "The run goes on. This page looks for news by itself and stays where you are."
      : "The run goes on. This page waits.";
    by_id("live-toggle").textContent = on ? "Wait" : "Follow the run";
  }
}
document.documentElement.dataset.ready = "yes";
