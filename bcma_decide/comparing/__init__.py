"""Options put side by side for one patient: the `Comparison` is assembled here."""
