// Files pasted into a text, dropped on it or chosen below it are uploaded; a link is written where the cursor was.
// Without this, the link below the text leads to a page with a plain form.
export default function enhance(field) {
  const text = field.querySelector("textarea");
  const find = (name) => field.querySelector(`[data-attach-${name}]`);
  const [choose, hint, bar, failure] = ["choose", "hint", "progress", "failure"].map(find);
  const input = Object.assign(document.createElement("input"), { type: "file", multiple: true });
  let waiting = Promise.resolve();

  hint.hidden = false;
  choose.addEventListener("click", (event) => {
    event.preventDefault();
    input.click();
  });
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
  text.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length || event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    take(files);
  });
  for (const name of ["dragenter", "dragover"]) text.addEventListener(name, (event) => hover(event, true));
  text.addEventListener("dragleave", (event) => hover(event, false));
  text.addEventListener("drop", (event) => {
    const files = [...event.dataTransfer.files];
    if (!files.length) return;
    hover(event, false);
    take(files);
  });

  function hover(event, over) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    text.toggleAttribute("data-over", over);
  }

  function take(files) {
    failure.textContent = "";
    for (const file of files) {
      const mark = insert(file.name);
      waiting = waiting.then(() => send(file)).then((markdown) => replace(mark, markdown));
    }
  }

  // What stands in the text until the file is there: found again wherever people write meanwhile.
  function insert(name) {
    const before = text.value.slice(0, text.selectionStart);
    const start = before && !before.endsWith("\n") ? " " : "";
    let mark = `![Uploading ${name}…]()`;
    for (let n = 2; text.value.includes(mark); n++) mark = `![Uploading ${name}… ${n}]()`;
    text.setRangeText(`${start}${mark}\n`, text.selectionStart, text.selectionEnd, "end");
    changed();
    return mark;
  }

  function replace(mark, markdown) {
    const at = text.value.indexOf(mark);
    if (at >= 0) text.setRangeText(markdown, at, at + mark.length, "preserve");
    changed();
  }

  function changed() {
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function send(file) {
    return new Promise((done) => {
      const data = new FormData();
      data.append("files", file, file.name || "image.png");
      const request = new XMLHttpRequest(); // fetch cannot tell how much was sent
      request.open("POST", field.dataset.attach);
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("X-CSRFToken", text.form.elements.csrfmiddlewaretoken.value);
      request.responseType = "json";
      request.upload.onprogress = (event) => (bar.value = event.loaded / event.total);
      request.onload = () => finish(request.status === 201 ? request.response.attachments[0].markdown : "", request.response);
      request.onerror = () => finish("", { error: "The connection broke.", details: "Try again." });
      bar.hidden = false;
      bar.value = 0;
      request.send(data);

      function finish(markdown, answer) {
        bar.hidden = true;
        if (!markdown) failure.textContent = `${answer?.error ?? "The upload failed."} ${answer?.details ?? ""}`;
        done(markdown);
      }
    });
  }
}
