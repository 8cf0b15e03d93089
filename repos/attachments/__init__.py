"""Files that people put into texts: pasted pictures, logs. Bytes lie in the object store, named by the repository.

Owns Attachment. Texts that name one are asked of the apps above (strays.TEXTS); where bytes go is theirs too
(keeping.register). May import: repos but its apps above; hub.accounts, hub.lib.
"""
