#include "format/moment.h"

enum { NANOS = 1000000000 };

struct moment moment_read(struct reader *r) {
	struct moment m;
	m.seconds = reader_i64(r);
	m.nanos = reader_u32(r);
	if (m.nanos >= NANOS) reader_fail(r);
	return m;
}

void moment_write(struct writer *w, struct moment m) {
	writer_i64(w, m.seconds);
	writer_u32(w, m.nanos);
}
