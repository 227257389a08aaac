/* What a program that holds secrets does first. */
#ifndef OS_PROCESS_H
#define OS_PROCESS_H

/*
 * Opens closed standard input, output and error on /dev/null (so that no other file gets their
 * numbers), makes core dumps and tracing by others impossible, raises the limit of open files to
 * the hard one, and has the umask take nothing from the owner. What the system refuses stays as it
 * was.
 */
void process_prepare(void);

/* Core dumps alone: for programs that must not get the rest. */
void process_no_dumps(void);

/* How many files this process may open. */
unsigned long process_files_max(void);

#endif
