// What the pages do beyond plain HTML: tell when the connection is lost. All works without it.
(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const quiet = () => {
    const line = byId("offline");
    if (line) line.hidden = true;
  };

  // ---- a connection that is lost, and one that is back
  const warn = (text) => {
    const line = byId("offline");
    if (!line) return;
    line.textContent = text;
    line.hidden = false;
  };
  document.addEventListener("htmx:sendError", () =>
    warn("The catalogue does not answer. What you see may be old; it goes on by itself when it answers again."),
  );
  document.addEventListener("htmx:responseError", (event) =>
    warn(
      event.detail.xhr.status === 403
        ? "That was not accepted: you may have been signed out. Reload the page."
        : `The catalogue answered with an error (${event.detail.xhr.status}). Nothing was changed by it.`,
    ),
  );
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) quiet();
  });
})();
