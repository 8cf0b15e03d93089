// A slider that shows each picture as it was at a step: the last one up to it, else the first.
export default function enhance(section) {
  const slider = section.querySelector("input[type=range]");
  if (!slider) return;
  const shown = section.querySelector("output");
  const images = [...section.querySelectorAll("img[data-shots]")].map((image) => ({ image, shots: JSON.parse(image.dataset.shots) }));
  const show = () => {
    const step = Number(slider.value);
    shown.value = slider.value;
    for (const { image, shots } of images) {
      const [at, url] = shots.findLast(([one]) => one <= step) ?? shots[0];
      if (image.getAttribute("src") === url) continue;
      image.src = url;
      image.alt = image.alt.replace(/at step \d+$/, `at step ${at}`);
      image.closest("a").href = url;
      const label = image.closest("figure").querySelector("[data-shown]");
      if (label) label.textContent = at;
    }
  };
  slider.addEventListener("input", show);
  show(); // it may have been moved before this module was here
}
