// Context switch for x86-64, System V ABI. The callers' side is src/context/context.hpp; why it looks like this, with
// figures, is docs/context-switch.md.
//
// A suspended context is one pointer: its stack pointer, below which nothing is kept.
//
//   suspended in weft_switch                         fresh, made by prepare(stack_top, entry)
//
//        higher addresses                                 stack_top, a multiple of 16
//        +----------------------------------+             +----------------------------------+ 56
//        | frames of the caller             |             | rip = weft_context_entry         |
//        |                  (16-aligned) 56 |             +----------------------------------+ 48
//        +----------------------------------+             | rbp = 0: frame pointer walks end |
//        | rip: return address of the call  |             +----------------------------------+ 40
//        +----------------------------------+ 48          | rbx = entry                      |
//        | rbp                              |             +----------------------------------+ 32
//        +----------------------------------+ 40          | r12 = 0                          |
//        | rbx                              |             +----------------------------------+ 24
//        +----------------------------------+ 32          | r13 = 0                          |
//        | r12                              |             +----------------------------------+ 16
//        +----------------------------------+ 24          | r14 = 0                          |
//        | r13                              |             +----------------------------------+ 8
//        +----------------------------------+ 16          | r15 = 0                          |
//        | r14                              |    sp ----> +----------------------------------+ 0
//        +----------------------------------+ 8
//        | r15                              |
// sp --> +----------------------------------+ 0
//        lower addresses
//
// Both pictures have one shape, so resuming does not ask which of the two it has, and one set of unwind rules
// (CFA = rsp + 56, the six registers at fixed distances below it) is true on the old stack before `mov %rsi, %rsp` and
// on the new one after it.
//
// Saved: what a called function must preserve, rbx rbp r12-r15 and rsp.
// Not saved: rax rcx rdx rsi rdi r8-r11, all vector and mask registers, x87 and MXCSR status: a call may destroy them.
// Not switched although a called function preserves them: the control words of MXCSR and x87. They are the kernel
// thread's, and fibers that declare their own use weft_fp_env_save/load around the switch.
// Also the thread's, by design: signal mask, fs (thread-local storage), alternate signal stack, errno.

#include "context_layout.h"

        .text

// void* weft_switch(context* from, context to, after_fn after, void* arg)
//                        rdi           rsi          rdx          rcx
        .globl  weft_switch
        .hidden weft_switch
        .type   weft_switch, @function
        .p2align 6                              // the whole plain path in one or two cache lines
weft_switch:
        .cfi_startproc
        endbr64                                 // somebody may call through a pointer
        pushq   %rbp                            // 6 pushes: the shortest encoding, and the stack engine makes them one
        .cfi_adjust_cfa_offset 8                // store each
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        movq    %rsp, (%rdi)                    // from->sp: `from` is complete
        movq    %rsi, %rsp                      // from here on the stack of `to`; the unwind rules stay as they are
.Lresume:
        movq    %rcx, %rax                      // what the resumed switch_to returns, or what entry receives
        testq   %rdx, %rdx
        jne     .Lcall_after
.Lrestore:
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        popq    %rdx                            // not ret: the return predictor holds the address of whoever called
        .cfi_adjust_cfa_offset -8               // weft_switch last, and would miss
        .cfi_register %rip, %rdx
        notrack jmp *%rdx                       // notrack: behind a call there is no endbr64

        // The same state as at .Lresume: CFA = rsp + 56, six registers saved.
        .cfi_def_cfa_offset WEFT_FRAME_SIZE + 8 - 8
        .cfi_offset %rip, -8
        .cfi_offset %rbp, -16
        .cfi_offset %rbx, -24
        .cfi_offset %r12, -32
        .cfi_offset %r13, -40
        .cfi_offset %r14, -48
        .cfi_offset %r15, -56
.Lcall_after:
        pushq   %rcx                            // keeps arg over the call, and makes rsp a multiple of 16 for it
        .cfi_adjust_cfa_offset 8
        movq    %rdi, %rsi                      // after(arg, from)
        movq    %rcx, %rdi
        callq   *%rdx
        popq    %rax
        .cfi_adjust_cfa_offset -8
        jmp     .Lrestore
        .cfi_endproc
        .size   weft_switch, . - weft_switch

// [[noreturn]] void weft_switch_away(context* from, context to, after_fn after, void* arg)
// weft_switch without the saving: the caller's stack is dead from the second instruction on.
        .globl  weft_switch_away
        .hidden weft_switch_away
        .type   weft_switch_away, @function
        .p2align 4
weft_switch_away:
        .cfi_startproc
        endbr64
        movq    %rsi, %rsp
        .cfi_def_cfa_offset WEFT_FRAME_SIZE
        .cfi_offset %rbp, -16
        .cfi_offset %rbx, -24
        .cfi_offset %r12, -32
        .cfi_offset %r13, -40
        .cfi_offset %r14, -48
        .cfi_offset %r15, -56
        jmp     .Lresume
        .cfi_endproc
        .size   weft_switch_away, . - weft_switch_away

// Where a fresh context begins: rax = arg of the switch that resumed it, rbx = entry, rsp = stack_top, rbp = 0.
// The outermost frame: an undefined return address is how unwinders are told to stop here.
        .globl  weft_context_entry
        .hidden weft_context_entry
        .type   weft_context_entry, @function
        .p2align 4
        .cfi_startproc
        .cfi_undefined %rip
        .cfi_undefined %rbp
        ud2                                     // never run. Unwinders look up a return address less one, so the rules
                                                // must begin before the address that the fresh frame holds
weft_context_entry:
        endbr64                                 // reached by a jump
        movq    %rax, %rdi
        callq   *%rbx                           // entry(arg); rsp is a multiple of 16 here
        ud2                                     // entry never returns
        .cfi_endproc
        .size   weft_context_entry, . - weft_context_entry

// void weft_fp_env_save(fp_env*): the two control words of the running thread. Outside weft_switch, because stmxcsr
// alone would double its cost, and nearly no fiber changes them.
        .globl  weft_fp_env_save
        .hidden weft_fp_env_save
        .type   weft_fp_env_save, @function
        .p2align 4
weft_fp_env_save:
        .cfi_startproc
        endbr64
        stmxcsr WEFT_FP_ENV_MXCSR(%rdi)
        fnstcw  WEFT_FP_ENV_X87_CW(%rdi)
        ret
        .cfi_endproc
        .size   weft_fp_env_save, . - weft_fp_env_save

// void weft_fp_env_load(const fp_env*)
        .globl  weft_fp_env_load
        .hidden weft_fp_env_load
        .type   weft_fp_env_load, @function
        .p2align 4
weft_fp_env_load:
        .cfi_startproc
        endbr64
        ldmxcsr WEFT_FP_ENV_MXCSR(%rdi)
        fldcw   WEFT_FP_ENV_X87_CW(%rdi)
        ret
        .cfi_endproc
        .size   weft_fp_env_load, . - weft_fp_env_load

        .section .note.GNU-stack, "", @progbits // no executable stack

// GNU property: IBT only. Switching stacks under a jump leaves a shadow stack behind, so SHSTK would be a lie.
        .section .note.gnu.property, "a", @note
        .p2align 3
        .long   4                               // size of the name
        .long   3f - 2f                         // size of the descriptor
        .long   5                               // NT_GNU_PROPERTY_TYPE_0
        .asciz  "GNU"
2:      .long   0xc0000002                      // GNU_PROPERTY_X86_FEATURE_1_AND
        .long   4                               // size of its data
        .long   1                               // GNU_PROPERTY_X86_FEATURE_1_IBT
        .long   0                               // padding to 8
3:
