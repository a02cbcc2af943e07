/**
 * What other programs made in the kernel, recognised in one place: kube-proxy's rules in the shapes
 * of its modes, how much of them is there, and how they go.
 *
 * <pre>
 *   mode iptables   chains KUBE-... of the tables filter, nat, mangle: of nf_tables or the older kind
 *   mode nftables   tables ip kube-proxy, ip6 kube-proxy
 *   mode ipvs       device kube-ipvs0, virtual servers, chains KUBE-...
 * </pre>
 *
 * <p>{@link dev.sund.dataplane.foreign.ProxyChains} knows the names, {@link
 * dev.sund.dataplane.foreign.ProxyLeavings} reads and removes. Nothing is removed but when a person
 * asks for it.
 */
@NullMarked
package dev.sund.dataplane.foreign;

import org.jspecify.annotations.NullMarked;
