/* Keeps what has data-live up to date: listens to the server, and lets htmx fetch the part again when it changed.
 * The connection carries no content. Hidden tabs let go; without a connection the page says so, asks every ten seconds,
 * and catches up by itself. What somebody asked for in full stays so until the page is loaded again. */
(() => {
  "use strict";
  document.body.addEventListener("htmx:configRequest", (event) => {
    const revealed = document.querySelector("[data-revealed]")?.dataset.revealed;
    if (revealed) event.detail.headers["X-Revealed"] = revealed;
  });

  const POLL = 10000, RETRY = 30000, DOUBT = 3000, GAP = 500;
  const place = document.querySelector("[data-live]");
  if (!place) return;
  let source = null, polling = 0, retry = 0, doubt = 0, isLost = false;

  const version = () => place.querySelector("[data-version]")?.dataset.version ?? "";
  const url = () => {
    const address = new URL(place.dataset.live, location.href);
    address.searchParams.set("version", version());
    return address;
  };
  const tell = (id, event) => document.getElementById(id)?.dispatchEvent(new Event(event));

  /* However much happens, something is done again only after a pause, and once more behind the last time. */
  function sparing(act, pause) {
    let due = 0, last = 0;
    return () => {
      due ||= setTimeout(() => { due = 0; last = Date.now(); act(); }, Math.max(0, last + pause - Date.now()));
    };
  }
  const refresh = sparing(() => place.dispatchEvent(new Event("live")), GAP);
  const look = sparing(() => tell("presence", "presence"), GAP);
  const recount = sparing(() => tell("waiting", "inbox"), 2 * GAP);
  const all = () => { refresh(); look(); recount(); };

  function stop() {
    source?.close();
    source = null;
    clearInterval(polling);
    clearTimeout(retry);
    clearTimeout(doubt);
    polling = retry = doubt = 0;
  }

  function poll() {
    if (!polling) polling = setInterval(all, POLL);
    clearTimeout(retry);
    retry = setTimeout(start, RETRY);
  }

  /* Who chose to be alerted (alerts.js) is listened for while the page is hidden too. */
  const letsGo = () => document.hidden && !localStorage.getItem("alerts");

  function start() {
    if (letsGo() || source) return;
    source = new EventSource(url());
    source.addEventListener("open", () => { clearInterval(polling); clearTimeout(doubt); polling = doubt = 0; });
    // Said at the beginning of each connection: what happened in between was told to nobody.
    source.addEventListener("listening", () => { look(); recount(); if (isLost) refresh(); });
    source.addEventListener("changed", refresh);
    source.addEventListener("presence", look);
    source.addEventListener("inbox", recount);
    source.addEventListener("error", () => {
      if (source?.readyState === EventSource.CLOSED) { source = null; poll(); }
      again();
    });
  }

  /* Asks in a moment: that fails too, or brings the page up to date. */
  function again() {
    doubt ||= setTimeout(() => { doubt = 0; refresh(); }, DOUBT);
  }

  function say(lost) {
    const said = document.getElementById("connection");
    if (lost === isLost || !said) return;
    isLost = lost;
    said.textContent = lost ? said.dataset.lost : "";
    said.classList.toggle("connection--lost", lost);
  }

  window.addEventListener("offline", () => { say(true); stop(); poll(); });
  window.addEventListener("online", () => { stop(); start(); all(); });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.target === place && event.detail.successful) say(false);
  });
  document.body.addEventListener("htmx:sendError", () => { say(true); again(); });
  document.body.addEventListener("htmx:responseError", (event) => {
    if (event.target !== place) return;
    if (event.detail.xhr.status >= 500) { say(true); again(); }
    // Signed out meanwhile: the page says so by itself. Not while somebody writes, whose words would be lost.
    if (document.getElementById("text")?.value.trim()) return;
    if (event.detail.xhr.status === 401) location.reload();
  });

  document.addEventListener("visibilitychange", () => (letsGo() ? stop() : start()));
  window.addEventListener("pagehide", stop);
  window.addEventListener("pagehide", () => {
    const form = document.querySelector("form#presence");
    if (!form || form.dataset.list !== undefined) return;
    const body = new FormData(form);
    body.append("doing", "gone");
    navigator.sendBeacon(form.action, body);
  });
  window.addEventListener("pageshow", start);

  let last = "", nearEnd = true;
  document.body.addEventListener("htmx:beforeSwap", () => { last = version(); });
  document.body.addEventListener("htmx:afterSwap", () => {
    const end = document.getElementById("last");
    if (end && version() !== last && nearEnd) end.scrollIntoView({ block: "nearest" });
  });
  window.addEventListener("scroll", () => {
    const end = document.getElementById("last");
    nearEnd = !end || end.getBoundingClientRect().top < innerHeight;
  }, { passive: true });
  start();
})();
