package dev.sund.kernel.conntrack;

/**
 * The table of connections as a whole, of one namespace. The counters are sums over processors
 * since the namespace was made; each is 32 bits wide for one processor and goes round.
 *
 * @param entries connections now
 * @param limit the most there may be, {@code net.netfilter.nf_conntrack_max}; 0 for an old kernel
 * @param found lookups that found an entry
 * @param invalid packets that belong to no connection and may begin none
 * @param inserted entries made by hand or by a helper
 * @param insertFailed entries that could not be made, such as when two packets raced
 * @param dropped packets dropped because the table was full or an entry could not be made
 * @param earlyDropped entries thrown out for new ones when the table was full
 * @param errors ICMP errors that fit no connection
 * @param searchRestarts lookups begun again because the table was resized
 * @param clashesResolved races of two packets of one connection that lost none
 * @param chainsTooLong entries refused because their chain of the hash table was too long
 */
public record ConntrackStatistics(
    long entries,
    long limit,
    long found,
    long invalid,
    long inserted,
    long insertFailed,
    long dropped,
    long earlyDropped,
    long errors,
    long searchRestarts,
    long clashesResolved,
    long chainsTooLong) {}
