/**
 * Descriptors, network namespaces, sysctls and the kernel's errors.
 *
 * <p>{@link dev.sund.kernel.Fd} owns a file descriptor and closes it once. {@link
 * dev.sund.kernel.NetNs} names a network namespace and runs work inside it, on a thread of its own
 * that dies afterwards. {@link dev.sund.kernel.KernelException} is the one exception of this
 * module: sealed, checked, with the operation, the object, the errno and the kernel's own words.
 * {@link dev.sund.kernel.Errno} is the one place that knows what a number means.
 *
 * <p>Whatever may block refuses virtual threads: a native call holds its carrier, and a namespace
 * that a virtual thread entered would stay with the carrier and with every virtual thread after it.
 */
@NullMarked
package dev.sund.kernel;

import org.jspecify.annotations.NullMarked;
