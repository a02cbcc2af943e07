package dev.sund.kernel.route;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NetlinkMonitor;
import dev.sund.kernel.netlink.NlReader;
import java.util.function.Consumer;

/**
 * A subscription to the changes of links, addresses, routes, rules, neighbours and FDB of one
 * namespace. Needs no capability.
 *
 * <p>Subscribe first, then read the state, then follow: nothing is missed that way. {@link
 * RouteEvent.Resync} says when something was.
 */
public final class RouteMonitor implements AutoCloseable {
  private final NetlinkMonitor monitor;

  private RouteMonitor(NetlinkMonitor monitor) {
    this.monitor = monitor;
  }

  /** Subscribes, with {@link Buffers#DEFAULT}. */
  public static RouteMonitor open(NetNs namespace) throws KernelException {
    return open(namespace, Buffers.DEFAULT);
  }

  /** Subscribes. */
  public static RouteMonitor open(NetNs namespace, Buffers buffers) throws KernelException {
    return new RouteMonitor(
        NetlinkMonitor.open(
            Netlink.NETLINK_ROUTE,
            namespace,
            buffers,
            Rtnl.RTNLGRP_LINK,
            Rtnl.RTNLGRP_NEIGH,
            Rtnl.RTNLGRP_IPV4_IFADDR,
            Rtnl.RTNLGRP_IPV4_ROUTE,
            Rtnl.RTNLGRP_IPV4_RULE,
            Rtnl.RTNLGRP_IPV6_IFADDR,
            Rtnl.RTNLGRP_IPV6_ROUTE,
            Rtnl.RTNLGRP_IPV6_RULE));
  }

  /** Delivers on this platform thread until {@link #close}. */
  public void run(Consumer<RouteEvent> sink) throws KernelException {
    monitor.run(new Decoder(sink));
  }

  /**
   * Delivers what has come, without waiting.
   *
   * @return whether anything came
   */
  public boolean poll(Consumer<RouteEvent> sink) throws KernelException {
    return monitor.poll(new Decoder(sink));
  }

  /** Starts a daemon thread that runs; see {@link NetlinkMonitor#start}. */
  public Thread start(String threadName, Consumer<RouteEvent> sink) {
    return monitor.start(threadName, new Decoder(sink));
  }

  /** Ends the subscription and waits for {@link #run} to return. Not from inside the sink. */
  @Override
  public void close() {
    monitor.close();
  }

  private record Decoder(Consumer<RouteEvent> sink) implements NetlinkMonitor.Sink {
    @Override
    public void message(int type, int flags, NlReader body) throws KernelException {
      RouteMessages.decode(type, flags, body).ifPresent(sink);
    }

    @Override
    public void resync(String why) {
      sink.accept(new RouteEvent.Resync(why));
    }
  }
}
