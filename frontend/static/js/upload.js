// A form with data-upload takes dropped files and folders and shows how far it is. Without this the form works plainly.
export default function enhance(form) {
  const find = (name) => form.querySelector(`[data-${name}]`);
  const [zone, list, bar, failure] = ["drop", "dropped", "progress", "failure"].map(find);
  const input = form.querySelector("input[type=file]");
  const dropped = [];

  for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, (event) => hover(event, true));
  zone.addEventListener("dragleave", (event) => hover(event, false));
  zone.addEventListener("drop", async (event) => {
    hover(event, false);
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
    for (const entry of entries) await walk(entry, "");
    input.required = dropped.length === 0;
    list.replaceChildren(...dropped.map(({ path }) => Object.assign(document.createElement("li"), { textContent: path })));
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    for (const { path, file } of dropped) data.append("files", file, path);
    send(data);
  });

  function hover(event, over) {
    event.preventDefault();
    zone.toggleAttribute("data-over", over);
  }

  async function walk(entry, folder) {
    const path = folder + entry.name;
    if (entry.isFile) {
      dropped.push({ path, file: await new Promise((found, lost) => entry.file(found, lost)) });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((found, lost) => reader.readEntries(found, lost));
      if (!some.length) return;
      for (const inner of some) await walk(inner, `${path}/`);
    }
  }

  function send(data) {
    const request = new XMLHttpRequest(); // fetch cannot tell how much was sent
    request.open("POST", form.action || location.href);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
    request.responseType = "json";
    request.upload.onprogress = (event) => (bar.value = event.loaded / event.total);
    request.onload = () => (request.status === 200 ? location.assign(request.response.url) : fail(request.response));
    request.onerror = () => fail({ error: "The connection broke.", details: "Try again." });
    bar.hidden = false;
    failure.hidden = true;
    request.send(data);
  }

  function fail(answer) {
    bar.hidden = true;
    failure.textContent = `${answer?.error ?? "The upload failed."} ${answer?.details ?? ""}`;
    failure.hidden = false;
  }
}
