"""What Xen had before the series. Imports only errors, bits, beat, manual and silicon; shared access is a beat."""
