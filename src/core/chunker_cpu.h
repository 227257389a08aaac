/* Which of the chunker's code paths this processor, and the system on it, can run. */
#ifndef CORE_CHUNKER_CPU_H
#define CORE_CHUNKER_CPU_H

#include "core/chunker.h"

/*
 * CHUNKER_VAES_EMULATED is for tests: the VAES paths then do with AES-NI what the one instruction does, so that all the
 * rest of them can be tried on a processor without VAES (the wider one still needs AVX-512).
 */
#if defined(__x86_64__) && defined(__GNUC__)
#define CHUNKER_CPU_X86 1
#endif

bool chunker_cpu_has(enum chunker_path path);

#endif
