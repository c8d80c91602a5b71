// Context switch for x86-64, System V ABI. The other half is src/context/x86_64/backend.hpp; the
// measurements behind each choice are in docs/context-switch.md.
//
// A suspended context is one pointer, sp, to what it keeps on its own stack:
//
//      suspended in weft_switch                         fresh, made by prepare(stack_top, entry)
//
//      higher addresses                                 stack_top, a multiple of 16
//      | frames of the suspended code,    |             |                                  |
//      | its other registers among them   |             +----------------------------------+ 24
//      |                                  |             | entry                            |
//      +----------------------------------+ 16 = CFA    +----------------------------------+ 16 = CFA
//      | rip: the landing in switch_to    |             | rip: weft_context_entry's landing|
//      +----------------------------------+ 8           +----------------------------------+ 8
//      | rbp                              |             | rbp = 0: frame-pointer walks end |
// sp ->+----------------------------------+ 0      sp ->+----------------------------------+ 0
//      lower addresses: nothing is kept
//
// The two have one shape up to the CFA, so resuming does not ask which it has, and one set of
// unwind rules is true on the old stack before the stack pointer changes and on the new one after.
//
// weft_switch is entered by a jump from switch_to, with the address to go on at in r8, and leaves
// by a jump. There is no call and no ret, because the processor predicts each ret from a stack of
// its own, on which a switch that called without returning would leave one entry too many: every
// later ret of the resumed side would miss (5-7 ns each).
//
// Kept: rsp and rbp, and with them the frame of switch_to's function. That function is told that
// every other register is destroyed, so its prologue saves what its caller may rely on, once; a
// switch that pushed rbx and r12-r15 by itself would mostly push them a second time.
// Since no call tells the compiler to do so, that function may be a leaf that has not aligned rsp;
// hence the alignment before after() is called. It would have a red zone below rsp, too, if it were
// not compiled with -mno-red-zone (src/context/x86_64/backend.hpp insists).
// Not switched, though a called function preserves them: the control words of MXCSR and x87. They
// stay the kernel thread's; fibers that declare their own use weft_fp_env_save and _load around
// the switch.
// The thread's by design: fs (thread-local storage), signal mask, alternate signal stack, errno.

#include "x86_64_layout.h"

        // The rules wherever a whole frame lies at rsp. What the other registers held is lost.
        .macro  cfi_whole_frame
        .cfi_def_cfa %rsp, WEFT_FRAME_CFA
        .cfi_offset %rbp, WEFT_FRAME_RBP - WEFT_FRAME_CFA
        .cfi_offset %rip, WEFT_FRAME_RIP - WEFT_FRAME_CFA
        .irp    reg, rbx, r12, r13, r14, r15
        .cfi_undefined %\reg
        .endr
        .endm

        .text

// In:  rdi = context* from, rsi = to.sp, rdx = after or null, rax = arg, r8 = `from`'s landing.
// Out: at the landing of `to`, with rax = arg.
// No endbr64: nothing but switch_to's direct jump comes here.
        .globl  weft_switch
        .hidden weft_switch
        .type   weft_switch, @function
        .p2align 6                              // the whole plain path in one cache line
weft_switch:
        .cfi_startproc
        .cfi_def_cfa %rsp, 0
        .cfi_register %rip, %r8
        pushq   %r8
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rip, 0
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        movq    %rsp, (%rdi)                    // from->sp: `from` is complete
        movq    %rsi, %rsp                      // the stack of `to`; the rules hold there just as well
        .irp    reg, rbx, r12, r13, r14, r15
        .cfi_undefined %\reg
        .endr
.Lresume:
        testq   %rdx, %rdx
        jne     .Lcall_after
.Lrestore:
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %rdx
        jmp     *%rdx                           // lands on endbr64, in switch_to or in weft_context_entry

.Lcall_after:                                   // rbx and r12 belong to nobody here
        cfi_whole_frame
        movq    %rsp, %rbx                      // survives the call
        .cfi_def_cfa_register %rbx
        movq    %rax, %r12                      // arg too
        andq    $-16, %rsp                      // the ABI's alignment; `to` may be a leaf that has none
        movq    %rdi, %rsi                      // after(arg, from)
        movq    %rax, %rdi
        callq   *%rdx                           // a call with its ret: the predictor's stack stays level
        movq    %r12, %rax
        movq    %rbx, %rsp
        .cfi_def_cfa_register %rsp
        jmp     .Lrestore
        .cfi_endproc
        .size   weft_switch, . - weft_switch

// In: as weft_switch, without r8. The stack it comes from is dead after the first instruction.
        .globl  weft_switch_away
        .hidden weft_switch_away
        .type   weft_switch_away, @function
        .p2align 4
weft_switch_away:
        .cfi_startproc
        .cfi_undefined %rip                     // nothing to go back to
        movq    %rsi, %rsp
        cfi_whole_frame
        jmp     .Lresume
        .cfi_endproc
        .size   weft_switch_away, . - weft_switch_away

// Where a fresh context begins: rax = arg of the switch that resumed it, entry at rsp, which is
// stack_top - 8, rbp = 0. The outermost frame: an undefined return address tells an unwinder so.
// Unwinders look up a return address less one. A fresh frame holds the landing as one, so a byte of
// this function comes before it, never run.
        .globl  weft_context_entry
        .hidden weft_context_entry
        .type   weft_context_entry, @function
        .p2align 4
weft_context_entry:
        .cfi_startproc
        .cfi_def_cfa %rsp, 0
        .cfi_undefined %rip
        ud2
        .if     . - weft_context_entry - WEFT_ENTRY_LANDING
        .error  "WEFT_ENTRY_LANDING is not where the landing is"
        .endif
        endbr64                                 // the landing
        movq    %rax, %rdi
        movq    (%rsp), %rcx                    // entry(arg) as by a call from stack_top, but unseen
        leaq    1f(%rip), %rax                  // by the return predictor
        movq    %rax, (%rsp)
        jmp     *%rcx
        .cfi_def_cfa %rsp, 0
1:      ud2                                     // entry never returns
        .cfi_endproc
        .size   weft_context_entry, . - weft_context_entry

// void* weft_hop(context* from, context to, void* arg): weft_switch as a function, for two sides that
// take turns from different places. It is called, and leaves by a jump to its return address: that of
// the other side's call, which a ret would predict wrongly each time. A function that has nothing
// else to do afterwards ends by a jump to here, and its caller is where the other side goes on.
        .globl  weft_hop
        .hidden weft_hop
        .type   weft_hop, @function
        .p2align 6
weft_hop:
        .cfi_startproc
        endbr64
        pushq   %rbp                            // a frame for walks by frame pointers: who called
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        movq    %rsp, %rbp
        .irp    reg, rbx, r12, r13, r14, r15
        pushq   %\reg
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %\reg, 0
        .endr
        movq    %rdx, %rax                      // arg
        xorl    %edx, %edx                      // no after
        leaq    .Lhopped(%rip), %r8
        jmp     weft_switch
.Lhopped:
        endbr64
        .irp    reg, r15, r14, r13, r12, rbx, rbp
        popq    %\reg
        .cfi_adjust_cfa_offset -8
        .cfi_restore %\reg
        .endr
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %rcx
        notrack jmp *%rcx                       // no endbr64 there: it is what follows a call
        .cfi_endproc
        .size   weft_hop, . - weft_hop

// void weft_fp_env_save(fp_env*): the running thread's two control words. Apart from weft_switch,
// because stmxcsr alone would more than double the price, and almost no fiber changes them.
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

// Indirect branch tracking holds: each indirect jump above lands on an endbr64, but for the one that
// stands for a ret and says so (notrack, as compilers' jump tables do). Shadow stacks do
// not: the kernel's shadow stack would have to be switched too.
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
