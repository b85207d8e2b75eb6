// Without a connection a link would replace this page by the browser's own error, and a form would
// lose what was typed. So both wait: the page stays, says so, and says when the connection is back.
(() => {
  "use strict";

  const line = () => document.getElementById("offline");
  const say = (text) => {
    const place = line();
    if (!place) return;
    const again = document.createElement("button");
    again.type = "button";
    again.className = "link";
    again.textContent = "Try again";
    again.addEventListener("click", () => location.reload());
    place.replaceChildren(`${text} `, again);
    place.hidden = false;
    const dialog = document.querySelector("dialog[open]");
    if (!dialog) return;
    const said = document.createElement("p"); // the line is behind it, out of sight
    said.className = "refusal";
    said.setAttribute("role", "alert");
    said.dataset.trouble = "";
    said.textContent = text;
    dialog.querySelector("[data-trouble]")?.remove();
    dialog.prepend(said);
  };
  const hold = (event, text) => {
    if (navigator.onLine) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    say(text);
    line()?.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || link.origin !== location.origin || link.getAttribute("href").startsWith("#")) return;
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    hold(event, "There is no connection, so that page cannot be fetched. What you see here may be old.");
  }, true);
  document.addEventListener("submit", (event) => {
    hold(event, "There is no connection: nothing was sent, and what you typed is still here. Send it again when the connection is back.");
  }, true);
  window.addEventListener("offline", () =>
    say("The connection is lost. What you see may be old; nothing that was sent before is lost by it."),
  );
  window.addEventListener("online", () => {
    const place = line();
    if (place) place.hidden = true;
  });
})();
