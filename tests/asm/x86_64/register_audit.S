// The parts of the register audit that a compiler cannot be made to write. See register_audit.hpp.

        .text

        // rdi from, rsi to, rdx after, rcx arg, r8 before, r9 result, skew above the return address.
        // Poisons what is to be found again, runs what is given, and stores what it finds.
        .macro  audited name, action
        .globl  \name
        .type   \name, @function
\name:
        .cfi_startproc
        movq    8(%rsp), %r10           // skew
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        pushq   %r9                     // 7 words pushed since the call: rsp is a multiple of 16
        subq    %r10, %rsp
        pushq   %rbp                    // the two words that must be found again with nothing but
        pushq   %r9                     // rsp: rsp is a multiple of 16, or misses it by skew

        movq    %rcx, %rax
        movq    %rsp, 48(%r8)
        .cfi_remember_state
        .cfi_def_cfa %rsp, 0            // not to be unwound through while rbp holds poison
        .cfi_undefined %rip
        movq    0(%r8), %rbx
        movq    8(%r8), %rbp
        movq    16(%r8), %r12
        movq    24(%r8), %r13
        movq    32(%r8), %r14
        movq    40(%r8), %r15
        \action
        movq    (%rsp), %r9
        movq    %rbx, 0(%r9)
        movq    %rbp, 8(%r9)
        movq    %r12, 16(%r9)
        movq    %r13, 24(%r9)
        movq    %r14, 32(%r9)
        movq    %r15, 40(%r9)
        movq    %rsp, 48(%r9)

        movq    8(%rsp), %rbp
        .cfi_restore_state
        movq    -8(%rbp), %rbx
        movq    -16(%rbp), %r12
        movq    -24(%rbp), %r13
        movq    -32(%rbp), %r14
        movq    -40(%rbp), %r15
        movq    %rbp, %rsp
        popq    %rbp
        .cfi_def_cfa %rsp, 8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .size   \name, . - \name
        .endm

        .macro  bare_switch
        leaq    1f(%rip), %r8
        jmp     weft_switch
1:      endbr64
        .endm

        .macro  call_of_a_function
        callq   switch_called
        .endm

        .macro  call_of_hop
        movq    %rax, %rdx
        callq   weft_hop
        .endm

        audited audited_switch, bare_switch
        audited audited_hop, call_of_hop
        audited audited_call, call_of_a_function

        .macro  record_arrival
        movq    %rsp, 0(%rdi)
        movq    %rbp, 8(%rdi)
        movq    %rdi, 16(%rdi)
        movq    %rsi, 24(%rdi)
        .endm

        .globl  audited_entry
        .type   audited_entry, @function
audited_entry:
        .cfi_startproc
        endbr64
        record_arrival
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        callq   audit_entered
        ud2
        .cfi_endproc
        .size   audited_entry, . - audited_entry

        .globl  audited_after
        .type   audited_after, @function
audited_after:
        .cfi_startproc
        endbr64
        record_arrival
        movq    $-1, %rax
        .irp    reg, rcx, rdx, rsi, rdi, r8, r9, r10, r11
        movq    %rax, %\reg
        .endr
        .irp    reg, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movq    %rax, %xmm\reg
        .endr
        ret
        .cfi_endproc
        .size   audited_after, . - audited_after

        .section .note.GNU-stack, "", @progbits
