#!/bin/sh
# Builds the CNI plugin: build.sh OUT [CC]. Static, so that it runs beside any C library and in any
# container's file system; CC may be a cross compiler, CFLAGS adds flags.
#
# Where nobody names a compiler and musl's is there (Debian's musl-tools), it is taken: a static
# program of glibc asks the processor what it can before main, which takes half of its life, and
# in a virtual machine most of it.
set -eu
source=$(dirname "$(readlink -f "$0")")/sund-cni.c
out=$1
cc=${2:-${CC:-}}
if [ -z "$cc" ]; then
  if command -v musl-gcc >/dev/null 2>&1; then cc=musl-gcc; else cc=gcc; fi
fi
mkdir -p "$(dirname "$out")"
# shellcheck disable=SC2086 # a list of words on purpose
"$cc" -std=c11 -Os -static -s -Wall -Wextra -Werror -ffunction-sections -fdata-sections \
  ${CFLAGS:-} -Wl,--gc-sections -o "$out.new" "$source"
mv "$out.new" "$out"
