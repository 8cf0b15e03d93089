// A field that offers names of metrics, params and tags while one types.

// At most 50 that hold a text, from the server; none where it cannot say.
export async function offered(url, text) {
  const answer = await fetch(`${url}?name=${encodeURIComponent(text)}`, { headers: { Accept: "application/json" } });
  return answer.ok ? (await answer.json()).names : [];
}

export default function enhance(field) {
  const list = document.getElementById(field.getAttribute("list"));
  let timer = 0, asked = 0;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const mine = ++asked, names = await offered(field.dataset.names, field.value);
      if (mine !== asked) return;
      const known = new Set([...list.options].map((option) => option.value));
      list.append(...names.filter((name) => !known.has(name)).map((value) => Object.assign(document.createElement("option"), { value })));
    }, 200);
  });
}
