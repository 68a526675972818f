// A forest: for each row of its figure's table an interval, and beside it what was expected. Percent lie on an axis of ratios, points on an even one.
/* global Plot, d3, said, capital, mark */
const ROW = 46, AXIS = 26, SIDES = 720; // pixels: of a row, of the axis, and from which width on names stand beside their intervals
const PERCENT = [-90, -80, -67, -50, -33, -20, -10, 0, 10, 25, 50, 100, 200, 400, 900];
const TONES = { faster: "better", "fails less": "better", slower: "worse", "fails more": "worse", "used more": "data", "used less": "data" };
const MINUS = "\u2212";

class ForestChart extends HTMLElement {
  connectedCallback() {
    if (this.observer || !window.Plot) return;
    this.rows = this.read();
    this.tabIndex = 0;
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", `${this.getAttribute("label")}: chart. Arrow keys read its rows`);
    this.readout = Object.assign(document.createElement("p"), { className: "readout" });
    this.prepend(this.readout);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this);
    this.addEventListener("pointermove", (event) => this.point(event));
    this.addEventListener("pointerleave", () => this.show(null));
    this.addEventListener("keydown", (event) => this.key(event));
    this.printing = () => this.draw(680);
    window.addEventListener("beforeprint", this.printing);
  }

  disconnectedCallback() {
    this.observer?.disconnect();
    window.removeEventListener("beforeprint", this.printing);
  }

  read() {
    const table = document.getElementById(this.getAttribute("table"));
    const titles = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    const most = Number(this.getAttribute("rows"));
    let before = "";
    return [...table.tBodies[0].rows].slice(0, most).map((row, place) => {
      const data = Object.assign({}, ...[...row.cells].map((cell) => ({ ...cell.dataset })));
      const number = (field) => {
        const value = data[field.replace(/_(.)/g, (_, letter) => letter.toUpperCase())];
        return value === undefined ? null : Number(value);
      };
      const first = data.change !== before;
      before = data.change;
      return {
        place, first, name: row.cells[0].querySelector("a").textContent, compared: said(row.cells[1]), verdict: data.verdict,
        value: number("came"), low: number("at_least"), high: number("at_most"), expected: number("expected"),
        told: number("came") === null ? data.verdict : said(row.cells[3]),
        tone: TONES[data.verdict] ?? "edge", text: [...row.cells].map((cell, at) => (at ? `${titles[at]}: ${said(cell)}` : capital(said(cell)))),
      };
    });
  }

  // Where a number lies: percent as ratios, so that a half and twice as much are equally far from nothing.
  at(value) {
    return this.getAttribute("unit") === "points" ? value : Math.min(Math.max(1 + value / 100, 0.1), 10);
  }

  axis(width) {
    const points = this.getAttribute("unit") === "points";
    const values = this.rows.flatMap((row) => [row.low, row.high, row.value, row.expected]).filter((value) => value !== null).map((value) => this.at(value));
    const least = points ? -5 : 0.8, most = points ? 5 : 1.25;
    const low = Math.min(least, ...values), high = Math.max(most, ...values), edge = points ? (high - low) / 20 : 1.06;
    const domain = points ? [low - edge, high + edge] : [low / edge, high * edge];
    const place = points ? (tick) => (tick - domain[0]) / (domain[1] - domain[0]) : (tick) => Math.log(this.at(tick) / domain[0]) / Math.log(domain[1] / domain[0]);
    const all = (points ? d3.ticks(domain[0], domain[1], 6) : PERCENT).filter((tick) => place(tick) >= 0 && place(tick) <= 1);
    const kept = [0];
    for (const tick of [50, -50, 100, -20, 25, -10, 10, ...all])
      if (all.includes(tick) && kept.every((other) => Math.abs(place(other) - place(tick)) * width >= 52)) kept.push(tick);
    return { type: points ? "linear" : "log", domain, ticks: kept.map((tick) => ({ at: this.at(tick), text: this.tick(tick) })) };
  }

  tick(value) {
    const signed = value > 0 ? `+${value}` : value < 0 ? MINUS + -value : "0";
    return this.getAttribute("unit") === "points" || !value ? signed : `${signed}\u202f%`;
  }

  draw(width = this.clientWidth) {
    if (!width || (this.drawn === width && this.plot)) return;
    this.drawn = width;
    const beside = width >= SIDES; // names stand left of their intervals; else above them
    const left = beside ? Math.min(320, width * 0.3) : 10, right = beside ? 170 : 10;
    const scale = this.axis(width - left - right);
    const rows = this.rows.map((row) => ({ ...row, y: (row.place + 0.5) * ROW, mark: (row.place + (beside ? 0.5 : 0.82)) * ROW }));
    const told = rows.filter((row) => row.value !== null), firsts = rows.filter((row) => row.first), others = rows.filter((row) => !row.first);
    const colour = (row) => `var(--${row.tone})`;
    const halo = { stroke: "var(--surface)", strokeWidth: 4 }; // no line runs through a word
    const name = { y: "y", text: "name", dy: beside ? -9 : -15, fill: "var(--ink)", fontWeight: 600, room: beside ? left - 12 : width - 20 };
    const compared = { y: "y", text: "compared", fill: "var(--muted)", room: beside ? left - 12 : width - 160 };
    const text = (data, { room, ...how }) =>
      Plot.text(data, { ...how, frameAnchor: "left", textAnchor: "start", dx: beside ? 4 - left : -6, fontSize: 13, lineWidth: Math.max(room, 80) / 13, textOverflow: "ellipsis", ...halo });
    const made = Plot.plot({
      className: "plot", width, height: AXIS + ROW * rows.length + 8, marginLeft: left, marginRight: right, marginTop: AXIS, marginBottom: 8,
      x: { type: scale.type, domain: scale.domain, axis: null, clamp: true },
      y: { type: "linear", domain: [0, ROW * rows.length], range: [AXIS, AXIS + ROW * rows.length], axis: null },
      marks: [
        Plot.ruleX(scale.ticks, { x: "at", stroke: "var(--grid)" }),
        Plot.ruleY(firsts.slice(1), { y: (row) => row.place * ROW, stroke: "var(--line)", insetLeft: 4 - left, insetRight: 4 - right }),
        Plot.ruleX([this.at(0)], { stroke: "var(--edge)" }),
        Plot.text(scale.ticks, { x: "at", text: "text", frameAnchor: "top", dy: -12, fill: "var(--muted)", fontSize: 12 }),
        text(firsts, name),
        text(firsts, { ...compared, dy: beside ? 9 : 0 }),
        text(others, { ...compared, dy: 0 }),
        Plot.text(rows, { y: "y", text: "told", frameAnchor: "right", textAnchor: "end", dx: beside ? right - 4 : 6, dy: 0, fontSize: 13, fill: "var(--ink)", ...halo }),
        Plot.link(told, { x1: (row) => this.at(row.low), x2: (row) => this.at(row.high), y1: "mark", y2: "mark", stroke: colour, strokeWidth: 2, strokeLinecap: "round" }),
        Plot.dot(rows.filter((row) => row.expected !== null), {
          x: (row) => this.at(row.expected), y: "mark", symbol: "diamond", r: 5, stroke: "var(--mark)", strokeWidth: 1.5, fill: "var(--surface)", className: "expected",
        }),
        Plot.dot(told, { x: (row) => this.at(row.value), y: "mark", r: 5, stroke: colour, strokeWidth: 2, fill: (row) => (row.tone === "edge" ? "var(--surface)" : colour(row)), className: "came" }),
      ],
    });
    made.querySelectorAll("style").forEach((style) => style.remove()); // the policy lets no style in but the stylesheet's
    made.querySelectorAll("[aria-label]").forEach((mark) => mark.removeAttribute("aria-label"));
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", this.getAttribute("label"));
    this.querySelector(".reserve")?.remove();
    this.plot?.remove();
    this.plot = made;
    this.append(made);
    this.show(this.shown ?? null);
  }

  point(event) {
    const box = this.plot?.getBoundingClientRect();
    if (!box) return;
    const place = Math.floor((((event.clientY - box.top) * this.drawn) / box.width - AXIS) / ROW);
    this.show(this.rows[place] ? place : null);
  }

  key(event) {
    const last = this.rows.length - 1, at = this.shown ?? -1;
    const to = { ArrowUp: at - 1, ArrowLeft: at - 1, ArrowDown: at + 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") this.show(null);
    if (to === undefined) return;
    event.preventDefault();
    this.readout.setAttribute("aria-live", "polite");
    this.show(Math.min(Math.max(to, 0), last));
  }

  // What a row says; the newest one with a number where none is pointed at.
  show(place) {
    this.shown = place;
    this.readout.textContent = this.rows[place ?? this.rows.findIndex((row) => row.value !== null)].text.join(" \u00b7 ");
    this.plot?.querySelector(".highlight")?.remove();
    if (place === null) return;
    this.plot.prepend(mark("rect", { class: "highlight", x: 0, width: this.drawn, y: AXIS + place * ROW, height: ROW }));
  }
}

customElements.define("forest-chart", ForestChart);
