/*
 * Makes a system call fail, or deadly, for the rest of this process: for tests of faults that no
 * ordinary file system has. Only in a child made for it, as there is no way back.
 */
#ifndef TEST_FORBID_H
#define TEST_FORBID_H

#include <stdbool.h>

/*
 * From now on call ${number} (SYS_linkat…) fails with ${error}. False where the kernel has no such
 * filters.
 */
bool forbid_call(long number, int error);

/* From now on whoever makes call ${number} dies as of SIGKILL, before it has any effect. */
bool forbid_survival(long number);

#endif
