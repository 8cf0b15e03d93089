"""The REST API of repositories: DagsHub's paths and shapes, one gate, the same domain functions as the pages."""
