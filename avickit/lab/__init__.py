"""The machine that a user holds: handles, trace, fork, scenarios. The only room that drives the others."""
