/** The lab's API server as kubectl sees it, a program that is not ours. */
@NullMarked
package dev.sund.it.kubectl;

import org.jspecify.annotations.NullMarked;
