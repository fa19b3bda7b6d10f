"""The window of Embedded Signup, for development: a script that stands in for Facebook's SDK, and the page it opens.

The script has `FB.init` and `FB.login` with Meta's arguments. The page plays the customer: it asks the control door for
a signup, and tells the page that opened it what Meta's window tells, by `postMessage`, and the code to the script.
"""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

SDK = """(() => {
  "use strict";
  const own = new URL(document.currentScript.src).origin;
  let waiting = null;
  window.addEventListener("message", (message) => {
    if (message.origin !== own || !message.data || message.data.from !== "sandbox" || !waiting) return;
    const { answer, given } = { answer: waiting, given: message.data.code };
    waiting = null;
    answer(given ? { authResponse: { code: given }, status: "connected" } : { authResponse: null, status: "unknown" });
  });
  window.FB = {
    init() {},
    login(answer, options) {
      if (!options || options.response_type !== "code" || !options.override_default_response_type) {
        throw new Error("Embedded Signup needs response_type code");
      }
      waiting = answer;
      window.open(`${own}/_sandbox/signup-window?opener=${encodeURIComponent(location.origin)}`, "signup", "popup");
    },
  };
  if (window.fbAsyncInit) window.fbAsyncInit();
})();
"""
WINDOW = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Sandbox: Embedded Signup</title></head><body>
<h1>Embedded Signup</h1><p>The sandbox plays Meta's window.</p>
<form id="form">
<p><label>Account <input name="waba_id" required></label></p>
<p><label>Name <input name="name"></label></p>
<p><label>Number's id <input name="phone_number_id"></label></p>
<p><label>Number <input name="display_phone_number"></label></p>
<p><label><input type="checkbox" name="in_business_app" value="yes"> Also in the Business app on a phone</label></p>
<p><button>Finish</button> <button type="button" id="cancel">Cancel</button>
<button type="button" id="fail">Fail</button></p><p id="said" role="status"></p></form>
<script>
(() => {
  "use strict";
  const opener = new URLSearchParams(location.search).get("opener");
  const tell = (event, code) => {
    window.opener.postMessage(JSON.stringify(event), opener);
    window.opener.postMessage({ from: "sandbox", code }, opener);
    window.close();
  };
  document.getElementById("cancel").addEventListener("click", () =>
    tell({ type: "WA_EMBEDDED_SIGNUP", event: "CANCEL", data: { current_step: "PHONE_NUMBER_SETUP" } }, null));
  document.getElementById("fail").addEventListener("click", () =>
    tell({ type: "WA_EMBEDDED_SIGNUP", event: "ERROR", data: { error_message: "Something went wrong.",
      error_code: "524126", session_id: "sandbox-session-1", timestamp: "1772359200" } }, null));
  document.getElementById("form").addEventListener("submit", async (submitted) => {
    submitted.preventDefault();
    const given = Object.fromEntries([...new FormData(submitted.target)].filter(([, value]) => value));
    const answer = await fetch("/_sandbox/signups", { method: "POST", body: JSON.stringify(given) });
    const said = await answer.json();
    if (answer.ok) tell(said.message, said.code);
    else document.getElementById("said").textContent = JSON.stringify(said);
  });
})();
</script></body></html>
"""


def routes() -> list[Route]:
    """List the doors."""
    return [
        Route("/{language}/sdk.js", _sdk, methods=["GET"]),
        Route("/_sandbox/signup-window", _window, methods=["GET"]),
    ]


async def _sdk(request: Request) -> Response:
    return Response(SDK, media_type="text/javascript")


async def _window(request: Request) -> Response:
    return HTMLResponse(WINDOW)
