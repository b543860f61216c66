"""What the hardware does. Imports only errors, bits, beat and manual; every shared access is a beat."""
