// Charts are drawn from the table of their figure: the cells carry the values, and the texts that the readout shows. No other data comes here.
/* global Plot, d3 */
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;
const NICE = [SECOND, 10 * SECOND, MINUTE, 10 * MINUTE, HOUR];
const DECADES = [1, 10, 100, SECOND, 10 * SECOND, MINUTE, 10 * MINUTE, HOUR, 10 * HOUR, 100 * HOUR];
const LADDER = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 18000, 36000, 72000, 180000, 360000,
].map((value, place) => (place < 9 ? value : value * SECOND));
const THIN = "\u202f";

function durationText(ms) {
  if (ms < SECOND) return `${ms}${THIN}ms`;
  if (ms < MINUTE) return `${ms / SECOND}${THIN}s`;
  if (ms < HOUR) return `${ms / MINUTE}${THIN}min`;
  return `${ms / HOUR}${THIN}h`;
}

// Ticks that people say, snapped outwards, and so many that they do not touch.
function durationTicks(low, high, height) {
  const all = high / low > 400 ? DECADES : LADDER;
  const from = all.findLast((tick) => tick <= low) ?? all[0];
  const to = all.find((tick) => tick >= high) ?? all.at(-1);
  let ticks = all.filter((tick) => tick >= from && tick <= to);
  const y = (tick) => height * (Math.log(tick / from) / Math.log(to / from || 2));
  const kept = ticks.filter((tick) => NICE.includes(tick));
  for (const tick of ticks) if (!kept.includes(tick) && kept.every((other) => Math.abs(y(other) - y(tick)) >= 22)) kept.push(tick);
  ticks = kept.sort((one, other) => one - other);
  return { domain: [from, to], ticks };
}

function linearTicks(most, unit) {
  const size = unit === "minutes" ? (most >= 120 ? 60 : 1) : 1;
  const ticks = d3.ticks(0, (most || 1) / size, 5).map((tick) => tick * size);
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : most || 1;
  let end = Math.ceil((most || 1) / step - 1e-9) * step;
  if (end - ticks.at(-1) > step / 2) ticks.push(end);
  else end = ticks.at(-1);
  const text = {
    minutes: (value) => (value === 0 ? "0" : size === 60 ? `${value / 60}${THIN}h` : `${value}${THIN}min`),
    times: (value) => `${value}\u00d7`,
    share: (value) => `${Math.round(value * 100)}${THIN}%`,
    count: (value) => String(value),
  }[unit];
  return { domain: [0, end], ticks, text };
}

class TrendChart extends HTMLElement {
  connectedCallback() {
    if (this.observer || !window.Plot) return;
    this.rows = this.read();
    if (!this.rows.length) return;
    this.tabIndex = 0;
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", `${this.getAttribute("label")}: chart. Arrow keys read its values`);
    this.readout = Object.assign(document.createElement("p"), { className: "readout" });
    this.append(this.readout);
    this.show(this.rows.length - 1);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this);
    this.addEventListener("pointermove", (event) => this.point(event));
    this.addEventListener("pointerleave", () => this.show(this.rows.length - 1, true));
    this.addEventListener("keydown", (event) => this.key(event));
    this.printing = () => this.draw(680);
    window.addEventListener("beforeprint", this.printing);
  }

  disconnectedCallback() {
    this.observer?.disconnect();
    window.removeEventListener("beforeprint", this.printing);
  }

  // The rows of the figure's table, in the order of time.
  read() {
    const table = document.getElementById(this.getAttribute("table"));
    const wanted = ["x", "y", "low", "high", "second"].map((one) => [one, this.getAttribute(one)]);
    const titles = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    const rows = [...table.tBodies[0].rows].map((row) => {
      const data = Object.assign({}, ...[...row.cells].map((cell) => ({ ...cell.dataset })));
      const found = { text: [...row.cells].map((cell, place) => (place ? `${titles[place]}: ${said(cell)}` : capital(said(cell)))) };
      for (const [one, field] of wanted) {
        const value = field ? data[field.replaceAll("_", "-").replace(/-(.)/g, (_, letter) => letter.toUpperCase())] : undefined;
        found[one] = value === undefined ? null : one === "x" ? new Date(`${value}T00:00:00Z`) : Number(value);
      }
      return found;
    });
    return rows.sort((one, other) => one.x - other.x);
  }

  draw(width = this.clientWidth) {
    if (!width || (this.drawn === width && this.plot)) return;
    this.drawn = width;
    const height = 260, unit = this.getAttribute("unit"), log = this.getAttribute("scale") === "log";
    const values = this.rows.flatMap((row) => [row.y, row.second, row.low, row.high]).filter((value) => value !== null && (!log || value > 0));
    const scale = log ? { ...durationTicks(Math.min(...values), Math.max(...values), height - 50), text: durationText } : linearTicks(Math.max(...values), unit);
    const last = this.rows.findLast((row) => row.y !== null), lastSecond = this.rows.findLast((row) => row.second !== null);
    const narrow = width < 420;
    const ends = [];
    if (last) ends.push({ x: last.x, y: last.y, text: this.getAttribute("name") });
    if (lastSecond) ends.push({ x: lastSecond.x, y: lastSecond.second, text: this.getAttribute("second-name") });
    const months = d3.utcTicks(this.rows[0].x, this.rows.at(-1).x, narrow ? 3 : 7);
    const banded = this.getAttribute("low") ? this.rows.map((row) => ({ ...row, y1: row.high === null ? NaN : Math.max(row.low, scale.domain[0]), y2: row.high ?? NaN })) : [];
    const across = (width - 56 - 62) / (this.rows.at(-1).x - this.rows[0].x || 1);
    const dated = this.dated(20 / across);
    this.top = dated.length ? 30 : 14;
    const made = Plot.plot({
      className: "plot", width, height, marginLeft: 56, marginRight: 62, marginTop: this.top, marginBottom: 26,
      x: { type: "utc", domain: [this.rows[0].x, this.rows.at(-1).x], axis: null },
      y: { type: log ? "log" : "linear", domain: scale.domain, axis: null },
      marks: [
        Plot.gridY(scale.ticks, { stroke: "var(--grid)", strokeOpacity: 1 }),
        Plot.axisY(scale.ticks, { text: scale.ticks.map(scale.text), tickSize: 0, fill: "var(--muted)", fontSize: 12, label: null }),
        Plot.axisX(months, { text: months.map(monthText), tickSize: 4, stroke: "var(--edge)", fill: "var(--muted)", fontSize: 12, label: null }),
        Plot.areaY(banded, { x: "x", y1: "y1", y2: "y2", fill: "var(--data)", fillOpacity: 0.15, className: "band" }),
        this.getAttribute("second") ? Plot.lineY(this.rows, { x: "x", y: (row) => row.second ?? NaN, stroke: "var(--data)", strokeWidth: 1.25, strokeDasharray: "5 3" }) : null,
        Plot.lineY(this.rows, { x: "x", y: (row) => row.y ?? NaN, stroke: "var(--data)", strokeWidth: 2.5 }),
        Plot.dot(this.rows.filter((row) => row.y !== null), { x: "x", y: "y", fill: "var(--data)", r: this.rows.length > 30 ? 1.8 : 2.6 }),
        Plot.ruleX(dated, { x: "x", stroke: "var(--mark)", strokeWidth: 1.25, strokeDasharray: "3 3" }),
        Plot.dot(dated, { x: "x", frameAnchor: "top", dy: -14, r: 9, stroke: "var(--mark)", strokeWidth: 1.5, fill: "var(--surface)" }),
        Plot.text(dated, { x: "x", frameAnchor: "top", lineAnchor: "middle", dy: -14, text: "text", fill: "var(--mark)", fontSize: 11 }),
        Plot.text(ends, { x: "x", y: "y", text: "text", dx: 8, textAnchor: "start", fill: "var(--ink)", fontSize: 12 }),
      ],
    });
    made.querySelectorAll("style").forEach((style) => style.remove()); // the policy lets no style in but the stylesheet's
    made.querySelectorAll("[aria-label]").forEach((mark) => mark.removeAttribute("aria-label"));
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", this.getAttribute("label"));
    this.scaleX = made.scale("x");
    this.scaleY = made.scale("y");
    this.plot?.remove();
    this.plot = made;
    this.append(made);
    this.cursor = null;
  }

  // What is listed below the chart with a day, in the order of time; what would touch is one mark.
  dated(apart) {
    const marks = [];
    for (const item of this.closest("section").querySelectorAll(".marks li")) {
      const x = Math.min(Math.max(new Date(`${item.dataset.day}T00:00:00Z`), this.rows[0].x), this.rows.at(-1).x);
      const number = item.querySelector(".mark").textContent;
      const before = marks.at(-1);
      if (before && x - before.x < apart) before.numbers.push(number);
      else marks.push({ x, numbers: [number] });
    }
    return marks.map(({ x, numbers }) => ({ x: new Date(x), text: numbers.length > 1 ? `${numbers[0]}\u2013${numbers.at(-1)}` : numbers[0] }));
  }

  point(event) {
    const box = this.plot?.getBoundingClientRect();
    if (!box) return;
    const x = this.scaleX.invert(((event.clientX - box.left) * this.drawn) / box.width);
    this.show(d3.leastIndex(this.rows, (row) => Math.abs(row.x - x)));
  }

  key(event) {
    const last = this.rows.length - 1;
    const to = { ArrowLeft: this.at - 1, ArrowRight: this.at + 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") this.show(this.rows.length - 1, true);
    if (to === undefined) return;
    event.preventDefault();
    this.readout.setAttribute("aria-live", "polite");
    this.show(Math.min(Math.max(to, 0), last));
  }

  show(at, quietly = !this.plot) {
    this.at = at;
    const row = this.rows[at];
    this.readout.textContent = row.text.join(" · ");
    this.cursor?.forEach((mark) => mark.remove());
    this.cursor = null;
    if (quietly) return;
    const x = this.scaleX.apply(row.x);
    const line = mark("line", { class: "cursor", x1: x, x2: x, y1: this.top, y2: 234 });
    this.cursor = [line];
    if (row.y !== null) this.cursor.push(mark("circle", { class: "cursor-dot", cx: x, cy: this.scaleY.apply(row.y), r: 5 }));
    this.plot.append(...this.cursor);
  }
}

function said(cell) {
  return [...cell.querySelectorAll("span, a, small")].map((part) => part.textContent).join(" ");
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function monthText(date) {
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const day = date.getUTCDate() === 1 ? "" : `${date.getUTCDate()} `;
  return `${day}${months[date.getUTCMonth()]}${day || date.getUTCMonth() ? "" : ` ${date.getUTCFullYear()}`}`;
}

function mark(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

customElements.define("trend-chart", TrendChart);
