/**
 * What policies of the API say of a connection, told from their text alone.
 *
 * <p>This is the other opinion: written from Kubernetes' documents and from {@code
 * docs/adr/0045-policies-fail-closed.md}, slowly and plainly, so that a reader can hold each method
 * against the sentence that it carries out. It shares no line with what it judges: nothing of
 * {@code dev.sund} outside of this package may be used here, which {@code ArrowsTest} holds. {@link
 * dev.sund.it.policy.oracle.Oracle} is the door.
 */
@NullMarked
package dev.sund.it.policy.oracle;

import org.jspecify.annotations.NullMarked;
