#!/bin/sh
# Builds bin/sund of a distribution: build.sh OUTPUT. CC names the compiler, so that
# CC=aarch64-linux-gnu-gcc builds it for arm64.
set -eu
exec "${CC:-gcc}" -std=gnu17 -Os -Wall -Wextra -Werror -static -s -o "$1" "$(dirname "$0")/sund.c"
