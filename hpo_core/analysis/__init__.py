"""Numbers drawn from trials."""
