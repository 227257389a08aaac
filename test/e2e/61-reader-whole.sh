#!/bin/bash
# Goal: that of 60-reader.sh, with a directory of 20,000 entries, an ordinary user, and every kind of change to every file.
READER_WHOLE=1 exec "$(dirname "$0")/60-reader.sh"
