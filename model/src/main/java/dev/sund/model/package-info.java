/**
 * The values Sund speaks in: {@link dev.sund.model.Ip}, {@link dev.sund.model.Prefix}, {@link
 * dev.sund.model.Mac}, the names of nodes and pods, the one catalogue of reasons ({@link
 * dev.sund.model.Reason}, {@link dev.sund.model.Condition}) and the identity of a rule ({@link
 * dev.sund.model.RuleId}).
 *
 * <p>A value of this package is valid by construction: constructors refuse what cannot be meant,
 * and {@code parse} methods name the text they refuse.
 */
package dev.sund.model;
