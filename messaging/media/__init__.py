"""Media: fetched from Meta while it keeps them, encrypted with the municipality's own key, shown to who may see them.

In the order in which a citizen's picture meets them: `queueing` (its row, beside its message) · `fetching` (the row's
turn: download, check, store) · `types` (what it is, by its content) · `sealing` and `blobs` (encrypted, in the storage)
· `thumbnails` · `showing` (read, asked for again, erased). What we send: `uploading`.
"""
