/**
 * Fuzz targets: bytes from the kernel, which are believed to be well formed and read as if they
 * were not.
 *
 * <p>A normal build runs each target over its recorded inputs, in {@code
 * src/test/resources/.../TESTInputs/METHOD}. To search for new ones: {@code JAZZER_FUZZ=1 mvn -pl
 * fuzz -am test -Dtest=NetlinkFuzzTest#route -DexcludedGroups= -Dgroups=fuzz
 * -Dsurefire.failIfNoSpecifiedTests=false}. What it finds is recorded beside the others.
 */
package dev.sund.fuzz;
