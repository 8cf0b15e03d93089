// A field that offers names of metrics, params and tags while one types: at most 50, from the server.
export default function enhance(field) {
  const list = document.getElementById(field.getAttribute("list"));
  let timer = 0, asked = 0;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const mine = ++asked;
      const answer = await fetch(`${field.dataset.names}?name=${encodeURIComponent(field.value)}`, { headers: { Accept: "application/json" } });
      if (!answer.ok || mine !== asked) return;
      const { names } = await answer.json(), known = new Set([...list.options].map((option) => option.value));
      list.append(...names.filter((name) => !known.has(name)).map((value) => Object.assign(document.createElement("option"), { value })));
    }, 200);
  });
}
