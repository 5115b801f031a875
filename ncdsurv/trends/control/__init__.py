"""Control charts: which months fall out of what a rate does by itself, and the recent trend."""
