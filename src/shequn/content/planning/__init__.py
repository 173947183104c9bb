"""How a schedule is found: slots, caps and items as numbers, a search, its bounds, and what is improved at the end."""
