// Context switch for AArch64, AAPCS64. The other half is src/context/aarch64/backend.hpp; the
// reasons behind each choice are in docs/context-switch.md.
//
// A suspended context is one pointer, sp, to what it keeps on its own stack:
//
//      suspended in weft_switch                         fresh, made by prepare(stack_top, entry)
//
//      higher addresses                                 stack_top, a multiple of 16
//      | frames of the suspended code,    |             |                                  |
//      | its other registers among them   |             +----------------------------------+ 32
//      |                                  |             | nothing                          |
//      |                                  |             +----------------------------------+ 24
//      |                                  |             | entry                            |
//      +----------------------------------+ 16 = CFA    +----------------------------------+ 16 = CFA
//      | x30: the landing in switch_to    |             | x30: weft_context_entry's landing|
//      +----------------------------------+ 8           +----------------------------------+ 8
//      | x29                              |             | x29 = 0: frame-pointer walks end |
// sp ->+----------------------------------+ 0      sp ->+----------------------------------+ 0
//      lower addresses: nothing is kept
//
// What is kept is a frame record of the ABI: x29 of the code that goes on, and where it goes on. A
// walk by frame pointers may begin at sp. The two have one shape up to the CFA, so resuming does not
// ask which it has, and one set of unwind rules is true on the old stack before the stack pointer
// changes and on the new one after.
//
// weft_switch is entered by a plain branch from switch_to, with the address to go on at in x30, as
// if it were a call, and leaves by br, not ret. A processor predicts each ret from a stack of its
// own, on which a switch that called without returning would leave one entry too many: every later
// ret of the resumed side would miss.
//
// Kept: sp and x29, and with them the frame of switch_to's function. That function is told that
// every other register is destroyed, x19-x28, d8-d15 and x30 among them, so its prologue saves what
// its caller may rely on, once; a switch that stored these by itself would mostly store them a
// second time. sp is a multiple of 16 wherever a function may switch, and there is no red zone.
// Never touched: x18, the platform's.
// Not switched, though a called function preserves it: FPCR. It stays the kernel thread's; fibers
// that declare their own use weft_fp_env_save and _load around the switch.
// The thread's by design: tpidr_el0 (thread-local storage), signal mask, alternate signal stack,
// errno. Nor is the state of SME: a function that uses ZA or streaming mode may not switch, as it
// may not call an ordinary function either without leaving them first.

#include "aarch64_layout.h"

        // The rules wherever a whole frame lies at sp.
        .macro  cfi_whole_frame
        .cfi_def_cfa sp, WEFT_FRAME_CFA
        .cfi_offset x29, WEFT_FRAME_X29 - WEFT_FRAME_CFA
        .cfi_offset x30, WEFT_FRAME_X30 - WEFT_FRAME_CFA
        .endm

        // What the other registers held that a called function preserves is lost.
        .macro  cfi_others_lost
        .irp    reg, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28
        .cfi_undefined x\reg
        .endr
        .irp    reg, 8, 9, 10, 11, 12, 13, 14, 15
        .cfi_undefined d\reg
        .endr
        .endm

        .text

// In:  x0 = arg, x1 = context* from, x2 = to.sp, x3 = after or null, x30 = `from`'s landing.
// Out: at the landing of `to`, with x0 = arg.
        .globl  weft_switch
        .hidden weft_switch
        .type   weft_switch, %function
        .p2align 6                              // the whole plain path in one cache line
weft_switch:
        .cfi_startproc
        bti     c                               // for the veneer of a linker: b reaches 128 MiB
        stp     x29, x30, [sp, #-WEFT_FRAME_CFA]!
        .cfi_adjust_cfa_offset WEFT_FRAME_CFA
        .cfi_rel_offset x29, WEFT_FRAME_X29
        .cfi_rel_offset x30, WEFT_FRAME_X30
        mov     x4, sp
        str     x4, [x1]                        // from->sp: `from` is complete
        mov     sp, x2                          // the stack of `to`; the rules hold there just as well
        cfi_others_lost
.Lresume:
        cbnz    x3, .Lcall_after
.Lrestore:
        ldp     x29, x30, [sp], #WEFT_FRAME_CFA
        .cfi_adjust_cfa_offset -WEFT_FRAME_CFA
        .cfi_restore x29
        .cfi_restore x30
        br      x30                             // lands on bti j, in switch_to or in weft_context_entry

.Lcall_after:                                   // x19 belongs to nobody here
        cfi_whole_frame
        mov     x19, x0                         // arg survives the call
        mov     x29, sp                         // whose caller, to a walk by frame pointers, is `to`
        blr     x3                              // after(arg, from); ret comes back, so the predictor is level
        mov     x0, x19
        b       .Lrestore
        .cfi_endproc
        .size   weft_switch, . - weft_switch

// In: as weft_switch, without x30. The stack it comes from is dead after the first instruction.
        .globl  weft_switch_away
        .hidden weft_switch_away
        .type   weft_switch_away, %function
        .p2align 4
weft_switch_away:
        .cfi_startproc
        .cfi_undefined x30                      // nothing to go back to
        bti     c
        mov     sp, x2
        cfi_whole_frame
        cfi_others_lost
        b       .Lresume
        .cfi_endproc
        .size   weft_switch_away, . - weft_switch_away

// Where a fresh context begins: x0 = arg of the switch that resumed it, entry at sp, which is
// stack_top - 16, x29 = 0. The outermost frame: an undefined return address tells an unwinder so.
// Unwinders look up a return address less one. A fresh frame holds the landing as one, so an
// instruction of this function comes before it, never run.
        .globl  weft_context_entry
        .hidden weft_context_entry
        .type   weft_context_entry, %function
        .p2align 4
weft_context_entry:
        .cfi_startproc
        .cfi_def_cfa sp, 0
        .cfi_undefined x30
        udf     #0
        .if     . - weft_context_entry - WEFT_ENTRY_LANDING
        .error  "WEFT_ENTRY_LANDING is not where the landing is"
        .endif
        bti     j                               // the landing
        ldr     x16, [sp], #WEFT_FRESH_SIZE - WEFT_FRESH_ENTRY
        adr     x30, 1f                         // entry(arg) as by a call from stack_top, but unseen
        br      x16                             // by the return predictor; bti c, by way of x16
1:      udf     #0                              // entry never returns
        .cfi_endproc
        .size   weft_context_entry, . - weft_context_entry

// void weft_fp_env_save(fp_env*): the running thread's control word: rounding, flush-to-zero,
// traps. Apart from weft_switch, because almost no fiber changes it.
        .globl  weft_fp_env_save
        .hidden weft_fp_env_save
        .type   weft_fp_env_save, %function
        .p2align 4
weft_fp_env_save:
        .cfi_startproc
        bti     c
        mrs     x1, fpcr
        str     x1, [x0, #WEFT_FP_ENV_FPCR]
        ret
        .cfi_endproc
        .size   weft_fp_env_save, . - weft_fp_env_save

// void weft_fp_env_load(const fp_env*)
        .globl  weft_fp_env_load
        .hidden weft_fp_env_load
        .type   weft_fp_env_load, %function
        .p2align 4
weft_fp_env_load:
        .cfi_startproc
        bti     c
        ldr     x1, [x0, #WEFT_FP_ENV_FPCR]
        msr     fpcr, x1
        ret
        .cfi_endproc
        .size   weft_fp_env_load, . - weft_fp_env_load

        .section .note.GNU-stack, "", %progbits // no executable stack

// Branch target identification holds: each indirect branch above lands on a bti. Signed return
// addresses are not promised: where a context goes on is stored as it is.
        .section .note.gnu.property, "a", %note
        .p2align 3
        .long   4                               // size of the name
        .long   3f - 2f                         // size of the descriptor
        .long   5                               // NT_GNU_PROPERTY_TYPE_0
        .asciz  "GNU"
2:      .long   0xc0000000                      // GNU_PROPERTY_AARCH64_FEATURE_1_AND
        .long   4                               // size of its data
        .long   1                               // GNU_PROPERTY_AARCH64_FEATURE_1_BTI
        .long   0                               // padding to 8
3:
