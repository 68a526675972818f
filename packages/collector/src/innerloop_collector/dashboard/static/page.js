// What a page does beyond links and forms: everything here is an addition, nothing needs it.
const go = { o: "", t: "/targets", c: "/changes", a: "/alerts", d: "/privacy" };
let before = ""; // the key before, for `g` and another one

document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form.go");
  if (form) form.requestSubmit();
});

// Find as you type: rows of the tables that can be searched, by what their name holds.
document.addEventListener("input", (event) => {
  if (event.target.id !== "f-q") return;
  event.stopPropagation();
  const wanted = event.target.value.trim().toLowerCase();
  let shown = 0;
  for (const row of document.querySelectorAll("table[data-searched] tbody tr")) {
    row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
    shown += row.hidden ? 0 : 1;
  }
  say(wanted ? `${shown} found` : "", false);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.("input, select, textarea")) return;
  const key = event.key;
  const project = location.pathname.match(/^\/p\/[^/]+/)?.[0];
  if (key === "/") {
    const search = document.getElementById("f-q");
    if (search) search.focus();
    else if (project) location.href = `${project}/targets`;
    else return;
    event.preventDefault();
  } else if (key === "?") {
    const keys = document.getElementById("keys");
    if (!keys) return;
    keys.open = true;
    keys.querySelector("summary").focus();
    event.preventDefault();
  } else if (before === "g" && key === "p") {
    location.href = "/projects";
  } else if (before === "g" && key in go && project) {
    location.href = project + go[key];
  }
  before = key;
});

// Nothing is swapped where the network is cut: then the page is as it was, and says so.
document.addEventListener("htmx:error", () => say("The collector did not answer, so the page shows what it showed before. Try again.", true));
document.addEventListener("htmx:before:request", () => say("", false));

function say(text, wrong) {
  const status = document.getElementById("status");
  status.textContent = text;
  status.classList.toggle("trouble", wrong);
}

// Moments in the zone of whoever looks; weeks and days are the collector's and stay as they are.
function inThisZone() {
  for (const one of document.querySelectorAll("time[datetime]"))
    one.textContent = new Date(one.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
inThisZone();

// What came since the last visit, from what this browser remembers; nothing of it is sent.
function sinceLastVisit() {
  const newest = document.querySelector("[data-newest]");
  if (newest) remember(`newest of ${newest.dataset.project}`, newest.dataset.newest, () => (newest.textContent = newest.dataset.text));
  const told = [...document.querySelectorAll(".worth [data-told]")];
  const last = told.map((one) => one.dataset.told).sort().at(-1);
  if (last) remember(`told of ${told[0].closest("[data-project]").dataset.project}`, last, (seen) => told.filter((one) => one.dataset.told > seen).forEach(markNew));
}

// What was seen before is told once, and what is there now is seen.
function remember(key, now, tell) {
  try {
    const seen = localStorage.getItem(key);
    if (seen && seen !== now) tell(seen);
    localStorage.setItem(key, now);
  } catch {
    // a browser that keeps nothing
  }
}

function markNew(item) {
  item.prepend(Object.assign(document.createElement("span"), { className: "new", textContent: "New since your last visit " }));
}
sinceLastVisit();
