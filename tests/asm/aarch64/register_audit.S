// The parts of the register audit that a compiler cannot be made to write. See register_audit.hpp.

        .text

        .macro  x_pairs instruction, base
        \instruction x19, x20, [\base, #0]
        \instruction x21, x22, [\base, #16]
        \instruction x23, x24, [\base, #32]
        \instruction x25, x26, [\base, #48]
        \instruction x27, x28, [\base, #64]
        .endm
        .macro  d_pairs instruction, base
        \instruction d8, d9, [\base, #96]
        \instruction d10, d11, [\base, #112]
        \instruction d12, d13, [\base, #128]
        \instruction d14, d15, [\base, #144]
        .endm

        // x0 from, x1 to, x2 after, x3 arg, x4 before, x5 result. Poisons what is to be found
        // again, runs what is given, and stores what it finds.
        .macro  audited name, action
        .globl  \name
        .type   \name, %function
\name:
        .cfi_startproc
        bti     c
        stp     x29, x30, [sp, #-192]!
        .cfi_def_cfa_offset 192
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        mov     x29, sp
        add     x9, sp, #16
        x_pairs stp, x9
        d_pairs stp, x9
        .irp    reg, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
        .cfi_rel_offset 19 + \reg, 16 + 8 * \reg
        .endr
        stp     x29, x5, [sp, #-16]!    // the two words that must be found again with nothing but sp
        mov     x9, sp
        str     x9, [x4, #88]
        .cfi_remember_state
        .cfi_def_cfa sp, 0              // not to be unwound through while x29 holds poison
        .cfi_undefined x30
        x_pairs ldp, x4
        d_pairs ldp, x4
        ldr     x29, [x4, #80]
        \action
        ldr     x9, [sp, #8]
        x_pairs stp, x9
        d_pairs stp, x9
        mov     x10, sp
        stp     x29, x10, [x9, #80]

        ldr     x29, [sp], #16
        .cfi_restore_state
        add     x9, sp, #16
        x_pairs ldp, x9
        d_pairs ldp, x9
        ldp     x29, x30, [sp], #192
        .cfi_def_cfa_offset 0
        .cfi_restore x29
        .cfi_restore x30
        ret
        .cfi_endproc
        .size   \name, . - \name
        .endm

        .macro  bare_switch             // from switch_to's registers to weft_switch's
        mov     x9, x0
        mov     x0, x3
        mov     x3, x2
        mov     x2, x1
        mov     x1, x9
        adr     x30, 1f
        b       weft_switch
1:      bti     j
        .endm

        .macro  call_of_a_function
        bl      switch_called
        .endm

        audited audited_switch, bare_switch
        audited audited_call, call_of_a_function

        .macro  record_arrival
        mov     x9, sp
        stp     x9, x29, [x0]
        stp     x0, x1, [x0, #16]
        .endm

        .globl  audited_entry
        .type   audited_entry, %function
audited_entry:
        .cfi_startproc
        bti     c
        record_arrival
        stp     x29, x30, [sp, #-16]!
        .cfi_adjust_cfa_offset 16
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        mov     x29, sp
        bl      audit_entered
        udf     #0
        .cfi_endproc
        .size   audited_entry, . - audited_entry

        .globl  audited_after
        .type   audited_after, %function
audited_after:
        .cfi_startproc
        bti     c
        record_arrival
        mov     x0, #-1
        .irp    reg, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
        mov     x\reg, x0
        .endr
        .irp    reg, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        dup     v\reg\().2d, x0
        .endr
        ret
        .cfi_endproc
        .size   audited_after, . - audited_after

        .section .note.GNU-stack, "", %progbits
