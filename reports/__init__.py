"""Tables, plots and the report page; never imports torch, methods or metrics."""
