"""The live page: the model itself, with its own draws, driven by sliders in one file without a server."""
