# The two commands of README. The build itself is Meson's; see meson.build.
#
#   make          prepares the machine and builds build/broch
#   make demo     the same, then shows the main job on folders of this machine
#   make check    the same, then all tests
#   make format   formats the C files

.PHONY: all prepare demo check format changelog clean

all: prepare
	@ninja -C build broch

prepare:
	@tools/bootstrap
	@tools/setup build

demo: all
	@tools/demo

check:
	@tools/bootstrap --tests
	@tools/check

format:
	@tools/check-format --fix

changelog:
	@tools/changelog > CHANGELOG.md

clean:
	rm -rf build build-asan build-tsan build-fuzz build-fuzz-lines
