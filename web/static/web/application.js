/* Hands over the secret that stands behind the # of a link, and takes it out of the address at once. */
(() => {
  "use strict";
  const secret = window.location.hash.slice(1);
  if (!secret) return;
  history.replaceState(null, "", window.location.pathname);
  document.getElementById("secret").value = secret;
  document.getElementById("door").submit();
})();
