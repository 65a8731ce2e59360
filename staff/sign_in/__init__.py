"""Who may try to sign in, and how often: limits, tries, devices that are known, the trail of it."""
