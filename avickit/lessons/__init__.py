"""What a class needs: exercises that answer, one module a notebook; lessons to hand out, decks, a site, a glossary.

Does not model: marks, users, or a server for them.
"""

from avickit.lessons.exercise import Exercise, Verdict, check, given

__all__ = ["Exercise", "Verdict", "check", "given"]
