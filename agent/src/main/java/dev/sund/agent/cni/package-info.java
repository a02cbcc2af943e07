/**
 * The Container Network Interface: a container runtime's calls, as records, and what serves them.
 *
 * <pre>
 * sund-cni ──► AttachServer ──► CniDispatch ──► {@link dev.sund.agent.cni.NetworkKind}: by the plugin's name
 *                  bytes        CniRequest      sund · bridge · portmap · host-local ...
 *                               NetworkConfig
 *              exit code, JSON ◄── CniResult or CniException, in the version that was asked for
 * </pre>
 *
 * <p>What all kinds of network have in common is here and nowhere else: versions, the environment's
 * words, the result's form in each version, the error object, which verb needs what. A kind adds
 * what its own keys mean and what it does to the kernel.
 *
 * <p>Facts are from the CNI specification 1.1.0 and its library: where the two differ (errors go to
 * standard output, {@code CNI_PATH} is demanded), runtimes follow the library and so does this.
 */
package dev.sund.agent.cni;
