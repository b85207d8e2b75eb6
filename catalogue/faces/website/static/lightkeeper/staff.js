// What the pages of staff do beyond plain HTML: a form is sent once, fields say that they are wrong
// to those who do not see it, and a box picks all jobs of the page.
(() => {
  "use strict";

  // ---- a form that makes something is not sent twice by a double click
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches?.("[data-once]")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
  });
  // Back from the page that followed, the form may be sent again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    }
  });

  // ---- what the check of a form says at a field
  const tellField = (field) => {
    const said = field.querySelector(".error");
    const input = field.querySelector("input, select, textarea");
    if (!said || !input) return;
    if (said.textContent.trim()) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  document.addEventListener("htmx:afterSettle", () => {
    for (const field of document.querySelectorAll("[data-field]")) tellField(field);
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    const field = event.detail.target?.closest?.("[data-field]");
    if (field) tellField(field);
  });

  // ---- a summary of what is wrong takes the focus, so that it is read first
  document.querySelector('main [role="alert"][tabindex="-1"]')?.focus();

  // ---- a page that looks again by itself does not take away what somebody is about to send
  document.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    if (target?.id !== "job") return;
    const typed = [...target.querySelectorAll("input[name=reason]")].some((i) => i.value);
    if (typed || target.contains(document.activeElement)) event.detail.shouldSwap = false;
  });

  // ---- one box for all of the page, and how many are picked
  const boxes = () => [...document.querySelectorAll('input[type="checkbox"][name="job"]')];
  const all = document.getElementById("pick-all");
  const count = document.getElementById("picked");
  const tellPicked = () => {
    const picked = boxes().filter((box) => box.checked).length;
    if (count) count.textContent = picked === 1 ? "1 picked" : `${picked} picked`;
    if (all) {
      all.checked = picked > 0 && picked === boxes().length;
      all.indeterminate = picked > 0 && picked < boxes().length;
    }
  };
  if (all) {
    all.closest("[hidden]")?.removeAttribute("hidden");
    all.addEventListener("change", () => {
      for (const box of boxes()) box.checked = all.checked;
      tellPicked();
    });
    document.addEventListener("change", (event) => {
      if (event.target.name === "job") tellPicked();
    });
    tellPicked();
  }
})();
