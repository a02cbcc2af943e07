/**
 * What policies cost packets, and what is open while somebody has removed all rules.
 *
 * <p>A node in a namespace of its own with three pods, once each with a link of its own and once
 * all on one bridge; the drivers of an agent write what policies say.
 */
@NullMarked
package dev.sund.bench.policy;

import org.jspecify.annotations.NullMarked;
