"use strict";
// Draws a run on a canvas: a strip of the whole, an axis, the critical path, a row for each lane. Every text is drawn or set as text.
{
  const run = JSON.parse(document.getElementById("run").textContent);
  const FIELDS = 7, [NAME, PLACE, ROW, START, LENGTH, FLAGS, PARENT] = [0, 1, 2, 3, 4, 5, 6];
  const CRITICAL = 1, FAILED = 2, UNFINISHED = 4, NESTING = 8;
  const count = run.bars.length / FIELDS, whole = Math.max(run.length, 1), shortest = Math.max(whole / 1e6, 1);
  const get = (bar, field) => run.bars[bar * FIELDS + field];
  const is = (bar, flag) => (get(bar, FLAGS) & flag) !== 0;
  const chart = document.getElementById("chart"), canvas = chart.querySelector("canvas"), pen = canvas.getContext("2d");
  const readout = document.getElementById("readout"), find = document.getElementById("find"), found = document.getElementById("found");
  const STRIP = 18, AXIS = 24, PATH = 10, GAP = run.rows > 60 ? 0 : 4, NEST = 12;
  const HIGH = Math.max(3, Math.min(26, Math.floor(1200 / Math.max(run.lanes, 1)) - GAP)), TOP = STRIP + AXIS + PATH + 8;
  const rows = Array.from({ length: run.rows }, () => []), path = [], failures = [];
  for (let bar = 0; bar < count; bar++) {
    if (get(bar, ROW) < run.rows) rows[get(bar, ROW)].push(bar);
    if (is(bar, CRITICAL) && !is(bar, NESTING)) path.push(bar);
    if (is(bar, FAILED)) failures.push(bar);
  }
  const rowTop = (row) => TOP + (row < run.lanes ? row * (HIGH + GAP) : run.lanes * (HIGH + GAP) + 6 + (row - run.lanes) * (NEST + 3));
  const rowHigh = (row) => (row < run.lanes ? HIGH : NEST);
  let from = 0, to = whole, width = 0, chosen = -1, matching = null, colours = {}, asked = 0;

  const duration = (us) => {
    const seconds = us / 1e6, minutes = seconds / 60;
    if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
    if (seconds < 99.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
    return minutes < 600 ? `${minutes.toFixed(1)} min` : `${(minutes / 60).toFixed(1)} h`;
  };
  const at = (moment) => ((moment - from) / (to - from)) * width;

  function readColours() {
    const style = getComputedStyle(document.documentElement), probe = document.createElement("i");
    chart.append(probe);
    for (const name of ["surface", "ink", "muted", "edge", "grid", "data", "on-data", "rest", "on-rest", "worse", "on-worse"]) {
      probe.style.color = `var(--${name})`; // resolves light-dark()
      colours[name] = getComputedStyle(probe).color;
    }
    probe.remove();
    pen.font = `12px ${style.fontFamily || "sans-serif"}`;
  }

  const kind = (bar) => (is(bar, FAILED) ? "worse" : is(bar, CRITICAL) ? "data" : "rest");

  function firstVisible(row) { // targets of one row do not overlap, so their ends are in order, too
    let low = 0, high = row.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (get(row[middle], START) + get(row[middle], LENGTH) < from) low = middle + 1; else high = middle;
    }
    return low;
  }

  function drawRow(row, top, high, labels) {
    let pixel = -1, held = -1;
    for (let place = firstVisible(row); place < row.length; place++) {
      const bar = row[place], start = get(bar, START);
      if (start > to) break;
      const left = Math.max(at(start), -2), right = Math.min(at(start + get(bar, LENGTH)), width + 2), wide = right - left;
      const weight = is(bar, FAILED) ? 2 : is(bar, CRITICAL) ? 1 : 0;
      if (wide < 0.6) {
        if (Math.floor(left) === pixel && weight <= held) continue;
        [pixel, held] = [Math.floor(left), weight];
      }
      drawBar(bar, left, top, Math.max(wide - (wide > 3 ? 1 : 0), 1), high, labels);
    }
  }

  function drawBar(bar, left, top, wide, high, labels) {
    pen.globalAlpha = matching && !matching[get(bar, NAME)] ? 0.18 : 1;
    pen.fillStyle = colours[kind(bar)];
    if (is(bar, NESTING)) pen.fillRect(left, top + high / 2 - 2, wide, 4); else pen.fillRect(left, top, wide, high);
    if (is(bar, FAILED) && wide > 6 && high > 8 && !is(bar, NESTING)) hatch(left, top, wide, high);
    if (bar === chosen) {
      pen.strokeStyle = colours.ink;
      pen.lineWidth = 2;
      pen.strokeRect(left + 1, top + 1, Math.max(wide - 2, 1), high - 2);
    }
    if (labels && wide >= 46 && high >= 16) label(bar, left, top, wide, high);
    pen.globalAlpha = 1;
  }

  function hatch(left, top, wide, high) {
    pen.save();
    pen.beginPath();
    pen.rect(left, top, wide, high);
    pen.clip();
    pen.strokeStyle = colours.surface;
    pen.globalAlpha *= 0.35;
    pen.lineWidth = 2;
    pen.beginPath();
    for (let x = left - high; x < left + wide; x += 8) pen.moveTo(x, top + high), pen.lineTo(x + high, top);
    pen.stroke();
    pen.restore();
  }

  function label(bar, left, top, wide, high) {
    const name = run.names[get(bar, NAME)].replace(/^.*\/(?=.)/, ""), took = duration(get(bar, LENGTH)), room = wide - 10;
    let text = `${name}  ${took}`;
    if (pen.measureText(text).width > room) text = name;
    if (pen.measureText(text).width > room) {
      let kept = Math.max(Math.floor((text.length * room) / pen.measureText(text).width) - 1, 0);
      while (kept > 0 && pen.measureText(`${text.slice(0, kept)}\u2026`).width > room) kept--;
      text = kept > 1 ? `${text.slice(0, kept)}\u2026` : "";
    }
    if (is(bar, FAILED)) {
      pen.fillStyle = colours.worse;
      pen.fillRect(left + 3, top + 4, pen.measureText(text).width + 4, high - 8);
    }
    pen.fillStyle = colours[`on-${kind(bar)}`];
    pen.fillText(text, left + 5, top + high / 2 + 4);
  }

  function ticks() {
    const wanted = Math.max(width / 90, 2), ladder = [1, 2, 5];
    let step = 1;
    for (let power = 1; ; power *= 10) {
      step = ladder.map((one) => one * power).find((one) => (to - from) / one <= wanted);
      if (step) break;
    }
    for (const minutes of [1, 2, 5, 10, 30, 60]) if (step > 5e6 && (to - from) / (minutes * 6e7) <= wanted) { step = minutes * 6e7; break; }
    pen.textBaseline = "alphabetic";
    for (let moment = Math.ceil(from / step) * step; moment <= to; moment += step) {
      const x = at(moment), text = moment === 0 ? "0" : tick(moment, step);
      pen.fillStyle = colours.grid;
      pen.fillRect(x, STRIP + AXIS, 1, canvas.height);
      pen.fillStyle = colours.muted;
      if (x + pen.measureText(text).width + 3 <= width) pen.fillText(text, x + 3, STRIP + 17);
    }
  }

  function tick(moment, step) {
    if (step >= 6e7) return `${Math.round(moment / 6e7)} min`;
    const digits = step >= 1e6 ? 0 : step >= 1e3 ? Math.ceil(-Math.log10(step / 1e6)) : 6;
    return step >= 1e3 ? `${(moment / 1e6).toFixed(digits)} s` : `${(moment / 1e3).toFixed(3)} ms`;
  }

  function strip() {
    const scale = width / whole;
    pen.fillStyle = colours.grid;
    pen.fillRect(0, 0, width, STRIP);
    for (const [bars, least, colour] of [[path, 1, "data"], [failures, 3, "worse"]]) {
      pen.fillStyle = colours[colour];
      let drawn = -1;
      for (const bar of bars) {
        const left = get(bar, START) * scale, right = left + Math.max(get(bar, LENGTH) * scale, least);
        if (right - drawn < 0.5) continue;
        pen.fillRect(Math.max(left, drawn), 4, right - Math.max(left, drawn), STRIP - 8);
        drawn = right;
      }
    }
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 2;
    pen.strokeRect(from * scale + 1, 1, Math.max((to - from) * scale - 2, 2), STRIP - 2);
  }

  function draw() {
    asked = 0;
    const ratio = window.devicePixelRatio || 1, high = rowTop(run.rows) + 4;
    width = chart.clientWidth;
    if (!width) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(high * ratio)) {
      [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(high * ratio)];
      canvas.style.height = `${high}px`;
    }
    readColours();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, high);
    ticks();
    strip();
    drawRow(path, STRIP + AXIS, PATH, false);
    rows.forEach((row, number) => drawRow(row, rowTop(number), rowHigh(number), number < run.lanes));
    chart.dataset.view = `${Math.round(from)}-${Math.round(to)}`;
  }
  const redraw = () => { if (!asked) asked = requestAnimationFrame(draw); };

  function show(start, end) {
    const span = Math.min(Math.max(end - start, shortest), whole);
    from = Math.min(Math.max(start, 0), whole - span);
    to = from + span;
    redraw();
  }
  const zoom = (factor, middle = (from + to) / 2) => show(middle - (middle - from) * factor, middle + (to - middle) * factor);
  const move = (share) => show(from + (to - from) * share, to + (to - from) * share);

  function choose(bar, travel) {
    chosen = bar;
    const start = get(bar, START), length = get(bar, LENGTH), parts = [];
    if (get(bar, PLACE)) parts.push(`in ${run.places[get(bar, PLACE)]}`);
    if (get(bar, PARENT) >= 0) parts.push(`below ${run.names[get(get(bar, PARENT), NAME)]}`);
    parts.push(`started at ${duration(start)}`, is(bar, UNFINISHED) ? "never ended" : `took ${duration(length)}`);
    if (is(bar, CRITICAL)) parts.push("on the critical path");
    if (is(bar, FAILED)) parts.push("failed");
    if (is(bar, NESTING)) parts.push("ran a make");
    readout.textContent = `${run.names[get(bar, NAME)]}: ${parts.join(", ")}.`;
    if (travel) {
      const span = length * 20 < to - from ? Math.max(length * 8, shortest) : Math.max(to - from, length * 1.2);
      if (start < from || start + length > to || span < to - from) show(start + length / 2 - span / 2, start + length / 2 + span / 2);
    }
    redraw();
  }

  function next(bars, back = false) { // in the order of their starts, round and round
    if (!bars.length) return;
    const here = bars.indexOf(chosen), moment = chosen < 0 ? -1 : get(chosen, START);
    let place = back ? here - 1 : here + 1;
    if (here < 0) place = back ? bars.findLastIndex((bar) => get(bar, START) < moment) : bars.findIndex((bar) => get(bar, START) > moment);
    choose(bars.at(place < 0 ? -1 : place % bars.length), true);
  }

  function search() {
    const wanted = find.value.trim().toLowerCase();
    matching = wanted ? run.names.map((name) => name.toLowerCase().includes(wanted)) : null;
    const hits = matches().length;
    found.textContent = wanted ? `${hits} of ${count}` : "";
    redraw();
  }
  function matches() {
    if (!matching) return [];
    return Array.from({ length: count }, (_, bar) => bar).filter((bar) => matching[get(bar, NAME)]);
  }

  const keys = {
    ArrowLeft: () => move(-0.15), ArrowRight: () => move(0.15), "+": () => zoom(0.6), "=": () => zoom(0.6), "-": () => zoom(1 / 0.6),
    0: () => show(0, whole), Home: () => show(0, to - from), End: () => show(whole - (to - from), whole),
    c: () => next(path), C: () => next(path, true), f: () => next(failures), F: () => next(failures, true),
  };
  chart.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
  find.addEventListener("input", search);
  find.addEventListener("keydown", (event) => { if (event.key === "Enter") next(matches(), event.shiftKey); });
  const buttons = { "zoom-in": () => zoom(0.6), "zoom-out": () => zoom(1 / 0.6), whole: () => show(0, whole) };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (buttons[button.id]) buttons[button.id]();
    if (button.dataset.bar) {
      choose(Number(button.dataset.bar), true);
      chart.scrollIntoView({ block: "nearest" });
    }
  });

  const moment = (event) => from + ((event.clientX - canvas.getBoundingClientRect().left) / width) * (to - from);
  let held = null;
  chart.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const top = event.clientY - canvas.getBoundingClientRect().top;
    held = { x: event.clientX, from, to, moved: false, strip: top < STRIP };
    chart.setPointerCapture(event.pointerId);
  });
  chart.addEventListener("pointermove", (event) => {
    if (!held) return;
    const passed = event.clientX - held.x;
    held.moved = held.moved || Math.abs(passed) > 4;
    if (!held.moved) return;
    const share = held.strip ? (passed / width) * whole : (-passed / width) * (held.to - held.from);
    show(held.from + share, held.to + share);
  });
  chart.addEventListener("pointerup", (event) => {
    if (held && !held.moved) click(event, held.strip);
    held = null;
  });
  chart.addEventListener("pointercancel", () => { held = null; });
  function click(event, onStrip) {
    const box = canvas.getBoundingClientRect(), top = event.clientY - box.top, here = moment(event), near = ((to - from) / width) * 3;
    if (onStrip) {
      const middle = ((event.clientX - box.left) / width) * whole;
      show(middle - (to - from) / 2, middle + (to - from) / 2);
      return;
    }
    const onPath = top >= STRIP + AXIS && top < STRIP + AXIS + PATH;
    const row = onPath ? path : rows.find((_, number) => top >= rowTop(number) && top < rowTop(number) + rowHigh(number)) || [];
    const hit = row.find((bar) => get(bar, START) - near <= here && here <= get(bar, START) + get(bar, LENGTH) + near);
    if (hit !== undefined) choose(hit, false);
  }
  chart.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, moment(event));
  }, { passive: false });
  new ResizeObserver(redraw).observe(chart);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", draw);
  document.getElementById("drawing").hidden = false;
  draw();
}
