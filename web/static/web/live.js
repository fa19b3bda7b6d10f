/* Keeps what has data-live up to date: listens to the server, and lets htmx fetch the part again when it changed.
 * The connection carries no content. Hidden tabs let go; without a connection the page asks every ten seconds. */
(() => {
  "use strict";
  const POLL = 10000, RETRY = 30000;
  const place = document.querySelector("[data-live]");
  if (!place) return;
  const title = document.title;
  let source = null, polling = 0, retry = 0;

  const version = () => place.querySelector("[data-version]")?.dataset.version ?? "";
  const refresh = () => place.dispatchEvent(new Event("live"));
  const url = () => {
    const address = new URL(place.dataset.live, location.href);
    address.searchParams.set("version", version());
    return address;
  };

  function stop() {
    source?.close();
    source = null;
    clearInterval(polling);
    clearTimeout(retry);
    polling = retry = 0;
  }

  function poll() {
    if (!polling) polling = setInterval(refresh, POLL);
    clearTimeout(retry);
    retry = setTimeout(start, RETRY);
  }

  /* What somebody chose to be alerted by, in this browser: then the page listens on while it is hidden. */
  const KEPT = "alerts";
  const alerts = () => (localStorage.getItem(KEPT) ?? "").split(" ").filter(Boolean);
  for (const box of document.querySelectorAll("[data-alert]")) {
    box.closest("[data-scripted]").hidden = false;
    box.checked = alerts().includes(box.dataset.alert);
    box.addEventListener("change", async () => {
      if (box.checked && box.dataset.alert === "notice" && (await Notification.requestPermission()) !== "granted") {
        box.checked = false;
      }
      const chosen = [...document.querySelectorAll("[data-alert]:checked")].map((each) => each.dataset.alert);
      localStorage.setItem(KEPT, chosen.join(" "));
    });
  }

  function alert() {
    const chosen = alerts();
    if (chosen.includes("notice") && document.hidden) {
      const text = document.querySelector("[data-alert-text]")?.dataset.alertText;
      if (text && Notification.permission === "granted") new Notification(text, { tag: "inbox" });
    }
    if (chosen.includes("sound")) {
      const audio = new AudioContext(), tone = audio.createOscillator(), volume = audio.createGain();
      volume.gain.value = 0.1;
      tone.connect(volume).connect(audio.destination);
      tone.onended = () => audio.close();
      tone.start();
      tone.stop(audio.currentTime + 0.15);
    }
  }

  function start() {
    if ((document.hidden && !alerts().length) || source) return;
    source = new EventSource(url());
    source.addEventListener("open", () => { clearInterval(polling); polling = 0; });
    source.addEventListener("changed", refresh);
    source.addEventListener("presence", () => document.getElementById("presence")?.dispatchEvent(new Event("presence")));
    source.addEventListener("error", () => {
      if (source?.readyState === EventSource.CLOSED) { source = null; poll(); }
    });
  }

  let counted = null;
  function count() {
    const waiting = place.querySelector("[data-count]")?.dataset.count;
    if (counted !== null && Number(waiting) > counted) alert();
    counted = waiting === undefined ? null : Number(waiting);
    document.title = waiting && waiting !== "0" ? `(${waiting}) ${title}` : title;
  }

  document.addEventListener("visibilitychange", () => (document.hidden && !alerts().length ? stop() : start()));
  window.addEventListener("pagehide", stop);
  window.addEventListener("pagehide", () => {
    const form = document.getElementById("presence");
    if (!form) return;
    const body = new FormData(form);
    body.append("doing", "gone");
    navigator.sendBeacon(form.action, body);
  });
  window.addEventListener("pageshow", start);
  document.body.addEventListener("htmx:responseError", (event) => {
    // Signed out meanwhile: the page says so by itself. Not while somebody writes, whose words would be lost.
    if (document.getElementById("text")?.value.trim()) return;
    if (event.detail.xhr.status === 401 && event.target === place) location.reload();
  });
  let last = "";
  document.body.addEventListener("htmx:beforeSwap", () => { last = version(); });
  document.body.addEventListener("htmx:afterSwap", () => {
    count();
    const end = document.getElementById("last");
    if (end && version() !== last && nearEnd) end.scrollIntoView({ block: "nearest" });
  });
  let nearEnd = true;
  window.addEventListener("scroll", () => {
    const end = document.getElementById("last");
    nearEnd = !end || end.getBoundingClientRect().top < innerHeight;
  }, { passive: true });
  count();
  start();
})();
