// A curve drawn when it comes into view; the values come from the figure's data-url. Curves of a comparison
// ([data-curves]) follow the state of the page; a curve alone has none.
import { isBand, layout, legend, reduced, traces } from "./curve.js";
import { CONFIG, drawn, exported, fillTable, json, load, whenSeen } from "./plotting.js";
import { state } from "./state.js";

const shared = (figure) => Boolean(figure.closest("[data-curves]"));
const NONE = new URLSearchParams();
const REFETCHED = ["axis", "group", "q"];

function address(figure, now) {
  const url = new URL(figure.dataset.url, location.href);
  for (const name of REFETCHED) if (now.get(name)) url.searchParams.set(name, now.get(name));
  if (now.get("from") && now.get("to")) for (const name of ["from", "to"]) url.searchParams.set(name, now.get(name));
  return url;
}

async function ask(url) {
  const found = await json(url);
  return { axis: found.axis, curves: (found.curves ?? [found]).filter((curve) => curve.x.length), several: Boolean(found.curves) };
}

const when = (curve, x) => (curve.axis === "wall" ? new Date(x).toISOString() : x);

function table(found, label) {
  const several = found.several, bands = found.curves.some(isBand);
  const heads = [...(several ? [bands ? "Group" : "Run"] : []), found.axis === "step" ? "Step" : found.axis === "time" || found.axis === "wall" ? "Time" : found.axis, label, ...(bands ? ["Mean − std", "Mean + std", "Runs"] : ["Least", "Greatest"])];
  const rows = found.curves.flatMap((curve) => curve.x.map((x, i) => [...(several ? [curve.name] : []), when(curve, x), curve.y[i], curve.low[i], curve.high[i], ...(bands ? [curve.runs[i]] : [])]));
  return [heads, rows];
}

// The colours of groups; those of runs stand in the tables.
function groups(figure, bands) {
  const list = figure.querySelector("[data-chart-groups]");
  if (!list) return;
  list.hidden = !bands.length;
  list.replaceChildren(...bands.map((band) => {
    const item = document.createElement("li");
    item.append(Object.assign(document.createElement("span"), { className: `swatch hue-${band.hue}` }), ` ${band.name} (${band.members.length})`);
    return item;
  }));
}

// All curves at the place of the pointer, the greatest first.
function hover(figure, plot, current) {
  const box = figure.querySelector("[data-chart-hover]");
  if (!box) return;
  plot.on("plotly_hover", ({ points: [point] }) => {
    const { curves } = current(), x = curves[0]?.axis === "wall" ? Date.parse(`${String(point.x).replace(" ", "T")}Z`) : point.x;
    const rows = curves.map((curve) => {
      const i = curve.x.reduce((best, one, at) => (Math.abs(one - x) < Math.abs(curve.x[best] - x) ? at : best), 0);
      return [curve, curve.x[i], curve.y[i]];
    }).sort((a, b) => b[2] - a[2]).slice(0, 12);
    const body = document.createElement("table");
    for (const [curve, at, y] of rows) {
      const line = body.insertRow();
      line.insertCell().append(Object.assign(document.createElement("span"), { className: `swatch hue-${curve.hue}` }));
      for (const text of [curve.name, String(when(curve, at)), Number(y.toPrecision(6))]) line.insertCell().textContent = text;
    }
    box.replaceChildren(body);
    box.hidden = false;
  });
  plot.on("plotly_unhover", () => { box.hidden = true; });
}

// The place on the axis that a zoom shows, as the address counts it; null for the whole.
function shown(change, found, now) {
  if (change["xaxis.autorange"]) return null;
  const ends = [0, 1].map((end) => change[`xaxis.range[${end}]`] ?? change["xaxis.range"]?.[end]);
  if (ends[0] === undefined) return undefined;
  if (found.axis === "wall") return ends.map((x) => (typeof x === "string" ? Date.parse(`${x.replace(" ", "T")}Z`) : Number(x)));
  return now.get("logx") === "1" && now !== NONE ? ends.map((x) => 10 ** x) : ends;
}

// Zooming in asks for the part that is seen, in as many buckets as the whole had; of a comparison, in every chart.
function zoom(figure, plot, current, redraw) {
  plot.on("plotly_relayout", (change) => {
    const now = shared(figure) ? state() : NONE, ends = shown(change, current(), now);
    if (ends === undefined) return;
    if (shared(figure)) figure.dispatchEvent(new CustomEvent("zoomed", { bubbles: true, detail: ends }));
    else if (current().curves.some((curve) => reduced(curve, NONE)) || figure.dataset.zoomed) {
      figure.dataset.zoomed = ends ? "1" : "";
      redraw(new URLSearchParams(ends ? { from: ends[0], to: ends[1] } : {}));
    }
  });
}

async function draw(figure, plot) {
  let now = shared(figure) ? state() : NONE, asked = 0;
  let found = await ask(address(figure, now));
  if (!found.several && found.curves[0]?.points === 1) { figure.hidden = true; return; } // one value is in the table above
  if (!found.curves.length && !shared(figure)) { plot.textContent = "No finite values."; return; }
  const Plotly = await load(figure.dataset.plotly);
  const show = async () => {
    const how = { alone: !found.several, boxed: Boolean(figure.querySelector("[data-chart-hover]")) };
    const data = found.curves.flatMap((curve) => traces(curve, how, now));
    await Plotly.react(plot, data, layout(found, now, how.boxed), CONFIG);
    const points = found.curves.reduce((sum, curve) => sum + curve.points, 0);
    const place = figure.querySelector("[data-chart-legend]");
    if (place) place.textContent = found.curves.length ? legend(found, now) : "no finite values";
    groups(figure, found.curves.filter(isBand));
    const link = figure.querySelector("[data-json]");
    if (link) link.href = address(figure, now);
    fillTable(figure, () => table(found, figure.dataset.label));
    drawn(figure, plot, `Curve of ${figure.dataset.label}, ${points} points; the table below has the values.`);
  };
  // The latest question wins: an answer that comes late changes nothing.
  const redraw = async (given, { fetched = true } = {}) => {
    const mine = ++asked;
    now = given ?? state();
    if (fetched) {
      const answer = await ask(address(figure, now));
      if (mine !== asked) return;
      found = answer;
    }
    await show();
  };
  await show();
  exported(figure, plot, Plotly, figure.dataset.label, { keyed: true });
  hover(figure, plot, () => found);
  zoom(figure, plot, () => found, redraw);
  if (shared(figure)) figure.addEventListener("redraw", ({ detail }) => redraw(null, detail));
  if (shared(figure) && String(now) !== String(state())) redraw(null);
}

export default whenSeen(draw);
