// Times as the reader's own clock shows them, where it differs from the facility's: the server writes
// the facility's, and without this script they stay so. The facility's time is in the tooltip, comes
// with a click or tap on a time, and for all times with the switch beside the colours.
(() => {
  "use strict";

  const root = document.body;
  const theirs = root.dataset.zone;
  const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const kept = "zoneKept" in root.dataset;
  if (!theirs || !mine) return;

  const clocks = new Map();
  const clock = (zone) => {
    if (!clocks.has(zone)) {
      clocks.set(zone, new Intl.DateTimeFormat("en-GB", {
        timeZone: zone, day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
      }));
    }
    return clocks.get(zone);
  };
  const name = new Intl.DateTimeFormat("en-US", { timeZone: mine, timeZoneName: "short" });
  const parts = (form, moment) => Object.fromEntries(form.formatToParts(moment).map((p) => [p.type, p.value]));
  const differs = (moment) => clock(mine).format(moment) !== clock(theirs).format(moment);

  const said = {
    when: (t, zone) => `${t.day} ${t.month} ${t.year}, ${t.hour}:${t.minute} ${zone}`,
    brief: (t, zone, today) => {
      const day = `${t.day} ${t.month.slice(0, 3)}`;
      if (t.year !== today.year) return `${day} ${t.year}`;
      const time = `${t.hour}:${t.minute} ${zone}`;
      return t.day === today.day && t.month === today.month ? time : `${day} ${time}`;
    },
  };

  const rewrite = (within) => {
    const today = parts(clock(mine), new Date());
    for (const time of within.querySelectorAll("time[data-form]:not([title])")) {
      const moment = new Date(time.dateTime);
      const form = said[time.dataset.form];
      if (!form || Number.isNaN(moment.getTime()) || !differs(moment)) continue;
      time.dataset.facility = `${time.textContent} (${theirs})`;
      time.dataset.mine = form(parts(clock(mine), moment), parts(name, moment).timeZoneName, today);
      time.title = `At the facility: ${time.dataset.facility}`;
      time.textContent = time.dataset.mine;
    }
  };

  const begin = () => {
    if (mine === theirs) return;
    const switcher = document.getElementById("zone-choice");
    const line = document.getElementById("zone-line");
    if (!differs(new Date())) return;
    if (switcher) switcher.hidden = false;
    if (line) {
      line.textContent = kept
        ? `Times are the facility’s (${theirs}), as you chose; your own clock is ${mine}.`
        : `Times are yours (${mine}). Sentences that foretell something name the facility’s (${theirs}). A click on a time shows the facility’s.`;
      line.hidden = false;
    }
    if (kept) return;
    rewrite(document);
    document.addEventListener("htmx:load", (event) => rewrite(event.detail?.elt ?? event.target));
    document.addEventListener("click", (event) => {
      const time = event.target.closest?.("time[data-facility]");
      if (!time || time.closest("a, button, summary, label")) return;
      const facility = time.textContent === time.dataset.mine;
      time.textContent = facility ? time.dataset.facility : time.dataset.mine;
    });
  };
  begin();
})();
