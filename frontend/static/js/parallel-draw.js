// Parallel coordinates on a canvas: no library, no WebGL, so that 5,000 lines are there at once everywhere.
import { token } from "./plotting.js";

const VIRIDIS = [[68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [109, 205, 89], [180, 222, 44], [253, 231, 37]];
const SHADES = 32, TOP = 44, BOTTOM = 34, SIDE = 64, NONE = 14; // NONE: below the axis, for what has no value there

export function viridis(part) {
  const at = Math.min(0.9999, Math.max(0, part)) * (VIRIDIS.length - 1), i = Math.floor(at);
  return `rgb(${VIRIDIS[i].map((low, c) => Math.round(low + (VIRIDIS[i + 1][c] - low) * (at - i))).join(" ")})`;
}

// An axis: where a value stands on it, from 0 (bottom) to 1; null: it has none there.
export function scale(column, logarithmic) {
  if (column.kind === "text") {
    const count = column.texts.length;
    return { ...column, place: (value) => (value === null ? null : count > 1 ? value / (count - 1) : 0.5), ticks: column.texts.map((text, i) => [count > 1 ? i / (count - 1) : 0.5, text]) };
  }
  const numbers = column.values.filter((value) => typeof value === "number" && (!logarithmic || value > 0));
  let low = Infinity, high = -Infinity;
  for (const value of numbers) { if (value < low) low = value; if (value > high) high = value; }
  const to = logarithmic ? Math.log10 : (value) => value, back = logarithmic ? (value) => 10 ** value : (value) => value;
  const first = to(low), span = to(high) - first;
  const place = (value) => (typeof value !== "number" || (logarithmic && value <= 0) ? null : span ? (to(value) - first) / span : 0.5);
  const at = (part) => back(first + part * span);
  const marks = numbers.length ? (span ? [0, 0.25, 0.5, 0.75, 1] : [0.5]) : [];
  return { ...column, low, high, logarithmic, place, at, ticks: marks.map((part) => [part, shown(column.name, at(part))]) };
}

const shown = (name, value) => (name === "start" ? new Date(value).toISOString().slice(0, 16).replace("T", " ") : String(Number(value.toPrecision(4))));

export class Drawing {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  // As wide as its place, or as its axes need: then the place scrolls.
  size(count) {
    const box = this.canvas.parentElement.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
    [this.width, this.height] = [Math.max(box.width, 2 * SIDE + (count - 1) * 84), box.height];
    this.canvas.style.width = `${this.width}px`;
    // On a dark ground the darkest colours are left out.
    this.darkest = /^#[0-3]/.test(token("--bg")) ? 0.25 : 0;
    [this.canvas.width, this.canvas.height] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  x(i, count) { return count < 2 ? this.width / 2 : SIDE + (i * (this.width - 2 * SIDE)) / (count - 1); }
  y(part) { return part === null ? this.height - NONE : TOP + (1 - part) * (this.height - TOP - BOTTOM); }
  part(y) { return 1 - (y - TOP) / (this.height - TOP - BOTTOM); }
  onTitle(y) { return y < TOP - 8; }
  axisAt(x, count) {
    const near = Array.from({ length: count }, (_, i) => Math.abs(this.x(i, count) - x));
    const best = near.indexOf(Math.min(...near));
    return near[best] < 24 ? best : -1;
  }

  // axes: of scale(). passing: one flag per run. shades: 0 to 1 per run, or null. brushes: [low, high] parts by axis.
  draw(axes, passing, shades, brushes) {
    const { context } = this, count = passing.length;
    context.clearRect(0, 0, this.width, this.height);
    const xs = axes.map((_, i) => this.x(i, axes.length));
    const ys = axes.map((axis) => Float32Array.from(axis.values, (value) => this.y(axis.place(value))));
    const batches = new Map();
    for (let run = 0; run < count; run++) {
      const batch = !passing[run] ? -1 : shades?.[run] === null || !shades ? -2 : Math.min(SHADES - 1, Math.floor(shades[run] * SHADES));
      if (batches.has(batch)) batches.get(batch).push(run); else batches.set(batch, [run]);
    }
    const alpha = Math.max(0.15, Math.min(0.9, 20 / Math.sqrt(count + 1)));
    context.lineWidth = count > 1000 ? 1 : 1.5;
    for (const batch of [...batches.keys()].sort((a, b) => (a === -1 ? -1 : b === -1 ? 1 : a - b))) {
      context.strokeStyle = batch === -1 ? token("--muted") : batch === -2 ? token("--muted") : viridis(this.darkest + ((1 - this.darkest) * (batch + 0.5)) / SHADES);
      context.globalAlpha = batch === -1 ? Math.min(0.18, alpha) : alpha;
      // Short paths: the cost of stroking one grows faster than its length.
      for (let from = 0, runs = batches.get(batch); from < runs.length; from += 50) {
        context.beginPath();
        for (const run of runs.slice(from, from + 50)) {
          context.moveTo(xs[0], ys[0][run]);
          if (axes.length === 1) context.lineTo(xs[0] + 20, ys[0][run]);
          for (let i = 1; i < axes.length; i++) context.lineTo(xs[i], ys[i][run]);
        }
        context.stroke();
      }
    }
    context.globalAlpha = 1;
    axes.forEach((axis, i) => this.axis(axis, xs[i], i, axes.length, brushes.get(axis.name)));
  }

  axis(axis, x, i, count, brush) {
    const { context } = this, room = count > 1 ? this.x(1, count) - this.x(0, count) - 12 : this.width;
    context.strokeStyle = token("--fg");
    context.lineWidth = 1;
    context.strokeRect(x, this.y(1), 0, this.y(0) - this.y(1));
    for (const [low, high] of brush ?? []) {
      context.fillStyle = token("--accent");
      context.globalAlpha = 0.3;
      context.fillRect(x - 8, this.y(high) - 2, 16, this.y(low) - this.y(high) + 4);
      context.globalAlpha = 1;
    }
    context.lineJoin = "round";
    context.textBaseline = "middle";
    context.font = "600 12px system-ui, sans-serif";
    context.textAlign = i === 0 ? "left" : i === count - 1 && count > 1 ? "right" : "center";
    const edge = i === 0 ? x - SIDE + 6 : i === count - 1 && count > 1 ? x + SIDE - 6 : x;
    this.words(axis.name.replace(/^\w+\./, ""), edge, 14, room);
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "left";
    const step = Math.ceil((axis.ticks.length * 14) / (this.height - TOP - BOTTOM));
    axis.ticks.forEach(([part, text], n) => { if (n % step === 0) this.words(text, x + 5, this.y(part), Math.min(room, i === count - 1 && count > 1 ? SIDE - 8 : room)); });
    if (axis.values.some((value) => axis.place(value) === null)) this.words("none", x + 5, this.height - NONE, room);
  }

  // With a halo, so that they can be read over dense lines.
  words(text, x, y, room) {
    const { context } = this;
    let fitting = text;
    while (fitting.length > 1 && context.measureText(fitting).width > room) fitting = `${fitting.slice(0, -2)}…`;
    context.lineWidth = 4;
    context.strokeStyle = token("--bg");
    context.strokeText(fitting, x, y);
    context.fillStyle = token("--fg");
    context.fillText(fitting, x, y);
  }
}
