"""What a commit tracks with DVC or keeps as data: outputs, pointers, manifests, versions, and where their bytes lie."""
