// Shows the API's description with Swagger UI; without scripts the page still links to the description itself.
const place = document.getElementById("api-docs");
window.SwaggerUIBundle({ url: place.dataset.schema, domNode: place, deepLinking: true, validatorUrl: null, defaultModelsExpandDepth: -1 });
