"""What the hardware does. Imports only errors, bits, beat and manual; every shared access is a beat.

Does not model: x2AVIC mode, Secure AVIC, the IOMMU, virtual NMIs, and what of a core has no part in interrupts.
"""
