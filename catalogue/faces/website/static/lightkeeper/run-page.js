// The page of a run: its neighbours by key, and live parts that leave alone what somebody is at.
// All works without it.
(() => {
  "use strict";

  const typing = (element) => element.closest?.("input, select, textarea, [contenteditable]");

  // ---- [ and ] lead to the run before and the run after
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const rel = { "[": "prev", "]": "next" }[event.key];
    if (!rel) return;
    event.preventDefault();
    const link = document.querySelector(`.beside a[rel="${rel}"]`);
    if (link) {
      link.click();
      return;
    }
    const line = document.getElementById("beside-says");
    line.textContent = "";
    line.textContent = rel === "prev" ? "This is the first run." : "This is the last run.";
  });

  // ---- who comes from a filtered table goes on among the runs that it showed
  const keepFilter = () => {
    const here = new URL(location.href);
    const table = here.pathname.replace(/\/\d+\/?$/, "");
    let from;
    try {
      from = new URL(document.referrer);
    } catch {
      return;
    }
    if (here.searchParams.has("within") || from.origin !== here.origin) return;
    if (from.pathname.replace(/\/$/, "") !== table) return;
    const asked = from.searchParams;
    ["seen", "until", "page", "after"].forEach((name) => asked.delete(name));
    const within = [...asked].filter(([, value]) => value);
    if (!within.length) return;
    here.searchParams.set("within", new URLSearchParams(within).toString());
    location.replace(here);
  };
  keepFilter();

  // ---- a live part is not swapped while the focus is in it or something of it is being read
  document.addEventListener("htmx:beforeRequest", (event) => {
    const part = event.target;
    const polled = (part.getAttribute?.("hx-trigger") || "").startsWith("every");
    if (polled && event.detail.elt === part && part.contains(document.activeElement)) {
      event.preventDefault();
    }
  });
  let open = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    open = [...(event.detail.target?.querySelectorAll?.("details[open][id]") || [])].map((d) => d.id);
  });
  document.addEventListener("htmx:afterSettle", () => {
    open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    open = [];
  });
})();
