/**
 * The doctor's checks inside of the agent: the same ones as {@code sund doctor} runs, on a timer,
 * as conditions and metrics.
 */
@NullMarked
package dev.sund.agent.checks;

import org.jspecify.annotations.NullMarked;
