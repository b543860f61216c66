"""The numbers that a module gives names to, such as IRR or CLASS, in place of the names: to load one takes less.

Only names in capital letters: nobody binds those anew. Does not model: members of enums, which are objects; they keep
their names.
"""

import ast

from avickit.lab.derive.scope import Scope


class Number(ast.Constant):
    """A number, which has not forgotten its name."""

    name: str


class Numbers(ast.NodeTransformer):
    """Numbers for their names."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The number, if the name stands for one."""
        found = self.scope.look(node) if isinstance(node.ctx, ast.Load) else None
        if type(found) is not int or not node.id.rpartition("__")[2].isupper():
            return node
        number = Number(found)
        number.name = node.id
        return number


class Names(ast.NodeTransformer):
    """And back: for people the name says more."""

    def visit_Number(self, node: Number) -> ast.expr:
        """The name."""
        return ast.Name(node.name, ast.Load())
