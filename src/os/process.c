#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void open_standard(void) {
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
		/*
		 * The lowest free number is this one: all below are open. Reading and writing both end at
		 * once.
		 */
		if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd) abort();
	}
}

void process_no_dumps(void) {
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	struct rlimit none = { 0 };
	(void)setrlimit(RLIMIT_CORE, &none);
}

static void raise_files(void) {
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

/* What this process makes, it must be able to open again. */
static void keep_owners_rights(void) {
	mode_t mask = umask(077);
	(void)umask(mask & 077);
}

void process_prepare(void) {
	open_standard();
	process_no_dumps();
	raise_files();
	keep_owners_rights();
}

unsigned long process_files_max(void) {
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 256;
	return (unsigned long)files.rlim_cur;
}
