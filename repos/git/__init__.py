"""Plain Python over git: no Django here. Paths on disk, revs and bytes in; frozen dataclasses out."""
