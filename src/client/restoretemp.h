/*
 * Short names in the folder where an item will be: for what is written before it takes its place. They can be told from
 * other names, so that the next restore clears away what one that was killed left behind.
 */
#ifndef CLIENT_RESTORETEMP_H
#define CLIENT_RESTORETEMP_H

#include "os/why.h"

enum { RESTORETEMP_NAME = 16 }; /* ".broch-XXXXXXXX" */

/* A new name. E_IO. */
MUST_USE enum err restoretemp_name(char out[RESTORETEMP_NAME]);

/*
 * Makes a new file in the folder ${at}, mode 0600, for reading and writing, held so that sweep leaves it alone; -1 with errno.
 */
int restoretemp_open(int at, char name[RESTORETEMP_NAME]);

/* Removes what was left in the folder ${fd} by restores that are not running any more. Failure is no harm. */
void restoretemp_sweep(int fd);

#endif
