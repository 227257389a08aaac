#include "core/chunker_cpu.h"

#ifdef CHUNKER_CPU_X86

#include <cpuid.h>

#ifdef CHUNKER_VAES_EMULATED
static bool has_vaes(void) {
	return true;
}
#else
/* Compilers of 2022 don't all know this one by name. What the system must save is checked with avx2 and avx512f. */
static bool has_vaes(void) {
	unsigned a, b, c, d;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (c >> 9 & 1) != 0;
}
#endif

static bool has_aes(void) {
	unsigned a, b, c, d;
	return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c >> 25 & 1) != 0 &&
		__builtin_cpu_supports("sse4.2") != 0;
}

bool chunker_cpu_has(enum chunker_path path) {
	switch (path) {
	case CHUNKER_PORTABLE: return true;
	case CHUNKER_AESNI: return has_aes();
	case CHUNKER_VAES256: return has_aes() && has_vaes() && __builtin_cpu_supports("avx2") != 0;
	case CHUNKER_VAES512:
		return has_aes() && has_vaes() && __builtin_cpu_supports("avx512f") != 0 &&
			__builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
			__builtin_cpu_supports("avx512dq") != 0;
	default: return false;
	}
}

#else

bool chunker_cpu_has(enum chunker_path path) {
	return path == CHUNKER_PORTABLE;
}

#endif
