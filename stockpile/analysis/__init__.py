"""What to make of a result: metrics, and the questions built on them."""
