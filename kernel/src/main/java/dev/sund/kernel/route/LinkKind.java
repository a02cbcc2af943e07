package dev.sund.kernel.route;

import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Mac;
import java.util.Optional;

/** What sort of device to make, with the settings that this sort alone has (IFLA_LINKINFO). */
public sealed interface LinkKind permits Vxlan, Ipip, LinkKind.Veth, LinkKind.Bridge, LinkKind.Ifb {

  /** The kernel's word for it (IFLA_INFO_KIND). */
  String name();

  /** Writes the attributes of IFLA_INFO_DATA. */
  void writeData(NlWriter out);

  /** Writes what this sort of device wants beside IFLA_LINKINFO: nothing, for most. */
  default void writeLink(NlWriter out) {}

  /**
   * One end of a pair; the other is made in its own namespace by the same message, so that it never
   * stands in ours.
   *
   * <p>Both ends have one queue each way. That is what the kernel uses of a pair anyhow; where
   * nobody says so it makes one for each processor first, and then waits for RCU twice to take the
   * others out of use again.
   *
   * @param peer the other end's name, there
   * @param mac the other end's address; empty: the kernel draws one
   * @param mtu the other end's MTU in bytes, 0 for the kernel's 1500
   * @param index the other end's ifindex, 0 to let the kernel choose
   * @param namespace the open namespace descriptor ({@link dev.sund.kernel.Fd#number}) where it is
   *     made, -1 for our own
   */
  record Veth(String peer, Optional<Mac> mac, int mtu, int index, int namespace)
      implements LinkKind {
    private static final int VETH_INFO_PEER = 1;

    public Veth {
      Link.checkName(peer);
    }

    @Override
    public String name() {
      return "veth";
    }

    @Override
    public void writeLink(NlWriter out) {
      out.u32(Link.IFLA_NUM_TX_QUEUES, 1).u32(Link.IFLA_NUM_RX_QUEUES, 1);
    }

    @Override
    public void writeData(NlWriter out) {
      // The peer's header may not say IFF_UP: the kernel answers ENOTCONN while this end is down.
      out.open(VETH_INFO_PEER);
      Link.putHeader(out, index, 0, 0);
      out.string(Link.IFLA_IFNAME, peer);
      mac.ifPresent(address -> out.mac(Link.IFLA_ADDRESS, address));
      if (mtu != 0) {
        out.u32(Link.IFLA_MTU, mtu);
      }
      if (namespace >= 0) {
        out.u32(Link.IFLA_NET_NS_FD, namespace);
      }
      writeLink(out);
      out.unnest();
    }
  }

  /**
   * A bridge.
   *
   * @param filtered whether the node's rules see what goes between two of its ports, see {@link
   *     BridgeFilter}; otherwise the kernel's own settings hold
   */
  record Bridge(boolean filtered) implements LinkKind {
    /** With the kernel's own settings, as Sund's tests and lab use it for subnets. */
    public Bridge() {
      this(false);
    }

    @Override
    public String name() {
      return "bridge";
    }

    @Override
    public void writeData(NlWriter out) {
      if (filtered) {
        BridgeFilter.ON.write(out);
      }
    }
  }

  /** A device whose only use is its queue: what is redirected to it waits there and goes back. */
  record Ifb() implements LinkKind {
    @Override
    public String name() {
      return "ifb";
    }

    @Override
    public void writeData(NlWriter out) {}
  }
}
