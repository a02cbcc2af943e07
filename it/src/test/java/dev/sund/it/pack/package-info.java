/** What is packed from a checkout, unpacked and run elsewhere. */
@NullMarked
package dev.sund.it.pack;

import org.jspecify.annotations.NullMarked;
