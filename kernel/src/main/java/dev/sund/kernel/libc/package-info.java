/**
 * The C library's functions, one Java method each, named as in the manual.
 *
 * <p>This package is not exported. A failed call returns the negated errno, as the kernel itself
 * does; the callers, who know what was asked of which object, turn it into a typed {@link
 * dev.sund.kernel.KernelException}. Functions of the C library are called by name and never system
 * calls by number, because the numbers differ between processors.
 */
@NullMarked
package dev.sund.kernel.libc;

import org.jspecify.annotations.NullMarked;
