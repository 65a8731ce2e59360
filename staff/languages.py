"""The language that somebody reads in before anybody knows who they are."""

# In the session of whoever is not signed in yet: the language that they chose. Not the cookie,
# which outlives the person at a shared computer.
CHOSEN_LANGUAGE = "chosen_language"
