"""How dates are written, where a language differs from the French that the code asks for."""
