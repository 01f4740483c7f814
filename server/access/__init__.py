"""Who may ask: keys with rights and quotas, the guard before all routes, signed links, limits."""
