package dev.sund.kernel.conntrack;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NetlinkMonitor;
import dev.sund.kernel.netlink.NlReader;
import java.time.Duration;

/**
 * A subscription to connections that begin in one namespace (NFNLGRP_CONNTRACK_NEW): each is told
 * when its first packet has passed all rules of this machine, so never one that they dropped, and
 * never an answer.
 *
 * <p>While anybody is subscribed the kernel makes a message for each new connection. It makes none
 * where {@code net.netfilter.nf_conntrack_events} is 0, and says nothing of that.
 *
 * <p>Subscribed from {@link #open} on. {@link #await} and {@link #poll} on one platform thread;
 * {@link #close} from any.
 */
public final class ConntrackMonitor implements AutoCloseable {
  private static final int NFNLGRP_CONNTRACK_NEW = 1;

  private final NetlinkMonitor monitor;

  /** Takes what is delivered, on the thread that polls. */
  public interface Sink {
    /** A connection has begun. */
    void began(ConntrackEntry entry);

    /** The kernel dropped messages, because too many waited. */
    void overrun();

    /** A message could not be read. */
    void unreadable(String why);
  }

  private ConntrackMonitor(NetlinkMonitor monitor) {
    this.monitor = monitor;
  }

  /** Subscribes; CAP_NET_ADMIN for the size of the buffer. */
  public static ConntrackMonitor open(NetNs namespace, Buffers buffers) throws KernelException {
    return new ConntrackMonitor(
        NetlinkMonitor.open(Netlink.NETLINK_NETFILTER, namespace, buffers, NFNLGRP_CONNTRACK_NEW));
  }

  /**
   * Waits until something has come, at most so long, and delivers nothing.
   *
   * @return whether something has come
   */
  public boolean await(Duration limit) throws KernelException {
    return monitor.await(limit);
  }

  /**
   * Delivers what has come, without waiting.
   *
   * @throws KernelException when the socket itself fails
   */
  public void poll(Sink sink) throws KernelException {
    monitor.poll(
        new NetlinkMonitor.Sink() {
          @Override
          public void message(int type, int flags, NlReader body) {
            if (type == ConntrackCodec.NEW) {
              try {
                sink.began(ConntrackCodec.readEntry(body));
              } catch (KernelException.Malformed e) {
                sink.unreadable(String.valueOf(e.getMessage()));
              }
            }
          }

          @Override
          public void resync(String why) {
            sink.overrun();
          }
        });
  }

  @Override
  public void close() {
    monitor.close();
  }
}
