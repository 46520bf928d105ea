"""The exercises, filled in: to look at when yours are done."""
