// Entry module: behaviours are found by data-… attributes and imported when present.
