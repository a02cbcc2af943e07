/**
 * Claims on blocks of addresses, kept on the API server: one object {@code AddressBlock} of {@code
 * sund.dev/v1alpha1} for each block, changed by compare-and-swap on its {@code resourceVersion}.
 *
 * <pre>
 * apiVersion: sund.dev/v1alpha1
 * kind: AddressBlock
 * metadata: {name: v4-10-244-3-64-26}
 * spec:
 *   cidr: 10.244.3.64/26
 *   pool: default
 *   node: n1                                             # to whom the block is routed
 *   claims:
 *     n1: {boot: 5f0e..., agent: 9c1b....12, offsets: "0-15"}    # what n1 alone may give
 *     n2: {boot: 77aa..., agent: 01d2....3, offsets: "40-43"}    # what n2 has borrowed
 * </pre>
 *
 * <p>Objects are never deleted by agents: a block that lies idle has neither node nor claims. So no
 * version ever begins anew, which a comparison could take for the one it has seen.
 */
package dev.sund.kube.claims;
