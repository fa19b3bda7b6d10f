/* Tells who is at work that a citizen begins to wait. How many wait stands in the title of the page; a message of the
 * browser and a tone come where they were asked for, in this browser. None of them holds a name or a word. */
(() => {
  "use strict";
  const KEPT = "alerts", LAST = "alerted", SEEN = "newest", PAUSE = 3000;
  const title = document.title;
  const chosen = () => (localStorage.getItem(KEPT) ?? "").split(" ").filter(Boolean);
  const isAllowed = () => "Notification" in window && Notification.permission === "granted";
  let many = null, newest = Number(sessionStorage.getItem(SEEN)) || null;

  function count() {
    const found = document.querySelector("[data-count]")?.dataset;
    if (!found) return;
    const now = Number(found.count), latest = Number(found.newest) || 0;
    // More wait, or somebody does since later: one may have been answered in the same moment.
    if ((many !== null && now > many) || (newest !== null && latest > newest)) alert();
    many = now;
    newest = Math.max(newest ?? 0, latest);
    sessionStorage.setItem(SEEN, newest);
    document.title = now ? `(${now}) ${title}` : title;
  }

  /* Of all pages that are open in this browser one tells it. */
  function alert() {
    if (!chosen().length) return;
    const once = () => {
      if (Date.now() - Number(localStorage.getItem(LAST)) < PAUSE) return;
      localStorage.setItem(LAST, Date.now());
      if (chosen().includes("notice") && isAllowed() && (document.hidden || !document.hasFocus())) notice();
      if (chosen().includes("sound")) tone();
    };
    if (navigator.locks) navigator.locks.request(LAST, once);
    else once();
  }

  function notice() {
    try {
      const shown = new Notification(document.querySelector("[data-alert-text]").dataset.alertText, { tag: "inbox" });
      shown.addEventListener("click", () => { window.focus(); shown.close(); });
    } catch { /* a telephone shows them to applications alone; the title and the tone are left */ }
  }

  async function tone() {
    const audio = new AudioContext(), sound = audio.createOscillator(), volume = audio.createGain();
    volume.gain.value = 0.1;
    sound.connect(volume).connect(audio.destination);
    sound.onended = () => audio.close();
    if (audio.state === "suspended") await audio.resume(); // until somebody has touched the page
    sound.start();
    sound.stop(audio.currentTime + 0.15);
  }

  const denied = document.querySelector("[data-alert-denied]");
  for (const box of document.querySelectorAll("[data-alert]")) {
    const isNotice = box.dataset.alert === "notice";
    box.closest("[data-scripted]").hidden = false;
    if (isNotice && !("Notification" in window)) { box.closest("p").hidden = true; continue; }
    box.checked = chosen().includes(box.dataset.alert) && (!isNotice || isAllowed());
    box.addEventListener("change", async () => {
      if (isNotice) {
        if (box.checked && (await Notification.requestPermission()) !== "granted") box.checked = false;
        denied.textContent = Notification.permission === "denied" ? denied.dataset.alertDenied : "";
      } else if (box.checked) tone(); // so that it is known, and that the browser lets it be heard
      const wanted = [...document.querySelectorAll("[data-alert]:checked")].map((each) => each.dataset.alert);
      localStorage.setItem(KEPT, wanted.join(" "));
    });
  }

  document.body.addEventListener("htmx:afterSwap", count);
  document.body.addEventListener("htmx:oobAfterSwap", count);
  count();
})();
