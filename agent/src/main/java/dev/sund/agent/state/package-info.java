/**
 * What the agent keeps on disk: which pods it has attached, and what it changed on the node.
 *
 * <pre>
 * STATE_DIR/version             the schema version that an agent must know, a decimal number
 * STATE_DIR/lock                held by the running agent
 * STATE_DIR/attachments/*.json  one file an attachment, replaced atomically
 * STATE_DIR/released/*.json     attachments removed a moment ago, whose addresses cool down
 * STATE_DIR/tunnels.json        addresses that the node's tunnels took from pools
 * </pre>
 *
 * <p>The kernel holds the truth about packets; these files hold what the kernel has no room for
 * (which container asked, where its namespace is).
 *
 * <p>An agent may be replaced by the one of the version after or before while pods run. So a schema
 * adds to the one before and changes nothing that it says; files are written once and not again by
 * an agent that did not make them, so what one does not know stays for those who do. A state that
 * asks for more is refused, untouched.
 */
package dev.sund.agent.state;
