/** What {@code sund audit} writes, in the programs that people open it with. */
@NullMarked
package dev.sund.it.audit;

import org.jspecify.annotations.NullMarked;
