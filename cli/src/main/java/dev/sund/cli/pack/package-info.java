/**
 * Makes of a checkout's build what people install: a folder with its own Java run time ({@link
 * dev.sund.cli.pack.Distribution}), packed as a tarball or, with a C library beside it, as the
 * archive of a container image ({@link dev.sund.cli.pack.OciArchive}).
 *
 * <p>Linking, compiling and packing are done by {@code jlink}, the C compiler and {@code tar}. What
 * comes out depends on the sources, the JDK and these programs; file times are those of the build,
 * since an ahead-of-time cache knows its jars by them.
 */
@NullMarked
package dev.sund.cli.pack;

import org.jspecify.annotations.NullMarked;
