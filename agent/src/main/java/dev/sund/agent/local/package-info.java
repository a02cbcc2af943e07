/**
 * The agent's local socket: what the container runtime's plugin, the {@code sund} command and the
 * lab ask of the agent of their node.
 *
 * <pre>
 * plugin ── JSON, end of writing ──► RUN_DIR/agent.sock (0600) ──► {@link LocalCalls}
 *        ◄── '0' or '1', then JSON ──
 * </pre>
 *
 * <p>One request a connection. The first byte of the answer is the exit code of whoever asks, so
 * that the plugin needs no JSON parser; what follows goes to its standard output.
 */
package dev.sund.agent.local;
