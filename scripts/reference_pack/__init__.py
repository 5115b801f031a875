"""The built-in reference pack, built from registry packages and the figures in `sources/`."""
