#!/bin/sh
# Builds the CNI plugin: build.sh OUT [CC]. Static, so that it runs beside any C library and in any
# container's file system; CC may be a cross compiler, CFLAGS adds flags.
set -eu
source=$(dirname "$(readlink -f "$0")")/sund-cni.c
out=$1
cc=${2:-${CC:-gcc}}
mkdir -p "$(dirname "$out")"
# shellcheck disable=SC2086 # a list of words on purpose
"$cc" -std=c11 -Os -static -s -Wall -Wextra -Werror -ffunction-sections -fdata-sections \
  ${CFLAGS:-} -Wl,--gc-sections -o "$out.new" "$source"
mv "$out.new" "$out"
