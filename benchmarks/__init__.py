"""What the engines are measured against; no part of the package that is installed."""
