// The run table: live, by keyboard, with dialogs. All that it does are forms and links of the page,
// which work without it; it sends them by itself and puts the rows that come back in their places.
(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const table = byId("table");
  const body = byId("run-rows");
  const live = byId("live");
  if (!table || !body || !live) return;
  const says = byId("says");
  const sheet = byId("sheet");
  const rows = () => [...body.rows];
  const rowOf = (element) => element?.closest?.("#run-rows > tr") || null;

  // ---- rows that come from the server
  const waiting = new Map(); // new rows that would move what somebody looks at, by id

  const keyOf = (element) =>
    [element.tagName, ...["name", "value", "data-dialog", "href"].map((a) => element.getAttribute(a))].join("|").replace(/\.\d+/, "");
  const like = (row, key) => [...row.querySelectorAll("a, button, input, summary")].find((e) => keyOf(e) === key);
  // Whoever writes times as the reader's clock shows them is told what came.
  const arrived = (element) => element.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true, detail: { elt: element } }));

  const replaced = (old, row) => {
    const focused = old.contains(document.activeElement) ? keyOf(document.activeElement) : null;
    const box = old.querySelector("input[name=run]");
    row.querySelector("input[name=run]").checked = box.checked;
    old.querySelectorAll("details").forEach((d, n) => {
      const same = row.querySelectorAll("details")[n];
      if (same) same.open = d.open;
    });
    row.toggleAttribute("data-picked", box.checked);
    old.replaceWith(row);
    arrived(row);
    if (focused === null) return;
    (like(row, focused) || row.querySelector("a.number")).focus({ preventScroll: true });
  };

  const busy = () =>
    window.scrollY > 200 || body.matches(":hover") || body.contains(document.activeElement) || sheet.open;

  const announce = () => {
    const link = byId("fresh");
    link.hidden = !waiting.size;
    if (waiting.size) link.textContent = `${waiting.size} new run${waiting.size === 1 ? "" : "s"} – show`;
  };

  const showWaiting = () => {
    const fresh = [...waiting.values()].sort((a, b) => b.dataset.run - a.dataset.run);
    waiting.clear();
    body.prepend(...fresh);
    fresh.forEach(arrived);
    byId("no-runs")?.remove();
    announce();
  };

  const place = (fragment) => {
    const came = fragment.querySelector("[data-rows] > tr:not([data-gone])");
    if (came && rows()[0] && came.cells.length !== rows()[0].cells.length) {
      gaveUp = "the columns are others by now: load the page again";
      return;
    }
    for (const row of [...fragment.querySelectorAll("[data-rows] > tr")]) {
      const old = byId(row.id);
      if ("gone" in row.dataset) {
        old?.remove();
        waiting.delete(row.id);
      } else if (old) replaced(old, row);
      else if ("new" in row.dataset || waiting.has(row.id)) waiting.set(row.id, row);
    }
    const switches = fragment.querySelector("#switches");
    if (switches) byId("switches").replaceWith(switches);
    if (waiting.size && !busy()) showWaiting();
    announce();
    counted();
  };

  byId("fresh").addEventListener("click", (event) => {
    event.preventDefault();
    showWaiting();
    window.scrollTo({ top: 0 });
    rows()[0]?.querySelector("a.number").focus({ preventScroll: true });
  });
  setInterval(() => waiting.size && !busy() && showWaiting(), 500);

  // ---- live: ask what happened, every second and a half; more rarely while nobody answers
  const EVERY = 1500, AT_MOST = 30000, STALE = 8000;
  let cursor = live.dataset.cursor, seenAt = Date.now(), pause = EVERY, timer = 0, asking = false, gaveUp = "";

  const clock = (when) => new Date(when).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const tell = (text, stale) => {
    live.dataset.stale = stale;
    if (live.textContent !== text) live.textContent = text;
  };
  const age = () => {
    const passed = Date.now() - seenAt;
    if (gaveUp) tell(gaveUp, "yes");
    else if (passed < STALE) tell(`live · ${Math.floor(passed / 1000)} s ago`, "no");
    else tell(`not updated since ${clock(seenAt)}`, "yes");
  };
  setInterval(age, 1000);
  age();

  const shown = () => {
    const numbers = [...rows(), ...waiting.values()].map((r) => Number(r.dataset.run)).sort((a, b) => a - b);
    const ranges = [];
    for (const n of numbers) {
      const last = ranges.at(-1);
      if (last && n === last[1] + 1) last[1] = n;
      else ranges.push([n, n]);
    }
    return ranges.map(([a, b]) => (a === b ? `${a}` : `${a}-${b}`)).join(",");
  };

  const ask = async () => {
    clearTimeout(timer);
    if (asking || document.hidden || gaveUp) return;
    asking = true;
    try {
      const query = new URLSearchParams(live.dataset.query);
      query.set("after", cursor);
      query.set("shown", shown());
      if (!("grows" in live.dataset)) query.set("page", "2");
      const answer = await fetch(`${live.dataset.changes}?${query}`, {
        headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(10000),
      });
      if ([403, 404, 409].includes(answer.status)) {
        gaveUp = "no longer live: load the page again";
      } else if (!answer.ok) throw new Error(answer.status);
      else {
        const text = answer.status === 204 ? "" : await answer.text();
        if (text) place(parsed(text));
        cursor = answer.headers.get("X-Cursor") || cursor;
        seenAt = Date.now();
        pause = EVERY;
        lost(false);
      }
    } catch {
      pause = Math.min(pause * 2, AT_MOST);
      lost(true);
    }
    asking = false;
    age();
    timer = setTimeout(ask, pause);
  };
  const parsed = (text) => new DOMParser().parseFromString(text, "text/html");

  const lost = (is) => {
    const line = byId("offline");
    if (is && line.hidden) {
      line.textContent = `The catalogue does not answer. What you see is as of ${clock(seenAt)}; it goes on by itself when it answers again.`;
    }
    line.hidden = !is;
  };

  document.addEventListener("visibilitychange", () => document.hidden || ask());
  window.addEventListener("online", () => { pause = EVERY; ask(); });
  timer = setTimeout(ask, EVERY);

  // ---- what a form brings
  // A mark that was refused stays said, whatever else is, until its run is marked or it is dismissed:
  // whoever marks in a row has gone on to the next run when the answer comes.
  const aboutOf = (line) => (line.getAttribute("action") || "").replace(/\?.*/, "");
  const refusals = () => [...(says?.querySelectorAll("form[data-refused]") || [])];
  const dismiss = () => refusals().forEach((line) => line.remove());
  const tellHere = (html) => {
    if (!says) return;
    const came = [...html.childNodes].map((n) => document.importNode(n, true));
    const news = came.filter((n) => n.matches?.("form[data-refused]"));
    const done = new Set([...html.querySelectorAll("[data-done]")].map((n) => n.dataset.done));
    for (const line of news) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "link dismiss";
      button.textContent = "Dismiss";
      button.addEventListener("click", () => line.remove());
      line.querySelector("p").append(button);
    }
    const over = (line) => done.has(line.dataset.refused) || news.some((n) => aboutOf(n) === aboutOf(line));
    refusals().filter(over).forEach((line) => line.remove());
    [...says.childNodes].filter((n) => !n.matches?.("form[data-refused]")).forEach((n) => n.remove());
    refusals().slice(0, -4).forEach((line) => line.remove());
    says.append(...came);
    arrived(says);
  };
  const tellText = (text) => {
    const line = document.createElement("p");
    line.className = "refusal";
    line.textContent = text;
    if (sheet.open) { // what is behind a dialog nobody sees
      line.setAttribute("role", "alert");
      line.dataset.trouble = "";
      sheet.querySelector("[data-trouble]")?.remove();
      (sheet.querySelector("#sheet-h") || sheet).after(line);
    } else if (says) {
      [...says.childNodes].filter((n) => !n.matches?.("form[data-refused]")).forEach((n) => n.remove());
      says.append(line);
    }
  };

  let sending = false, inFlight = "";
  const later = new Map(); // what was asked for while an answer was awaited, in order
  const afterwards = (name, deed) => name !== inFlight && later.set(name, deed);
  const goOn = () => {
    while (!sending && later.size) {
      const [name, deed] = later.entries().next().value;
      later.delete(name);
      deed();
    }
  };
  const send = async (address, data, name) => {
    sending = true;
    inFlight = name;
    hush();
    try {
      const answer = await fetch(address, {
        method: "POST", body: data, headers: { "HX-Request": "true" },
      });
      const page = parsed(await answer.text());
      const line = page.querySelector("[data-says]");
      if (page.querySelector("#sheet-h") && !line) return open(page);
      if (line) {
        if (sheet.open) sheet.close();
        tellHere(line);
        held = new Set([...page.querySelectorAll("[data-rows] > tr")].map((r) => r.dataset.run));
        place(page);
      } else tellText(page.querySelector("main p")?.textContent || `The catalogue answered ${answer.status}.`);
    } catch {
      const unsent = later.size ? ` ${later.size} more ${later.size === 1 ? "was" : "were"} not sent.` : "";
      later.clear();
      tellText(`The catalogue does not answer. Nothing is known to be changed; try again.${unsent}`);
    } finally {
      sending = false;
      inFlight = "";
      goOn();
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    const ours = form === table || sheet.contains(form) || says?.contains(form);
    if (!ours || form.method === "dialog") return;
    event.preventDefault();
    if (button && "foretell" in button.dataset) return foretell(picked());
    const single = rowOf(button); // of a row the button alone is meant, whatever is selected
    const target = (button?.getAttribute("formaction") || form.getAttribute("action") || "").replace(/\?.*/, "");
    const name = `${target}|${button?.value || ""}`;
    if (sending) { // a double click is one; what was meant for another run is sent when it is its turn
      const id = single?.id, key = single && keyOf(button);
      afterwards(name, () => {
        if (id) byId(id) && like(byId(id), key)?.click();
        else if (button?.isConnected) form.requestSubmit(button);
      });
      return;
    }
    const data = single ? new FormData() : new FormData(form, button);
    if (single) {
      data.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
      if (button.name) data.set(button.name, button.value);
    }
    data.set("next", form.elements.next?.value || table.elements.next.value);
    send(button?.getAttribute("formaction") || form.getAttribute("action"), data, name);
  });

  // ---- dialogs
  let from = null, fromRow = "", asItCame = ""; // of a form that comes back, all was typed
  const typed = () => new URLSearchParams(new FormData(sheet.querySelector("form"))).toString();
  const open = (page, focus) => {
    sheet.replaceChildren(document.importNode(page.querySelector("form:has(#sheet-h)"), true));
    asItCame = sheet.open ? "" : typed();
    if (!sheet.open) {
      from = document.activeElement;
      fromRow = rowOf(from)?.id || "";
      sheet.showModal();
    }
    (sheet.querySelector(focus || "[role=alert], textarea") || sheet).focus();
  };
  const load = async (address, focus) => {
    try {
      const answer = await fetch(address, { headers: { "HX-Request": "true" } });
      const page = parsed(await answer.text());
      if (page.querySelector("#sheet-h")) open(page, focus);
      else tellText(page.querySelector("main p")?.textContent || "That cannot be opened.");
    } catch {
      tellText("The catalogue does not answer; try again.");
    }
  };
  // Esc is near the keys of the table: what was typed goes with the second one only.
  sheet.addEventListener("cancel", (event) => {
    if (typed() === asItCame || sheet.querySelector("[data-unkept]")) return;
    event.preventDefault();
    const line = document.createElement("p");
    line.className = "notice";
    line.dataset.tone = "warning";
    line.dataset.unkept = "";
    line.setAttribute("role", "alert");
    line.textContent = "What you typed is not kept yet. Esc again closes this without it.";
    sheet.querySelector("#sheet-h").after(line);
    line.scrollIntoView({ block: "nearest" });
  });
  sheet.addEventListener("input", () => sheet.querySelector("[data-unkept]")?.remove());
  sheet.addEventListener("close", () => {
    const back = from?.isConnected ? from : byId(fromRow)?.querySelector("a.number");
    back?.focus({ preventScroll: true });
    sheet.replaceChildren();
  });
  document.addEventListener("click", (event) => {
    const element = event.target.closest("a, button");
    if (!element) return;
    if (element.matches("a[data-dialog]") && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      load(element.href);
    } else if (element.matches("[data-close]") && sheet.open) {
      event.preventDefault();
      sheet.close();
    } else if (element.matches("[data-keys]")) byId("keys").showModal();
    else if (element.matches("[data-clear]")) clear();
  });
  document.querySelectorAll("[data-keys]").forEach((button) => { button.hidden = false; });

  // ---- the consequence of each mark, asked of the door for the run one stands on or points at
  // What has just happened to a run stays said until one goes to another.
  let foretelling = 0, told = "", held = new Set();
  const hush = () => {
    clearTimeout(foretelling);
    told = "";
  };
  const foretell = (numbers) => {
    clearTimeout(foretelling);
    if (!says || !numbers.length) return;
    held.clear();
    foretelling = setTimeout(async () => {
      const wanted = numbers.join(",");
      if (wanted === told && says.querySelector(".foretold")) return;
      told = wanted;
      const query = new URLSearchParams(numbers.map((n) => ["run", n]));
      const address = `${table.getAttribute("action")}?${query}`;
      try {
        const answer = await fetch(address, { headers: { "HX-Request": "true" } });
        if (answer.ok && told === wanted) tellHere(parsed(await answer.text()).body);
      } catch { /* the live line says that nobody answers */ }
    }, 120);
  };
  const look = (event) => {
    const row = rowOf(event.target);
    if (!row || sending || held.has(row.dataset.run) || picked().length) return;
    if (event.type === "mouseover" && !event.target.closest(".marks")) return;
    foretell([row.dataset.run]);
  };
  body.addEventListener("mouseover", look);
  body.addEventListener("focusin", look);

  // ---- selection
  let anchor = ""; // the id of a row: the row itself is made anew with each update
  const boxOf = (row) => row.querySelector("input[name=run]");
  const picked = () => rows().filter((r) => boxOf(r)?.checked).map((r) => r.dataset.run);
  const pick = (row, is) => {
    boxOf(row).checked = is;
    row.toggleAttribute("data-picked", is);
  };
  const range = (one, other, is) => {
    const all = rows(), [a, b] = [all.indexOf(one), all.indexOf(other)].sort((x, y) => x - y);
    if (a >= 0) all.slice(a, b + 1).forEach((row) => pick(row, is));
  };
  const counted = () => {
    const numbers = picked(), bar = byId("bar");
    if (!bar) return;
    bar.toggleAttribute("data-on", numbers.length > 0);
    bar.querySelector("[data-clear]").hidden = false;
    byId("selected").textContent = `${numbers.length} run${numbers.length === 1 ? "" : "s"} selected:`;
  };
  const selected = () => {
    counted();
    if (picked().length) foretell(picked());
  };
  const clear = () => {
    rows().forEach((row) => pick(row, false));
    anchor = "";
    counted();
  };
  body.addEventListener("click", (event) => {
    const row = rowOf(event.target);
    if (!event.target.matches("input[name=run]")) return;
    const is = event.target.checked;
    if (event.shiftKey && byId(anchor)) range(byId(anchor), row, is);
    pick(row, is);
    anchor = row.id;
    selected();
  });
  document.documentElement.classList.add("scripted");
  counted();

  // ---- keys
  const go = (step, extend) => {
    const all = rows(), here = all.indexOf(rowOf(document.activeElement));
    const next = all[here < 0 ? 0 : here + step];
    if (!next) return;
    if (extend && here >= 0) {
      const from = all.indexOf(byId(anchor)), to = here + step;
      const back = from >= 0 && boxOf(next).checked && Math.abs(to - from) < Math.abs(here - from);
      pick(all[here], !back);
      pick(next, true);
      if (from < 0) anchor = all[here].id;
      selected();
    }
    next.querySelector("a.number").focus();
    next.scrollIntoView({ block: "nearest" });
  };
  const mark = (place, row) => {
    const many = picked().length ? byId("bar")?.querySelectorAll("[name=quality]") : null;
    (many || row?.querySelectorAll(".marks button"))?.[place]?.click();
  };
  const edit = (row, focus) => {
    const many = byId("bar")?.querySelector("[data-dialog]");
    if (picked().length && many) return many.click();
    const link = row?.querySelector("a[data-dialog]");
    const where = link?.href || (row && `${table.action.replace(/foretold$/, "edit")}?run=${row.dataset.run}`);
    if (where) load(where, focus);
  };
  const toggle = (row, shift) => {
    const is = !boxOf(row).checked;
    if (shift && byId(anchor)) range(byId(anchor), row, true);
    else pick(row, is);
    anchor = row.id;
    selected();
  };
  const undo = (id) => {
    if (sending) return afterwards("undo", () => undo(id));
    (says?.querySelector("[data-undo]") || byId(id)?.querySelector("[data-undo]"))?.click();
  };
  const KEYS = {
    ArrowDown: (row, event) => go(1, event.shiftKey),
    ArrowUp: (row, event) => go(-1, event.shiftKey),
    j: () => go(1), k: () => go(-1), J: () => go(1, true), K: () => go(-1, true),
    1: (row) => mark(0, row), 2: (row) => mark(1, row), 3: (row) => mark(2, row),
    c: (row) => edit(row, "textarea"),
    t: (row) => edit(row, ".causes input"),
    x: (row) => row && toggle(row, false), X: (row) => row && toggle(row, true),
    u: (row) => undo(row?.id),
    "?": () => byId("keys").showModal(),
    Escape: () => { clear(); dismiss(); },
  };
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (at.closest("select, textarea, [contenteditable], input:not([type=checkbox])")) return;
    const row = rowOf(document.activeElement);
    if (event.key.startsWith("Arrow") && !row && at !== document.body) return;
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    KEYS[event.key](row, event);
  });
})();
