#include "secretcase.h"

#include "fixedrandom.h"
#include "secret/xwing.h"

struct hash secretcase_hash(const struct casefile_case *c, const char *field) {
	struct hash h;
	casefile_copy(h.b, c, field, sizeof h.b);
	return h;
}

const uint8_t *secretcase_public(const struct casefile_case *c) {
	return casefile_fixed(c, "public", KEM_PUBLIC).ptr;
}

enum err secretcase_matches(bool good) {
	return good ? OK : E_COUNT;
}

void secretcase_fresh(struct fresh *f, const struct casefile_case *c) {
	struct device_secret device;
	casefile_copy(&device, c, "device", sizeof device);
	fixedrandom_install(casefile_fixed(c, "random", KEY_SIZE).ptr);
	fixedrandom_set_clock(casefile_number(c, "clock"));
	fresh_init(f, &device, fixedrandom_clock, casefile_number(c, "process"));
}

bool secretcase_all_zero(const uint8_t *p, size_t n) {
	for (size_t i = 0; i < n; i++)
		if (p[i]) return false;
	return true;
}
