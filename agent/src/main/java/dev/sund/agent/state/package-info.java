/**
 * What the agent keeps on disk: which pods it has attached, and what it changed on the node.
 *
 * <pre>
 * STATE_DIR/version             schema version, a decimal number
 * STATE_DIR/lock                held by the running agent
 * STATE_DIR/attachments/*.json  one file an attachment, replaced atomically
 * STATE_DIR/released/*.json     attachments removed a moment ago, whose addresses cool down
 * </pre>
 *
 * <p>The kernel holds the truth about packets; these files hold what the kernel has no room for
 * (which container asked, where its namespace is).
 */
package dev.sund.agent.state;
