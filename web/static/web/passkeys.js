/* Shows what needs passkeys where the browser has them, and says so when using one did not work. */
(() => {
  "use strict";
  if (window.PublicKeyCredential) {
    for (const place of document.querySelectorAll("[data-passkey]")) place.hidden = false;
  }
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    for (const place of document.querySelectorAll("[data-passkey-trouble]")) place.hidden = false;
  });
})();
