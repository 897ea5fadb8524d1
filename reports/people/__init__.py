"""What people said of the edits of a run, as parts of a report; reads exports of rater studies."""
