// What a suspended context keeps on its stack, in bytes from its saved stack pointer. The only
// place where these numbers are written: asm/x86_64.S includes this file, and
// src/context/context.hpp asserts that struct saved_frame agrees. Macros only, so that the
// assembler's preprocessor can read it.
#pragma once

#define WEFT_FRAME_R15 0
#define WEFT_FRAME_R14 8
#define WEFT_FRAME_R13 16
#define WEFT_FRAME_R12 24
#define WEFT_FRAME_RBX 32
#define WEFT_FRAME_RBP 40
#define WEFT_FRAME_RIP 48     // where it goes on: the landing in switch_to, or weft_context_entry's
#define WEFT_FRAME_SIZE 56
#define WEFT_RED_ZONE 128     // left alone above the frame: the suspended code may use it

// From the saved stack pointer to the one that the suspended code had: the CFA of the unwind rules.
#define WEFT_FRAME_CFA (WEFT_FRAME_SIZE + WEFT_RED_ZONE)

// From weft_context_entry to the address at which a fresh context begins.
#define WEFT_ENTRY_LANDING 2

#define WEFT_FP_ENV_MXCSR 0
#define WEFT_FP_ENV_X87_CW 4
