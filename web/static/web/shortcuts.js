/* Single keys for what the pages of the desk can do, listed on "?". They can be switched off, for who speaks to a computer
 * or strikes keys by accident; nothing of them works while somebody types. */
(() => {
  "use strict";
  const list = document.getElementById("shortcuts"), open = document.querySelector("[data-shortcuts]");
  if (!list) return;
  const KEPT = "shortcuts";
  const isOn = () => localStorage.getItem(KEPT) !== "off";
  open.hidden = false;
  open.addEventListener("click", show);

  /* The list is there only while it is open, so that nothing on the page is said twice. */
  function show() {
    list.replaceChildren(document.getElementById("shortcuts-content").content.cloneNode(true));
    const choice = document.getElementById("shortcuts-on");
    choice.checked = isOn();
    choice.addEventListener("change", () => localStorage.setItem(KEPT, choice.checked ? "on" : "off"));
    list.showModal();
  }
  list.addEventListener("close", () => list.replaceChildren());

  function use(element) {
    if (element.matches("summary")) {
      const part = element.parentElement;
      part.open = !part.open;
      (part.open && part.querySelector("input:not([type=hidden]), select, textarea, a, button") || element).focus();
    } else if (element.matches("input, textarea, select")) element.focus();
    else element.click();
  }

  function step(by) {
    const links = [...document.querySelectorAll(".threads__link")];
    const next = links.indexOf(document.activeElement) + by;
    links[Math.min(Math.max(next, 0), links.length - 1)]?.focus();
  }

  document.addEventListener("keydown", (event) => {
    const busy = event.target.closest("input, textarea, select, [contenteditable], dialog");
    if (busy || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !isOn()) return;
    if (event.key === "?") show();
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "q") [...document.querySelectorAll(".message--theirs .message__answer")].at(-1)?.click();
    else {
      const named = [...document.querySelectorAll(`[data-key="${CSS.escape(event.key)}"]`)];
      const element = named.find((each) => each.checkVisibility());
      if (!element) return;
      use(element);
    }
    event.preventDefault();
  });
})();
