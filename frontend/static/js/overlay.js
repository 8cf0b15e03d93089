// Two images laid over each other: a slider says how much of each is seen; on a swipe the pointer moves it too.
export default function enhance(figure) {
  const range = figure.querySelector("[data-overlay-range]");
  const stack = figure.querySelector("[data-overlay-stack]");
  const show = () => stack.style.setProperty("--at", `${range.value}%`);
  range.addEventListener("input", show);
  show();
  if (!stack.classList.contains("media-swipe")) return;
  stack.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" && !event.buttons) return;
    const box = stack.getBoundingClientRect();
    range.value = Math.round((100 * (event.clientX - box.left)) / box.width);
    show();
  });
}
