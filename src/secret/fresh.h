/*
 * Where all new secrets, encapsulation seeds and nonces come from: the system's generator, mixed
 * with the device's secret, the clock, the process and a counter, so that two clones of a machine
 * never repeat a key (doc/spec/crypto.md section 3). May be used by several threads at once.
 */
#ifndef SECRET_FRESH_H
#define SECRET_FRESH_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/err.h"
#include "secret/keys.h"

struct fresh {
	struct device_secret device;
	uint64_t (*clock_ns)(void);
	uint64_t process_id;
	_Atomic uint64_t counter;
};

/*
 * ${device} may be NULL while there is no device yet. ${clock_ns} must be callable from any
 * thread.
 */
void fresh_init(struct fresh *f, const struct device_secret *device, uint64_t (*clock_ns)(void),
	uint64_t process_id);
void fresh_done(struct fresh *f); /* wipes */

/* From now on mixes in the secret of the device just made. Not while other threads use ${f}. */
void fresh_set_device(struct fresh *f, const struct device_secret *device);

/*
 * Fills ${out} with ${n} bytes. E_IO if the system's generator is broken: stop then; ${out} is
 * wiped.
 */
MUST_USE enum err fresh_bytes(struct fresh *f, void *out, size_t n);

/* What is mixed, for vectors: ${r} is 32 bytes of the system's generator. */
void fresh_mix(void *out, size_t n, const uint8_t r[KEY_SIZE], const struct device_secret *device,
	uint64_t clock_ns, uint64_t process_id, uint64_t counter);

#endif
