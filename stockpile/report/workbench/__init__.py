"""Pages of what an analyst asks: a sweep, and the questions built on top; one section each, and all on one page where a list is given."""
