// Entry module: each behaviour is found by its data attribute and imported only where it is used.
const behaviours = {
  "[data-copy]": "./copy.js",
  "details.menu": "./menu.js",
};

async function start(root) {
  for (const [selector, module] of Object.entries(behaviours)) {
    const found = root.querySelectorAll(selector);
    if (found.length) {
      const { default: enhance } = await import(module);
      found.forEach((element) => element.dataset.enhanced || (enhance(element), (element.dataset.enhanced = "1")));
    }
  }
}

start(document);
document.addEventListener("htmx:after:swap", (event) => start(event.target.isConnected ? event.target : document));
import("./keyboard.js");
