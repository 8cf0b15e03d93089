// The axes of parallel coordinates as a list of fields: ranges, scales and order by keyboard.
const make = (name, given, ...inside) => { const made = Object.assign(document.createElement(name), given); made.append(...inside); return made; };
const MOST = 30; // categories that are offered one by one

export function list(chart) {
  options(chart);
  const body = chart.part.querySelector("[data-parallel-list]");
  const focused = body.contains(document.activeElement) ? document.activeElement.dataset.field : "";
  body.replaceChildren(...chart.axes.map((axis, i) => {
    const line = make("tr", {}, make("th", { scope: "row", textContent: axis.name }));
    line.insertCell().append(...(axis.kind === "text" ? categories(chart, axis) : ends(chart, axis)));
    line.insertCell().append(...(axis.kind === "number" && axis.values.some((value) => value > 0) ? [logarithmic(chart, axis)] : []));
    line.insertCell().append(...moves(chart, axis, i));
    return line;
  }));
  if (focused) body.querySelector(`[data-field="${CSS.escape(focused)}"]`)?.focus();
}

function options(chart) {
  const choice = chart.part.querySelector("[data-parallel-colour]");
  const names = [...new Set([...chart.columns.keys()])];
  choice.replaceChildren(...names.map((name) => make("option", { value: name, textContent: name, selected: name === chart.colour })));
}

function ends(chart, axis) {
  const range = chart.ranges.get(axis.name) ?? {};
  return [["from", "Least"], ["to", "Greatest"]].map(([end, title]) => {
    const field = make("input", { type: "number", step: "any", value: range[end] ?? "", placeholder: end === "from" ? axis.low : axis.high });
    field.setAttribute("aria-label", `${title} of ${axis.name}`);
    field.dataset.field = `${end} ${axis.name}`;
    field.addEventListener("change", () => {
      const now = { ...chart.ranges.get(axis.name) };
      if (field.value === "") delete now[end]; else now[end] = Number(field.value);
      chart.setRange(axis.name, Object.keys(now).length ? now : null);
    });
    return field;
  });
}

function categories(chart, axis) {
  const texts = chart.ranges.get(axis.name)?.texts;
  return axis.texts.slice(0, MOST).map((text) => {
    const box = make("input", { type: "checkbox", checked: !texts || texts.includes(text) });
    box.dataset.field = `${text} of ${axis.name}`;
    box.addEventListener("change", () => {
      const now = new Set(texts ?? axis.texts);
      if (box.checked) now.add(text); else now.delete(text);
      chart.setRange(axis.name, now.size && now.size < axis.texts.length ? { texts: [...now] } : null);
    });
    return make("label", { className: "field-check" }, box, ` ${text.slice(0, 60)}`);
  });
}

function logarithmic(chart, axis) {
  const box = make("input", { type: "checkbox", checked: chart.logs.has(axis.name) });
  box.setAttribute("aria-label", `Logarithmic ${axis.name}`);
  box.dataset.field = `log ${axis.name}`;
  box.addEventListener("change", () => {
    if (box.checked) chart.logs.add(axis.name); else chart.logs.delete(axis.name);
    chart.reshaped({ fetched: false });
  });
  return box;
}

function moves(chart, axis, i) {
  const button = (text, title, act, disabled) => {
    const made = make("button", { type: "button", className: "button button-small", textContent: text, disabled });
    made.setAttribute("aria-label", `${title} ${axis.name}`);
    made.dataset.field = `${title} ${axis.name}`;
    made.addEventListener("click", act);
    return made;
  };
  const swap = (to) => () => { chart.names.splice(to, 0, ...chart.names.splice(i, 1)); chart.reshaped({ fetched: false }); };
  const remove = () => { chart.names.splice(i, 1); if (chart.ranges.delete(axis.name)) chart.filtered(); chart.reshaped({ fetched: false }); };
  return [button("←", "Move left", swap(i - 1), i === 0), button("→", "Move right", swap(i + 1), i === chart.axes.length - 1), button("×", "Remove", remove, chart.axes.length < 2)];
}
