/**
 * Kernel objects as records: what a packet program is lowered to, and what is read back, in the
 * same types, so that wanted and found can be compared and printed.
 *
 * <p>{@link dev.sund.dataplane.rows.Lowering} is a pure function of program entries. Devices are
 * named by their names here; only drivers know their numbers.
 */
@NullMarked
package dev.sund.dataplane.rows;

import org.jspecify.annotations.NullMarked;
