/**
 * Filters of packets in pcap's language (pcap-filter(7)), compiled to programs of classic BPF that
 * the kernel runs before a packet is copied anywhere.
 *
 * <pre>
 *   "tcp port 80 or 443" ─► {@link dev.sund.doctor.filter.FilterWords} ─► {@link dev.sund.doctor.filter.FilterParser} ─► Condition ─► {@link dev.sund.doctor.filter.FilterCode} ─► BPF
 *                                                  └ Primitives: what "port" means, byte by byte
 * </pre>
 *
 * <p>What an expression means is libpcap's affair, down to its corners: {@code and} and {@code or}
 * bind alike and from left to right; a word without a keyword takes the last one's; ports are never
 * those of later fragments; a load beyond a packet's end refuses the packet. A test compares the
 * verdicts with libpcap's own. Names of machines are not asked for: a capture should make no
 * traffic.
 */
package dev.sund.doctor.filter;
