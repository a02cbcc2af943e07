package dev.sund.kernel.conntrack;

import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Ack;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NetlinkSocket;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.kernel.route.Outcome;
import dev.sund.model.Family;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Lists and deletes connections of one namespace.
 *
 * <p>Any platform thread, one at a time. The caller closes it. Both need CAP_NET_ADMIN; a kernel
 * without conntrack or its netlink part answers {@link KernelException.Unsupported} or {@link
 * KernelException.Refused}.
 *
 * <pre>
 *   try (ConntrackSocket conntrack = ConntrackSocket.open(node)) {
 *     List&lt;ConntrackEntry&gt; stale = new ArrayList&lt;&gt;();
 *     conntrack.list(ConntrackFilter.ofProtocol(17), entry -> { if (isStale(entry)) stale.add(entry); });
 *     conntrack.delete(stale);
 *   }
 * </pre>
 */
public final class ConntrackSocket implements AutoCloseable {
  private final NetlinkSocket socket;
  private final NlWriter out = new NlWriter();

  private ConntrackSocket(NetlinkSocket socket) {
    this.socket = socket;
  }

  /** Opens one in a namespace, with small buffers: listings are read as they come. */
  public static ConntrackSocket open(NetNs namespace) throws KernelException {
    return new ConntrackSocket(
        NetlinkSocket.open(Netlink.NETLINK_NETFILTER, namespace, Buffers.SMALL));
  }

  /**
   * Hands each entry that matches to {@code sink}, as it is read: nothing is kept here, so a table
   * of any size costs the memory of one datagram.
   *
   * <p>The table changes while it is read, and no listing of it is a state of one moment: an entry
   * made meanwhile may be missing, and after a resize of the table one may come twice.
   *
   * @param sink may not use this socket
   */
  public synchronized void list(ConntrackFilter filter, Consumer<ConntrackEntry> sink)
      throws KernelException {
    if (filter.family().isPresent() || filter.protocol().isEmpty()) {
      listOnce(filter, sink);
    } else if (filter.destination().isPresent()) {
      listOnce(filter.of(filter.destination().get().family()), sink);
    } else { // the kernel filters by protocol within one family only
      for (Family family : Family.values()) {
        listOnce(filter.of(family), sink);
      }
    }
  }

  private void listOnce(ConntrackFilter filter, Consumer<ConntrackEntry> sink)
      throws KernelException {
    out.clear();
    ConntrackCodec.writeList(out, filter);
    socket.dump(
        "list connections",
        out,
        (type, body) -> {
          if (type == ConntrackCodec.NEW) {
            ConntrackEntry entry = ConntrackCodec.readEntry(body);
            if (filter.matches(entry)) {
              sink.accept(entry);
            }
          }
        });
  }

  /**
   * Deletes entries that a listing gave; one that ended meanwhile is {@link Outcome#ALREADY_GONE}.
   * So is, mostly, one whose tuple a newer connection has: the kernel makes an entry's number of
   * its place in memory, which the newer one may have got. Later ones are tried although earlier
   * ones failed.
   *
   * @return one outcome an entry, in order
   */
  public synchronized List<Outcome> delete(Collection<ConntrackEntry> entries)
      throws KernelException {
    if (entries.isEmpty()) {
      return List.of();
    }
    out.clear();
    List<Tuple> tuples = new ArrayList<>(entries.size());
    for (ConntrackEntry entry : entries) {
      tuples.add(entry.original());
      ConntrackCodec.writeDelete(out, entry.original(), entry.zone(), entry.id());
    }
    List<Ack> answers = socket.request(out);
    List<Outcome> outcomes = new ArrayList<>(answers.size());
    for (int i = 0; i < answers.size(); i++) {
      outcomes.add(outcome(tuples.get(i), answers.get(i)));
    }
    return outcomes;
  }

  /**
   * Deletes the connection that has this tuple in its original direction, whichever it is.
   *
   * @param zone of both directions, 0 for none
   * @return {@link Outcome#DONE} or {@link Outcome#ALREADY_GONE}
   * @throws KernelException when the kernel refuses
   */
  public synchronized Outcome delete(Tuple original, int zone) throws KernelException {
    out.clear();
    ConntrackCodec.writeDelete(out, original, zone, 0);
    Outcome outcome = outcome(original, socket.request(out).getFirst());
    outcome.orThrow();
    return outcome;
  }

  private static Outcome outcome(Tuple tuple, Ack answer) {
    if (answer.isDone()) {
      return Outcome.DONE;
    }
    return answer.failedWith(Errno.ENOENT)
        ? Outcome.ALREADY_GONE
        : new Outcome.Failed(answer.exception("delete connection", tuple.toString()));
  }

  /** The table as a whole: how full it is, and what went wrong. */
  public synchronized ConntrackStatistics statistics() throws KernelException {
    long[] whole = new long[Cta.STATS_GLOBAL_MAX_ENTRIES + 1];
    out.clear();
    ConntrackCodec.begin(out, ConntrackCodec.GET_STATS, 0, Optional.empty()).end();
    socket
        .ask(out, (_, body) -> ConntrackCodec.addStatistics(body, whole))
        .orThrow("read statistics of", "the table of connections");
    long[] sums = new long[Cta.STATS_CHAIN_TOOLONG + 1];
    out.clear();
    ConntrackCodec.begin(out, ConntrackCodec.GET_STATS_CPU, 0, Optional.empty()).end();
    socket.dump(
        "read statistics of connections",
        out,
        (_, body) -> ConntrackCodec.addStatistics(body, sums));
    return new ConntrackStatistics(
        whole[Cta.STATS_GLOBAL_ENTRIES],
        whole[Cta.STATS_GLOBAL_MAX_ENTRIES],
        sums[Cta.STATS_FOUND],
        sums[Cta.STATS_INVALID],
        sums[Cta.STATS_INSERT],
        sums[Cta.STATS_INSERT_FAILED],
        sums[Cta.STATS_DROP],
        sums[Cta.STATS_EARLY_DROP],
        sums[Cta.STATS_ERROR],
        sums[Cta.STATS_SEARCH_RESTART],
        sums[Cta.STATS_CLASH_RESOLVE],
        sums[Cta.STATS_CHAIN_TOOLONG]);
  }

  @Override
  public void close() {
    socket.close();
  }
}
