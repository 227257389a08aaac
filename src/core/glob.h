/*
 * One component of a pattern against one component of a path: `*`, `?`, classes and escapes. Characters are UTF-8
 * where the bytes are, single bytes where they are not. No slash is special here: neither side may have one.
 */
#ifndef CORE_GLOB_H
#define CORE_GLOB_H

#include "base/span.h"

/* Whether ${pattern} is well formed. */
bool glob_valid(struct span pattern);

/* Whether ${pattern} has no special character, so that it matches only itself. */
bool glob_is_literal(struct span pattern);

/* Whether the valid ${pattern} matches the whole of ${name}. In time of at most the product of their lengths. */
bool glob_match(struct span pattern, struct span name);

#endif
