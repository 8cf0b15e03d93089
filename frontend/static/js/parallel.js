// Parallel coordinates of many runs. Dragging along an axis keeps the runs in that range: the filter of the page says
// so, and with it the address and the table below. The list below the chart does the same by keyboard.
import { Drawing, scale } from "./parallel-draw.js";
import { list } from "./parallel-list.js";
import { addressOf, json } from "./plotting.js";
import { join, split } from "./ranges.js";
import { put, state } from "./state.js";

class Parallel {
  constructor(part) {
    this.part = part;
    this.section = part.closest("[data-source]");
    this.canvas = part.querySelector("[data-parallel-canvas]");
    this.drawing = new Drawing(this.canvas);
    this.sort = "";
    this.asked = 0;
    this.names = part.dataset.columns.split(",").filter(Boolean);
    this.colour = state().get("colour") || part.dataset.colour;
    this.logs = new Set((state().get("logs") ?? "").split(",").filter(Boolean));
    [this.rest, this.ranges] = split(state().get("q") ?? "", this.names);
    this.columns = new Map();
  }

  async read() {
    const wanted = this.names.length ? [...new Set([...this.names, this.colour].filter(Boolean))] : [];
    const url = addressOf(this.section, "values.json", { q: this.rest, columns: wanted.join(",") });
    const mine = ++this.asked, found = await json(`${url}&digits=5`);
    if (mine !== this.asked) return false;
    this.part.querySelector("[data-json]").href = url;
    this.total = found.total;
    this.count = found.runs;
    this.columns = new Map(found.columns.map((column) => [column.name, column]));
    this.names = (this.names.length ? this.names : [...this.columns.keys()]).filter((name) => this.columns.has(name));
    if (!this.columns.has(this.colour)) this.colour = this.names.filter((name) => name.startsWith("metrics.")).at(-1) ?? this.names[0] ?? "";
    return true;
  }

  prepare() {
    this.axes = this.names.map((name) => scale(this.columns.get(name), this.logs.has(name)));
    const colour = this.columns.get(this.colour), tone = colour && scale(colour, this.logs.has(this.colour));
    this.shades = tone ? colour.values.map(tone.place) : null;
  }

  // One flag per run: whether it lies in every range. What has no value lies in none.
  passing() {
    const flags = new Uint8Array(this.count).fill(1);
    for (const axis of this.axes) {
      const range = this.ranges.get(axis.name);
      if (!range) continue;
      const texts = range.texts && new Set(range.texts);
      axis.values.forEach((value, run) => {
        const inside = texts ? value !== null && texts.has(axis.texts?.[value] ?? String(value)) : typeof value === "number" && value >= (range.from ?? -Infinity) && value <= (range.to ?? Infinity);
        if (!inside) flags[run] = 0;
      });
    }
    return flags;
  }

  brushes() {
    return new Map([...this.ranges].flatMap(([name, range]) => {
      const axis = this.axes.find((one) => one.name === name);
      if (!axis) return [];
      if (range.texts) return [[name, range.texts.map((text) => axis.place(axis.texts?.indexOf(text) ?? null)).filter((part) => part !== null && part >= 0).map((part) => [part, part])]];
      const inside = (part) => Math.max(0, Math.min(1, part ?? 0));
      return [[name, [[range.from === undefined ? 0 : inside(axis.place(range.from)), range.to === undefined ? 1 : inside(axis.place(range.to))]]]];
    }));
  }

  draw() {
    if (!this.axes) return;
    const passing = this.passing(), passed = passing.reduce((sum, flag) => sum + flag, 0);
    this.drawing.draw(this.axes, passing, this.shades, this.brushes());
    const all = this.total > this.count ? `the newest ${this.count.toLocaleString("en")} of ${this.total.toLocaleString("en")}` : `${this.count.toLocaleString("en")}`;
    this.part.querySelector("[data-told]").textContent = this.ranges.size ? `${passed.toLocaleString("en")} of ${all} runs` : `${all} runs`;
    this.part.querySelector("[data-parallel-clear]").disabled = !this.ranges.size;
    this.canvas.setAttribute("aria-label", `Parallel coordinates of ${this.count} runs over ${this.names.join(", ")}; the list below has the same ranges.`);
    this.part.dataset.drawn = "1";
  }

  drawSoon() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  // After a range changed: the address, the list and the table follow.
  filtered() {
    put({ q: join(this.rest, this.ranges), columns: this.names.join(","), colour: this.colour });
    this.drawSoon();
    list(this);
    this.rows();
    document.dispatchEvent(new CustomEvent("filtered"));
  }

  setRange(name, range) {
    if (range) this.ranges.set(name, range); else this.ranges.delete(name);
    this.filtered();
  }

  // After axes, their order, scales or the colour changed.
  async reshaped({ fetched = true } = {}) {
    put({ columns: this.names.join(","), colour: this.colour, logs: [...this.logs].join(",") });
    await this.show(fetched);
  }

  async show(fetched = true) {
    if (fetched && !(await this.read())) return;
    this.prepare();
    this.drawing.size(this.axes.length);
    this.draw();
    list(this);
    this.rows();
  }

  async rows() {
    const place = this.part.querySelector("[data-parallel-rows]"), mine = (this.rowsAsked = (this.rowsAsked ?? 0) + 1);
    const answer = await fetch(addressOf(this.section, "rows", { q: join(this.rest, this.ranges), columns: this.names.join(","), sort: this.sort }));
    const text = await answer.text();
    if (mine !== this.rowsAsked || !answer.ok) return;
    const chosen = new Set([...place.querySelectorAll("input[name=run]:checked")].map((box) => box.value));
    place.innerHTML = text;
    for (const box of place.querySelectorAll("input[name=run]")) box.checked = chosen.has(box.value);
  }
}

// A drag along an axis makes a range, a click takes it away; a drag of a title moves the axis.
function pointing(chart) {
  const { canvas, drawing } = chart;
  let from = null;
  const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener("pointerdown", (event) => {
    const [x, y] = at(event), i = chart.axes ? drawing.axisAt(x, chart.axes.length) : -1;
    if (i < 0 || event.pointerType === "touch") return; // a finger scrolls; the list has the ranges
    from = { i, x, y, axis: chart.axes[i], before: chart.ranges.get(chart.axes[i].name) };
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    canvas.classList.toggle("on-axis", Boolean(chart.axes) && drawing.axisAt(x, chart.axes.length) >= 0);
    if (!from || drawing.onTitle(from.y)) return;
    const range = ranged(from.axis, drawing.part(from.y), drawing.part(y));
    if (range) chart.ranges.set(from.axis.name, range); else chart.ranges.delete(from.axis.name);
    chart.drawSoon();
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!from) return;
    const [x, y] = at(event), { i, axis } = from, started = from;
    from = null;
    if (drawing.onTitle(started.y)) {
      const to = drawing.axisAt(x, chart.axes.length);
      if (to >= 0 && to !== i) { chart.names.splice(to, 0, ...chart.names.splice(i, 1)); chart.reshaped({ fetched: false }); }
    } else chart.setRange(axis.name, Math.abs(y - started.y) < 4 ? null : ranged(axis, drawing.part(started.y), drawing.part(y)));
  });
  canvas.addEventListener("pointercancel", () => {
    if (from?.before) chart.ranges.set(from.axis.name, from.before); else if (from) chart.ranges.delete(from.axis.name);
    from = null;
    chart.drawSoon();
  });
}

function ranged(axis, one, other) {
  const low = Math.min(one, other), high = Math.max(one, other);
  if (axis.kind === "text") {
    const texts = axis.texts.filter((_, i) => { const part = axis.place(i); return part >= low - 0.001 && part <= high + 0.001; });
    return texts.length ? { texts } : null;
  }
  if (!Number.isFinite(axis.low)) return null;
  const round = (part) => Number(axis.at(part).toPrecision(5));
  return { ...(low > 0 ? { from: round(low) } : {}), ...(high < 1 ? { to: round(high) } : {}) };
}

export default function enhance(part) {
  const chart = new Parallel(part);
  const say = (error) => { part.querySelector("[data-told]").textContent = `The chart could not be loaded (${error.message}). Reload the page to try again.`; };
  let shown = false;
  const open = () => {
    if (!part.open || shown) return;
    shown = true;
    pointing(chart);
    chart.show().catch(say);
    new ResizeObserver(() => { if (chart.axes) { chart.drawing.size(chart.axes.length); chart.drawSoon(); } }).observe(chart.canvas.parentElement);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (chart.axes) { chart.drawing.size(chart.axes.length); chart.drawSoon(); } });
  };
  part.addEventListener("toggle", open);
  open();
  part.querySelector("[data-parallel-colour]").addEventListener("change", ({ target }) => { chart.colour = target.value; chart.reshaped().catch(say); });
  part.querySelector("[data-parallel-add]").addEventListener("change", ({ target }) => {
    const name = target.value.trim();
    target.value = "";
    if (name && !chart.names.includes(name)) { chart.names.push(name); chart.reshaped().catch(say); }
  });
  part.querySelector("[data-parallel-clear]").addEventListener("click", () => { chart.ranges.clear(); chart.filtered(); });
  part.querySelector("[data-parallel-png]").addEventListener("click", () => chart.canvas.toBlob((blob) => {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: "parallel-coordinates.png" });
    link.click();
    URL.revokeObjectURL(link.href);
  }));
  part.addEventListener("click", ({ target }) => {
    const name = target.closest("[data-sort]")?.dataset.sort;
    if (!name) return;
    chart.sort = chart.sort === `-${name}` ? name : `-${name}`;
    chart.rows();
  });
}
