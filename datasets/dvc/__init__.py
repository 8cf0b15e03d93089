"""Plain Python over DVC's files: .dvc, dvc.lock, .dir manifests, keys and oids. Parsed as data; no Django."""
