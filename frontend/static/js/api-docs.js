// Shows the API's description with Swagger UI; without scripts the page still links to the description itself.
const place = document.getElementById("api-docs");
const system = matchMedia("(prefers-color-scheme: dark)");

// Swagger UI's own dark colours hang on this class.
function follow() {
  const chosen = document.documentElement.dataset.scheme;
  const dark = chosen === "dark" || (chosen !== "light" && system.matches);
  document.documentElement.classList.toggle("dark-mode", dark);
}

follow();
system.addEventListener("change", follow);
window.SwaggerUIBundle({ url: place.dataset.schema, domNode: place, deepLinking: true, validatorUrl: null, defaultModelsExpandDepth: -1 });
