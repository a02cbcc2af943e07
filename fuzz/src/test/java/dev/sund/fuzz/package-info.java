/**
 * Fuzz targets: bytes from the kernel, which are believed to be well formed and read as if they
 * were not.
 *
 * <p>A target is a class with {@code fuzzerTestOneInput(byte[])}, as Jazzer wants it. {@code
 * fuzz/search TARGET SECONDS} lets Jazzer look for bytes that break one, beginning with the
 * recorded inputs in {@code src/test/resources/inputs}; what breaks one is recorded there too.
 * {@link dev.sund.fuzz.RecordedInputsTest} goes over them in every test run, without Jazzer, which
 * would take ten seconds to instrument what takes one to run.
 */
package dev.sund.fuzz;
