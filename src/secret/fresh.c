#include "secret/fresh.h"

#include "base/mem.h"
#include "crypto/derive.h"
#include "crypto/label.h"
#include "crypto/random.h"

void fresh_init(struct fresh *f, const struct device_secret *device, uint64_t (*clock_ns)(void),
	uint64_t process_id) {
	f->device = device ? *device : (struct device_secret){ { 0 } };
	f->clock_ns = clock_ns;
	f->process_id = process_id;
	atomic_init(&f->counter, 0);
}

void fresh_done(struct fresh *f) {
	mem_wipe(f, sizeof *f);
}

void fresh_set_device(struct fresh *f, const struct device_secret *device) {
	f->device = *device;
}

void fresh_mix(void *out, size_t n, const uint8_t r[KEY_SIZE], const struct device_secret *device,
	uint64_t clock_ns, uint64_t process_id, uint64_t counter) {
	struct derive d;
	derive_start(&d, LABEL_FRESH, span_of(r, KEY_SIZE));
	derive_bytes(&d, span_of(device->b, KEY_SIZE));
	derive_u64(&d, clock_ns);
	derive_u64(&d, process_id);
	derive_u64(&d, counter);
	derive_done(&d, out, n);
}

enum err fresh_bytes(struct fresh *f, void *out, size_t n) {
	uint8_t r[KEY_SIZE];
	enum err e = random_bytes(r, sizeof r);
	if (e) {
		mem_wipe(out, n);
		return e;
	}
	uint64_t counter = atomic_fetch_add_explicit(&f->counter, 1, memory_order_relaxed) + 1;
	fresh_mix(out, n, r, &f->device, f->clock_ns(), f->process_id, counter);
	mem_wipe(r, sizeof r);
	return OK;
}
