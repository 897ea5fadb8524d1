"""Vision-language models as judges of edits: what is shown, asked, answered, read and kept."""
