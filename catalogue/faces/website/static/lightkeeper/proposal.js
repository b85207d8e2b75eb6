// The pages of one proposal. Without this all of it works: the tabs are scrolled by hand, and a form
// that wants a person asks who is meant after it was sent.
(() => {
  "use strict";

  // ---- the open tab is in sight, also where not all of them fit
  const open = document.querySelector(".tabs [aria-current]");
  const tabs = open?.closest(".tabs");
  if (tabs) tabs.scrollLeft = open.offsetLeft - (tabs.clientWidth - open.offsetWidth) / 2;

  // ---- who may be meant by what is typed

  let wait = 0;
  let asked = null;
  const list = document.getElementById("people");

  const offer = async (field, address) => {
    asked?.abort();
    asked = new AbortController();
    try {
      const where = `${address}?login=${encodeURIComponent(field.value)}`;
      const answer = await fetch(where, { signal: asked.signal, credentials: "same-origin" });
      if (!answer.ok) return;
      const found = new DOMParser().parseFromString(await answer.text(), "text/html");
      list.replaceChildren(...found.querySelectorAll("option"));
    } catch {
      // another letter was typed, or the connection is lost: the form works without
    }
  };

  if (!list) return;
  for (const form of document.querySelectorAll("form[data-people]")) {
    const field = form.querySelector('input[name$="login"][type="text"]');
    if (!field) continue;
    field.setAttribute("list", "people");
    field.addEventListener("input", () => {
      clearTimeout(wait);
      if (field.value.trim().length < 2) return;
      wait = setTimeout(() => offer(field, form.dataset.people), 200);
    });
  }
})();
