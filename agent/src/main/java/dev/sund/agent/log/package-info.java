/**
 * The agent's log: one line an event, {@code key=value}, to one sink an agent.
 *
 * <p>Several agents may live in one process, so nothing here is static: a {@link
 * dev.sund.agent.log.LogSink} belongs to one agent and is handed to its parts as {@link
 * dev.sund.agent.log.Log}s. A line that repeats is written once and then counted; the count is said
 * when the line comes again after a while, or when the sink is flushed.
 */
package dev.sund.agent.log;
