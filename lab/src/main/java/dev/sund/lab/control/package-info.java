/** How other terminals talk to a lab that stands: a Unix socket in the lab's directory. */
@NullMarked
package dev.sund.lab.control;

import org.jspecify.annotations.NullMarked;
