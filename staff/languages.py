"""The language of a visitor before sign-in."""

# Session key of the language chosen before sign-in. A cookie would stay for the next person at a
# shared computer.
CHOSEN_LANGUAGE = "chosen_language"
