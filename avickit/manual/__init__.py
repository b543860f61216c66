"""What the manual says: registers, VMCB, tables, exits, CPUID. Declarations only, no behaviour and no state.

Reading order: words, cpuid, vmcb (of vmcb_map, vmcb_avic, vmcb_fields, vmcb_intercepts, vmcb_xen), apic (of apic_names,
apic_map, apic_registers, apic_lvt, vectors), icr, tables, msrs, exits (of exit_codes, exit_info), decode.
Does not model: anything that happens; that is silicon's work.
"""
