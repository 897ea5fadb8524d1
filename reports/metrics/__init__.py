"""What metrics say of a run: results, figures and sentences, and the glance that opens a report."""
