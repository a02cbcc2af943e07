package dev.sund.kernel.nft;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NetlinkMonitor;
import dev.sund.kernel.netlink.NlReader;

/**
 * A subscription to the changes of nf_tables in one namespace (NFNLGRP_NFTABLES).
 *
 * <p>Subscribed from {@link #open} on; {@link #run} delivers on the calling platform thread until
 * {@link #close}, which any thread may call. A change that this very process made is told too: its
 * {@link Generation#process} is then one of our threads.
 */
public final class NftMonitor implements AutoCloseable {
  private static final int NFNLGRP_NFTABLES = 7;

  private final NetlinkMonitor monitor;

  /** Takes what is delivered, on the thread of {@link #run}. */
  public interface Sink {
    /** Takes one event. */
    void event(NftEvent event);

    /** Events were lost, or one could not be read: read the whole state again. */
    void resync(String why);
  }

  private NftMonitor(NetlinkMonitor monitor) {
    this.monitor = monitor;
  }

  /** Subscribes. */
  public static NftMonitor open(NetNs namespace) throws KernelException {
    return open(namespace, Buffers.DEFAULT);
  }

  /** Subscribes, with buffers of these sizes. */
  public static NftMonitor open(NetNs namespace, Buffers buffers) throws KernelException {
    return new NftMonitor(
        NetlinkMonitor.open(Netlink.NETLINK_NETFILTER, namespace, buffers, NFNLGRP_NFTABLES));
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

  private static NetlinkMonitor.Sink decodingInto(Sink sink) {
    return new NetlinkMonitor.Sink() {
      @Override
      public void message(int type, int flags, NlReader body) throws KernelException {
        sink.event(NftCodec.readEvent(type, body));
      }

      @Override
      public void resync(String why) {
        sink.resync(why);
      }
    };
  }
}
