// What a suspended context keeps on its stack, in bytes from its saved stack pointer. The only
// place where these numbers are written: asm/x86_64.S includes this file, and
// src/context/x86_64/backend.hpp asserts that struct saved_frame agrees. Macros only, so that the
// assembler's preprocessor can read it.
#pragma once

#define WEFT_FRAME_RBP 0
#define WEFT_FRAME_RIP 8      // where it goes on: the landing in switch_to, or weft_context_entry's

// From the saved stack pointer to the one that the suspended code had: the CFA of the unwind rules.
#define WEFT_FRAME_CFA 16

// A fresh context has one word more, where a call would have left its return address.
#define WEFT_FRESH_ENTRY 16
#define WEFT_FRESH_SIZE 24

// From weft_context_entry to the address at which a fresh context begins.
#define WEFT_ENTRY_LANDING 2

#define WEFT_FP_ENV_MXCSR 0
#define WEFT_FP_ENV_X87_CW 4
