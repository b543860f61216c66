"""The commands of the command line, one module for each family. They import the model only when they run.

Does not model: anything; the answers come from `lab`.
"""
