"""What the trail says, in words, for templates."""

from django import template

from staff import trail_words

register = template.Library()
register.filter("in_words", trail_words.sentence_of)
register.filter("facts_in_words", trail_words.facts_of)
register.filter("kind_in_words", trail_words.kind_of)
