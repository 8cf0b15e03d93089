// Scatter with its Pareto front, box plots, importance of parameters: drawn when they are opened, as SVG by plotly.
import { addressOf, axis, colourOf, CONFIG, exported, fillTable, json, load, paper, token } from "./plotting.js";
import { put, state } from "./state.js";

// Viridis. Without plotly's own scale beside the chart: it has inline styles, which the policy refuses.
const COLOURS = [[0, "#440154"], [0.25, "#3b528b"], [0.5, "#21918c"], [0.75, "#5ec962"], [1, "#fde725"]];
const looks = (x, y) => ({ ...paper(), margin: { l: 64, r: 16, t: 8, b: 48 }, showlegend: false, hovermode: "closest", xaxis: { ...axis(), automargin: true, title: { text: x } }, yaxis: { ...axis(), automargin: true, title: { text: y } } });
const values = (found, name) => {
  const column = found.columns.find((one) => one.name === name);
  return column?.kind === "text" ? column.values.map((i) => (i === null ? null : column.texts[i])) : column?.values.map((value) => (typeof value === "number" ? value : null));
};

async function scatter(ask, given) {
  const columns = [given.x, given.y, given.colour, given.size].filter(Boolean);
  const url = ask("values.json", { columns: columns.join(","), ids: "1" });
  const beaten = given.better ? json(ask("pareto.json", { x: given.x, y: given.y, better: given.better })) : null;
  const [found, front] = await Promise.all([json(url), beaten]), [x, y, colour, size] = [given.x, given.y, given.colour, given.size].map((name) => (name ? values(found, name) : null));
  const numeric = found.columns.find((one) => one.name === given.colour)?.kind === "number";
  const tones = numeric ? colour.filter((one) => one !== null) : [];
  const scale = tones.length ? `; ${given.colour} from ${Number(Math.min(...tones).toPrecision(4))} (dark) to ${Number(Math.max(...tones).toPrecision(4))} (bright)` : "";
  const numbers = size?.filter((one) => typeof one === "number") ?? [], least = Math.min(...numbers), most = Math.max(...numbers);
  const marker = {
    size: size ? size.map((one) => (typeof one === "number" && most > least ? 5 + (15 * (one - least)) / (most - least) : 5)) : 7, opacity: 0.75,
    ...(numeric ? { color: colour, colorscale: COLOURS, showscale: false } : { color: found.hues.map((hue) => colourOf(hue)) }),
  };
  const words = found.names.map((name, i) => (colour && !numeric ? `${name}: ${colour[i]}` : name));
  const data = [{ type: "scatter", mode: "markers", x, y, text: words, marker, hoverinfo: "text+x+y" }];
  if (front) data.push({ type: "scatter", mode: "lines+markers", x: front.front.map((one) => one.x), y: front.front.map((one) => one.y), text: front.front.map((one) => one.name), line: { color: token("--accent"), width: 2, shape: "linear" }, marker: { size: 11, symbol: "circle-open", color: token("--accent") }, hoverinfo: "text+x+y" });
  const best = new Set(front?.front.map((one) => one.run_id));
  const rows = found.ids.map((id, i) => [found.names[i], ...columns.map((name) => values(found, name)[i]), ...(front ? [best.has(id) ? "yes" : ""] : [])]);
  return { url, data, layout: looks(given.x, given.y), heads: ["Run", ...columns, ...(front ? ["Pareto front"] : [])], rows, told: `${found.runs} of ${found.total} runs${front ? `; ${front.front.length} on the Pareto front (${given.better.replace(",", " of x, ")} of y)` : ""}${scale}` };
}

async function boxes(ask, given) {
  const url = ask("boxes.json", { metric: given.y, by: given.by }), found = await json(url), all = found.boxes;
  const part = (name) => all.map((box) => box[name]);
  const data = [{ type: "box", x: all.map((box) => `${box.category.slice(0, 24)} (${box.n})`), q1: part("q1"), median: part("median"), q3: part("q3"), lowerfence: part("low"), upperfence: part("high"), mean: part("mean"), boxmean: true, marker: { color: token("--accent") }, line: { color: token("--accent") } }];
  const names = ["category", "n", "least", "low", "q1", "median", "q3", "high", "greatest", "mean"];
  return { url, data, layout: { ...looks(given.by, given.y), xaxis: { ...axis(), type: "category", automargin: true, title: { text: given.by } } }, heads: names, rows: all.map((box) => names.map((name) => box[name])), told: all.length ? `${all.length} categories; whiskers reach the furthest values within 1.5 quartile distances${found.left_out ? `; ${found.left_out} smaller categories are left out` : ""}` : "No run has both." };
}

async function importance(ask, given) {
  const url = ask("importance.json", { metric: given.y }), found = await json(url), params = [...found.params].reverse();
  const hue = (one) => (one.correlation === null ? token("--series-5") : one.correlation < 0 ? token("--series-2") : token("--series-1"));
  const data = [{ type: "bar", orientation: "h", y: params.map((one) => one.param.slice(0, 40)), x: params.map((one) => one.strength), marker: { color: params.map(hue) }, text: params.map((one) => (one.correlation === null ? "η" : one.correlation < 0 ? "ρ −" : "ρ +")), hovertext: params.map((one) => `${one.method}, n = ${one.n}`), hoverinfo: "x+y+text" }];
  const shape = looks("strength of the relation, 0 to 1", "");
  const rows = found.params.map((one) => [one.param, one.strength.toFixed(3), one.correlation?.toFixed(3), one.n, one.method]);
  const told = found.params.length ? `${found.runs} runs have ${given.y}. ρ: Spearman's rank correlation of a param of numbers, + or −; η: correlation ratio of the ranks, for texts. A relation is no cause.` : `No param differs among the ${found.runs} runs with ${given.y} (at least ${found.least} are needed).`;
  return { url, data, layout: { ...shape, xaxis: { ...shape.xaxis, range: [0, 1] }, yaxis: { ...shape.yaxis, type: "category" } }, heads: ["Param", "Strength", "Correlation", "n", "Method"], rows, told };
}

const KINDS = { scatter, boxes, importance };

export default function enhance(part) {
  const section = part.closest("[data-source]"), plot = part.querySelector("[data-chart-plot]"), told = part.querySelector("[data-told]");
  const fields = [...part.querySelectorAll("[data-ask]")];
  let asked = 0;
  const ask = (path, more) => addressOf(section, path, { q: state().get("q"), ...more });
  const show = async () => {
    if (!part.open) return;
    const mine = ++asked, given = Object.fromEntries(fields.map((field) => [field.dataset.ask, field.value.trim()]));
    try {
      const [made, Plotly] = await Promise.all([KINDS[part.dataset.stats](ask, given), load(section.dataset.plotly)]);
      if (mine !== asked) return;
      await Plotly.react(plot, made.data, made.layout, CONFIG);
      told.textContent = made.told;
      part.querySelector("[data-json]").href = made.url;
      fillTable(part, () => [made.heads, made.rows]);
      exported(part, plot, Plotly, part.dataset.stats);
      plot.setAttribute("role", "img");
      plot.setAttribute("aria-label", `${part.querySelector("h2").textContent}; the table below has the values.`);
      part.dataset.drawn = "1";
    } catch (error) {
      if (mine === asked) told.textContent = `The chart could not be drawn (${error.message}). Choose other columns.`;
    }
  };
  part.addEventListener("toggle", show);
  for (const field of fields) field.addEventListener("change", () => {
    put({ [field.dataset.ask]: field.value.trim() });
    for (const other of section.querySelectorAll(`[data-ask="${field.dataset.ask}"]`)) other.value = field.value;
    show();
  });
  document.addEventListener("filtered", show);
  show();
}
