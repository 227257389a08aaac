/*
 * Runs a fuzz target over files instead of under libFuzzer: each argument is a file or a folder of files. Every
 * file is run whole and cut short at a few places, from a heap block of its exact size, so that a sanitizer
 * sees a read past its end. A target fails by stopping the process.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (64u << 20)

static unsigned long runs;
static unsigned long failed;

static void run_one(const uint8_t *data, size_t size) {
	uint8_t *copy = malloc(size ? size : 1);

	if (copy == NULL) {
		failed++;
		return;
	}
	if (size > 0) memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	runs++;
}

static void run_file(const char *path) {
	uint8_t *data = NULL;
	struct stat st;
	size_t size;
	FILE *f = fopen(path, "rb");

	if (f == NULL || fstat(fileno(f), &st) != 0 || st.st_size < 0 || st.st_size > INPUT_MAX)
		goto fail;
	size = (size_t)st.st_size;
	data = malloc(size + 1);
	if (data == NULL || fread(data, 1, size, f) != size) goto fail;
	run_one(data, size);
	for (size_t cut = 1; cut <= size && cut <= 8; cut++) run_one(data, size - cut);
	for (size_t part = 1; part < 8; part++) run_one(data, size / 8 * part);
	free(data);
	fclose(f);
	return;
fail:
	fprintf(stderr, "%s: can't be read whole\n", path);
	failed++;
	free(data);
	if (f != NULL) fclose(f);
}

static void run_path(const char *path) {
	struct dirent **names = NULL;
	struct stat st;
	int n;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		run_file(path);
		return;
	}
	n = scandir(path, &names, NULL, alphasort);
	if (n < 0) {
		fprintf(stderr, "%s: no such corpus\n", path);
		failed++;
		return;
	}
	for (int i = 0; i < n; i++) {
		char *full = NULL;

		if (names[i]->d_name[0] != '.') {
			if (asprintf(&full, "%s/%s", path, names[i]->d_name) < 0) abort();
			run_file(full);
			free(full);
		}
		free(names[i]);
	}
	free(names);
}

int main(int argc, char **argv) {
	for (int i = 1; i < argc; i++) run_path(argv[i]);
	run_one((const uint8_t *)"", 0);
	if (runs <= 1 && failed == 0) {
		fprintf(stderr, "the corpus is empty\n");
		failed++;
	}
	printf("%lu passed, %lu failed\n", runs, failed);
	return failed != 0;
}
