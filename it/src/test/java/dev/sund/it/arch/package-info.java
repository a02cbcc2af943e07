/**
 * What the kernel module takes for granted, held against the C library's headers of each machine.
 */
@NullMarked
package dev.sund.it.arch;

import org.jspecify.annotations.NullMarked;
