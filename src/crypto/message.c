#include "crypto/message.h"

static enum err add_all(
	struct buf *out, struct span context, const struct span *parts, size_t count) {
	enum err e = buf_add(out, context);
	if (!e) e = buf_add_zero(out, 1);
	for (size_t i = 0; i < count && !e; i++) e = buf_add(out, parts[i]);
	return e;
}

enum err message_build(
	struct buf *out, const char *context, const struct span *parts, size_t count) {
	struct span name = span_text(context);
	size_t need = name.len + 1;
	buf_init(out, MESSAGE_MAX);
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len > MESSAGE_MAX || need > MESSAGE_MAX) return E_LIMIT;
		need += parts[i].len;
	}
	enum err e = buf_reserve(out, need);
	if (!e) e = add_all(out, name, parts, count);
	if (e) buf_free(out);
	return e;
}
