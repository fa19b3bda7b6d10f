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
  const send = () => {
    if (form.elements.code.value && form.elements.event.value) form.submit();
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
    if (event.event === "CANCEL" || event.event === "ERROR") said.textContent = said.dataset.left;
    send();
  });
  window.fbAsyncInit = () => {
    window.FB.init({ appId: form.dataset.app, version: form.dataset.version });
    button.disabled = false;
  };
  button.addEventListener("click", () => {
    said.textContent = "";
    form.elements.code.value = form.elements.event.value = "";
    window.FB.login(
      (answer) => {
        const code = answer && answer.authResponse && answer.authResponse.code;
        if (!code) said.textContent = said.dataset.left;
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
