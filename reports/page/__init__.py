"""The machinery of pages and papers: HTML, LaTeX, files, copies of clips; no subject of its own."""
