// What a suspended context keeps on its stack, in bytes from its saved stack pointer. The only
// place where these numbers are written: asm/aarch64.S includes this file, and
// src/context/aarch64/backend.hpp asserts that struct saved_frame agrees. Macros only, so that the
// assembler's preprocessor can read it.
#pragma once

#define WEFT_FRAME_X29 0
#define WEFT_FRAME_X30 8      // where it goes on: the landing in switch_to, or weft_context_entry's

// From the saved stack pointer to the one that the suspended code had: the CFA of the unwind rules.
#define WEFT_FRAME_CFA 16

// A fresh context has two words more; the second only keeps the stack pointer a multiple of 16.
#define WEFT_FRESH_ENTRY 16
#define WEFT_FRESH_SIZE 32

// From weft_context_entry to the address at which a fresh context begins.
#define WEFT_ENTRY_LANDING 4

#define WEFT_FP_ENV_FPCR 0
