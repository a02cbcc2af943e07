/** What the engine costs: a change beside compiling all, and beside a small cluster. */
@NullMarked
package dev.sund.bench.engine;

import org.jspecify.annotations.NullMarked;
