"""Pages and reports for people: HTML that needs no network, made by the standard library alone."""
