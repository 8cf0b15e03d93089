"""Images and sounds of strangers, read by their codecs: what they are, and where two of them differ.

Plain Python that runs in the sandbox's processes only. May import: hub.lib.previews (its workers).
"""
