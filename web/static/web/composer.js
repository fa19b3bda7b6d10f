/* Helps whoever writes an answer: keeps it as a draft, puts canned replies and emoji in, takes a file that is dropped,
 * and counts the 24 hours down. Without it the form works all the same. */
(() => {
  "use strict";
  /* Names a colleague in a note, where one would have to write @ and the whole name. */
  const naming = document.querySelector("[data-name-in]");
  if (naming && document.getElementById("named").value) {
    naming.closest("[data-scripted]").hidden = false;
    naming.addEventListener("click", () => {
      const note = document.getElementById(naming.dataset.nameIn), { selectionStart: from, selectionEnd: to } = note;
      const gap = /(^|\s)$/.test(note.value.slice(0, from)) ? "" : " ";
      note.setRangeText(`${gap}@${document.getElementById("named").value} `, from, to, "end");
      note.focus();
    });
  }

  const form = document.getElementById("composer");
  if (!form) return;
  const text = document.getElementById("text"), kept = document.getElementById("kept");
  const PAUSE = 800;
  let timer = 0, saved = text.value, sending = false;

  for (const place of form.querySelectorAll("[data-scripted]")) place.hidden = false;

  async function keep() {
    clearTimeout(timer);
    timer = 0;
    if (sending || text.value === saved) return;
    const now = text.value;
    try {
      if (!(await send(now)) && !((await renew()) && (await send(now)))) throw new Error();
      saved = now;
      kept.textContent = now.trim() ? form.dataset.kept : "";
    } catch {
      kept.textContent = form.dataset.lost;
    }
  }

  async function send(now) {
    const body = new URLSearchParams({ text: now, csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
    const answer = await fetch(form.dataset.draft, { method: "POST", body, keepalive: true, redirect: "manual" });
    return answer.status === 204;
  }

  /* After a sign-in in another tab the forms of this page need its new token; returns whether there is one. */
  async function renew() {
    const answer = await fetch(location.href, { redirect: "manual" });
    if (!answer.ok) return false;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const token = page.querySelector("#composer [name=csrfmiddlewaretoken]")?.value;
    for (const field of document.getElementsByName("csrfmiddlewaretoken")) field.value = token ?? field.value;
    return Boolean(token);
  }

  function put(piece, from = text.selectionStart, to = text.selectionEnd) {
    text.focus();
    text.setRangeText(piece, from, to, "end");
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  text.addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(keep, PAUSE);
    if (event.inputType !== "insertText" || !/\s/.test(event.data ?? "")) return;
    expand(text.selectionStart - 1, text.selectionStart);
  });

  /* Replaces /shortcut before a place by its reply; returns whether there is one. */
  function expand(end, to) {
    const typed = /(^|\s)\/([a-z0-9-]+)$/i.exec(text.value.slice(0, end));
    const found = typed && document.querySelector(`[data-shortcut="${typed[2].toLowerCase()}"]`);
    if (found) put(found.dataset.canned, end - typed[2].length - 1, to);
    return Boolean(found);
  }

  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    else if ((event.key === "Tab" || event.key === "Enter") && !event.shiftKey && expand(text.selectionStart, text.selectionStart)) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const canned = event.target.closest("[data-canned]"), emoji = event.target.closest("[data-insert]");
    if (emoji) put(emoji.dataset.insert);
    if (!canned) return;
    event.preventDefault();
    canned.closest("details")?.removeAttribute("open");
    put(canned.dataset.canned);
  });

  /* Finds a canned reply by words of its title, shortcut or text; Enter takes the first that is left. */
  const words = document.getElementById("canned-words");
  const replies = [...document.querySelectorAll("#canned li")];
  words?.addEventListener("input", () => {
    const wanted = plain(words.value).split(/\s+/);
    for (const each of replies) {
      const said = plain(`${each.textContent} ${each.querySelector("[data-canned]").dataset.canned}`);
      each.hidden = !wanted.every((word) => said.includes(word));
    }
  });
  words?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // else the answer would be sent as it stands
    replies.find((each) => !each.hidden)?.querySelector("[data-canned]").click();
  });
  function plain(said) { return said.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase(); }

  form.addEventListener("submit", (event) => {
    if (sending) { event.preventDefault(); return; }
    sending = true;
    clearTimeout(timer);
    setTimeout(() => { sending = false; }, 10000);
  });
  window.addEventListener("pagehide", keep);
  window.addEventListener("pageshow", () => { sending = false; });

  const file = document.getElementById("file");
  for (const name of ["dragover", "drop"]) {
    form.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      if (name === "drop") { file.files = event.dataTransfer.files; file.focus(); }
    });
  }
  text.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) { event.preventDefault(); file.files = event.clipboardData.files; file.focus(); }
  });

  const hours = document.getElementById("window");
  function count() {
    const ends = document.querySelector("[data-window-ends]")?.dataset.windowEnds;
    if (!ends) return;
    const minutes = Math.floor((new Date(ends) - Date.now()) / 60000);
    if (minutes < 0) { hours.textContent = hours.dataset.over; return; }
    const form = new Intl.NumberFormat(document.documentElement.lang, { minimumIntegerDigits: 2 });
    const left = document.querySelector("[data-window-left]");
    if (!left) return;
    left.classList.toggle("tone-waiting", minutes < 120);
    left.textContent = `${Math.floor(minutes / 60)}:${form.format(minutes % 60)}`;
    left.hidden = false;
  }
  setInterval(count, 15000);
  document.body.addEventListener("htmx:afterSwap", count);
  count();
})();
