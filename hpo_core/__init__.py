"""The engine of Tuning Lab: problems, search methods, studies and what can be said of them."""
