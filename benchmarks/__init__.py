"""Side-by-side measurements, run by hand and in small size by the tests."""
