/**
 * Translation of addresses by nf_tables: the {@code Masquerade}, {@code Frontends}, {@code
 * SourceRanges} and {@code Endpoints} tables of the packet program as the table {@code inet sund},
 * and back.
 *
 * <pre>
 *   table inet sund {                                  comment "made by sund"
 *     set nat-outgoing-v4, nat-outgoing-v6             one element a range, comment = its RuleId
 *     set cluster-v4, cluster-v6
 *     set bridged-v4, bridged-v6                       pairs of addresses of one range
 *     set neighbours-v4, neighbours-v6                 the same, where ports are asked by the node
 *     map frontends-v4, frontends-v6                   address . protocol . port : mark
 *     map frontends-node-v4, frontends-node-v6         protocol . port : mark, at the node's own
 *     map externals-v4 ...                             the same, where those outside get another
 *     map answers, answers-outside                     mark : goto lb-KIND-N
 *     map endpoints-v4 ...                             frontend . mark : address . port
 *     map hairpin-v4, hairpin-v6                       source . endpoint : source instead
 *     map lent-v4, lent-v6                             endpoint here : source of hidden clients
 *     map clients-v4, clients-v6                       client . what it asked : its endpoint
 *     set allowed-v4-24 ...                            frontend . network: one set a length in use
 *     set affinity-v4-10800 ...                        frontend: one set a time in use
 *     chain prerouting, output {                       type nat hook ... priority dstnat
 *       meta mark set ip daddr . meta l4proto . th dport map @frontends-v4 goto dispatch
 *       fib daddr type local meta mark set meta l4proto . th dport map @frontends-node-v4 ...
 *     }
 *     chain dispatch { meta mark vmap @answers }       dispatch-outside by the other map
 *     chain refuse { meta l4proto tcp reject with tcp reset; reject }
 *     chain lb-v4-5 {                                  one for each number of endpoints in use, and
 *       jump allowed-v4                                for each combination of these in use
 *       ip daddr 127.0.0.0/8 goto refuse
 *       ip saddr != @cluster-v4 ip saddr . ip saddr != @bridged-v4 fib saddr type != local
 *         meta mark set ... map @externals-v4 goto dispatch-outside
 *       meta mark set ... jump kept-v4
 *       meta mark set jhash ip saddr . udp sport mod 5 offset ... goto pick-v4
 *       meta mark set numgen random mod 5 offset ... goto pick-v4
 *     }
 *     chain allowed-v4 {
 *       ip daddr . meta l4proto . th dport . ip saddr and ... @allowed-v4-24 return
 *       counter drop
 *     }
 *     chain kept-v4 {
 *       dnat ip to ip saddr . ip daddr . meta l4proto . tcp dport map @clients-v4
 *     }
 *     chain pick-v4 {
 *       dnat ip to ip daddr . meta l4proto . tcp dport . meta mark map @endpoints-v4
 *     }
 *     chain learn {                                    from postrouting, and from hook input
 *       ct original ip daddr . meta l4proto . ct original proto-dst @affinity-v4-10800
 *         update @clients-v4 { ... timeout 3h : ip daddr . th dport } return
 *     }
 *     chain postrouting {                              type nat hook postrouting priority srcnat
 *       meta mark and ... == ... jump learn
 *       ip saddr @nat-outgoing-v4 ip daddr != @cluster-v4 counter masquerade fully-random
 *       ip6 saddr @nat-outgoing-v6 ip6 daddr != @cluster-v6 counter masquerade fully-random
 *       ip saddr . ip saddr @bridged-v4 ip saddr . ip daddr != @bridged-v4
 *         ip daddr != 224.0.0.0/4 counter masquerade fully-random      the same for IPv6
 *       meta mark and ... == ... ip saddr . ip daddr @neighbours-v4 counter masquerade
 *       snat ip to ip saddr . ip daddr map @hairpin-v4
 *       meta mark and ... == ... goto hide             frontends that hide every source
 *       meta mark and ... == ... ip saddr != @cluster-v4 goto hide
 *       meta mark and ... == ... fib saddr type local goto hide
 *     }
 *     chain hide {
 *       ct status and dnat == 0 return                 a tunnel's packet bears its content's mark
 *       snat ip to ip daddr map @lent-v4 fully-random
 *       counter masquerade fully-random
 *     }
 *     chain guard {                                    type filter hook input
 *       no pod asks, or speaks as, the node's loopback
 *     }
 *     chain strays {                                   type filter hook forward
 *       packets to and from pods that conntrack knows no connection of, and so would not translate
 *     }
 *   }
 * </pre>
 *
 * <p>All but the {@code lb} chains, and the sets by length and by time with their rules ({@link
 * dev.sund.dataplane.nft.TablePart}), is constant ({@link dev.sund.dataplane.nft.TableImage});
 * elements are the data, so a changed pool or endpoint is a few element messages in one
 * transaction, however many there are. Maps hold data and no verdicts, since the kernel walks all
 * elements of a verdict map at each commit that touches it; {@code answers} alone has verdicts, and
 * as many elements as there are numbers of endpoints. {@link dev.sund.dataplane.nft.MasqueradeLift}
 * and {@link dev.sund.dataplane.nft.FrontendLift} read the kernel's objects back as rows, {@link
 * dev.sund.dataplane.nft.TableCheck} names every difference, {@link
 * dev.sund.dataplane.nft.NftDriver} writes it.
 *
 * <p><b>Clients that keep their endpoint.</b> Rules write {@code clients-*}, and a restart or a
 * table that is made anew leaves them as they are. {@link dev.sund.dataplane.nft.StickyClients}
 * forgets those whose endpoint is gone. A packet to an endpoint on the node itself never leaves it,
 * so the hook {@code input} remembers too.
 *
 * <p><b>The mark.</b> What one rule finds another can only see in the packet's mark, so the first
 * packet of a translated connection has one of ours ({@link dev.sund.dataplane.nft.FrontendMark})
 * until it has left the node. Packets that meet no frontend keep theirs.
 *
 * <p><b>Ranges.</b> The program's rows may nest (a pod's address inside a pool) and touch; an
 * interval set refuses overlaps. Prefixes can only nest or be apart, and a nested row changes
 * nothing about who is in the set, so only the outermost rows become elements ({@link
 * dev.sund.dataplane.nft.OutermostRows}); a nested row is in force as long as the one around it is,
 * and becomes an element of its own when that one goes. Ranges that touch stay separate elements:
 * the sets do not have {@code auto-merge}.
 *
 * <p><b>Bridges.</b> What leaves a bridge's subnet is translated wherever it goes, also to another
 * bridge. So each subnet is an element that holds all pairs of its addresses: a source is on some
 * bridge when its pair with itself is in the set, and its destination is on the same one when their
 * pair is.
 *
 * <p><b>Ports</b> are chosen from a random start ({@code fully-random}), as flannel, Calico and
 * kube-proxy do: with plain {@code masquerade} two pods that ask the same server from the same port
 * at the same moment pick the same new port, and one of the packets is dropped when its connection
 * is confirmed.
 */
@NullMarked
package dev.sund.dataplane.nft;

import org.jspecify.annotations.NullMarked;
