// A copy button beside a line of code; hidden where the browser cannot copy.
export default function enhance(box) {
  const button = box.querySelector("[data-copy-button]");
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(box.querySelector("code").textContent);
    const before = button.innerHTML;
    button.textContent = "Copied";
    setTimeout(() => (button.innerHTML = before), 2000);
  });
}
