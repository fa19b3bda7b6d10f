/* Embedded Signup: opens Meta's window, and hands on what it says and its code. Nothing of it is believed here. */
(() => {
  "use strict";
  const form = document.getElementById("signup");
  const button = document.getElementById("signup-open");
  const said = document.getElementById("signup-said");
  const host = new URL(form.dataset.sdk);
  const isMeta = (origin) =>
    host.hostname === "connect.facebook.net"
      ? /^https:\/\/([a-z0-9-]+\.)*facebook\.com$/.test(origin)
      : origin === host.origin;
  let isOver = false; // the window was closed and brought no code: what it told is written down
  const send = () => {
    if (form.elements.event.value && (form.elements.code.value || isOver)) form.submit();
  };
  window.addEventListener("message", (message) => {
    if (!isMeta(message.origin) || typeof message.data !== "string") return;
    let event;
    try {
      event = JSON.parse(message.data);
    } catch {
      return;
    }
    if (!event || event.type !== "WA_EMBEDDED_SIGNUP") return;
    form.elements.event.value = message.data;
    send();
  });
  window.fbAsyncInit = () => {
    window.FB.init({ appId: form.dataset.app, version: form.dataset.version });
    button.disabled = false;
  };
  button.addEventListener("click", () => {
    said.textContent = "";
    isOver = false;
    form.elements.code.value = form.elements.event.value = "";
    window.FB.login(
      (answer) => {
        const code = answer && answer.authResponse && answer.authResponse.code;
        isOver = !code;
        if (isOver) said.textContent = said.dataset.left;
        else form.elements.code.value = code;
        send();
      },
      {
        config_id: form.dataset.config,
        response_type: "code",
        override_default_response_type: true,
        extras: { setup: {} },
      },
    );
  });
  const script = document.createElement("script");
  script.src = form.dataset.sdk;
  script.async = true;
  script.addEventListener("error", () => {
    said.textContent = said.dataset.away;
  });
  document.head.append(script);
})();
