// A drawing larger than its frame begins with the thing that it is about in the middle.
export default function enhance(frame) {
  const here = frame.querySelector(".pipe-here");
  if (!here) return;
  const [inner, outer] = [here.getBoundingClientRect(), frame.getBoundingClientRect()];
  frame.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
  frame.scrollTop += inner.top + inner.height / 2 - outer.top - outer.height / 2;
}
