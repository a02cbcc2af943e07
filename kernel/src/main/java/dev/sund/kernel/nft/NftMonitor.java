package dev.sund.kernel.nft;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NetlinkMonitor;
import dev.sund.kernel.netlink.NlReader;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/**
 * A subscription to the changes of nf_tables in one namespace (NFNLGRP_NFTABLES).
 *
 * <p>Subscribed from {@link #open} on; {@link #run} delivers on the calling platform thread until
 * {@link #close}, which any thread may call. A change that this very process made is told too,
 * unless {@link #openFor(NetNs, Set, Set, Predicate, IntPredicate)} says by which sockets.
 */
public final class NftMonitor implements AutoCloseable {
  private static final int NFNLGRP_NFTABLES = 7;

  private final NetlinkMonitor monitor;
  private final Optional<Scope> scope;

  /** The table whose changes are told. */
  private record Scope(Set<NftFamily> families, Set<String> tables, Predicate<String> forwarding) {}

  /** Takes what is delivered, on the thread of {@link #run}. */
  public interface Sink {
    /** Takes one event. */
    void event(NftEvent event);

    /** Events were lost, or one could not be read: read the whole state again. */
    void resync(String why);
  }

  private NftMonitor(NetlinkMonitor monitor, Optional<Scope> scope) {
    this.monitor = monitor;
    this.scope = scope;
  }

  /** Subscribes. */
  public static NftMonitor open(NetNs namespace) throws KernelException {
    return open(namespace, Buffers.DEFAULT);
  }

  /** Subscribes, with buffers of these sizes. */
  public static NftMonitor open(NetNs namespace, Buffers buffers) throws KernelException {
    return new NftMonitor(subscribed(namespace, buffers, _ -> false), Optional.empty());
  }

  /**
   * Subscribes to the changes of one table. Those of others are passed over without being decoded,
   * so that a busy neighbour costs little; {@link NftEvent.Committed} is told for every
   * transaction.
   */
  public static NftMonitor openFor(NetNs namespace, NftFamily family, String table)
      throws KernelException {
    return openFor(namespace, Set.of(family), Set.of(table), _ -> false, _ -> false);
  }

  /**
   * As {@link #openFor(NetNs, NftFamily, String)} for several, in several families, and of other
   * tables what decides whether packets are forwarded: tables that go, base chains at the hook
   * forward and chains of these names, and rules that go from them.
   *
   * @param forwarding names of chains
   * @param own the {@link NftSocket#port}s whose transactions are not told: {@link
   *     Generation#process} would not do, since it is a number of the first PID namespace, which a
   *     process in a container does not know of itself
   */
  public static NftMonitor openFor(
      NetNs namespace,
      Set<NftFamily> families,
      Set<String> tables,
      Predicate<String> forwarding,
      IntPredicate own)
      throws KernelException {
    return new NftMonitor(
        subscribed(namespace, Buffers.DEFAULT, own),
        Optional.of(new Scope(Set.copyOf(families), Set.copyOf(tables), forwarding)));
  }

  private static NetlinkMonitor subscribed(NetNs namespace, Buffers buffers, IntPredicate own)
      throws KernelException {
    return NetlinkMonitor.open(
        Netlink.NETLINK_NETFILTER, namespace, buffers, own, NFNLGRP_NFTABLES);
  }

  /** Delivers to {@code sink} until {@link #close}, on this thread. */
  public void run(Sink sink) throws KernelException {
    monitor.run(decodingInto(sink));
  }

  /** Delivers what has come and returns without waiting; says whether anything came. */
  public boolean poll(Sink sink) throws KernelException {
    return monitor.poll(decodingInto(sink));
  }

  /** Starts a daemon thread that runs; see {@link NetlinkMonitor#start}. */
  public Thread start(String threadName, Sink sink) {
    return monitor.start(threadName, decodingInto(sink));
  }

  @Override
  public void close() {
    monitor.close();
  }

  private static boolean isAboutOne(int type, NlReader body, Scope scope) throws KernelException {
    for (String table : scope.tables()) {
      for (NftFamily family : scope.families()) {
        if (NftCodec.isAbout(type, body.ahead(), family, table)) {
          return true;
        }
      }
    }
    return false;
  }

  private NetlinkMonitor.Sink decodingInto(Sink sink) {
    return new NetlinkMonitor.Sink() {
      @Override
      public void message(int type, int flags, NlReader body) throws KernelException {
        if (scope.isEmpty()
            || isAboutOne(type, body, scope.get())
            || NftCodec.mayForward(type, body.ahead(), scope.get().forwarding())) {
          sink.event(NftCodec.readEvent(type, body));
        }
      }

      @Override
      public void resync(String why) {
        sink.resync(why);
      }
    };
  }
}
