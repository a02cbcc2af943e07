package dev.sund.kernel.route;

import static dev.sund.kernel.netlink.Netlink.NLM_F_CREATE;
import static dev.sund.kernel.netlink.Netlink.NLM_F_EXCL;

import dev.sund.kernel.netlink.NlWriter;
import dev.sund.kernel.route.RouteRequest.Intent;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** One change of a device's queues (tc), as part of a {@link RouteRequest.ChangeTraffic}. */
public sealed interface TrafficChange {
  /** What kind of change it is. */
  Intent intent();

  /** What is asked, for errors. */
  String operation();

  /** Of which device, by name, for errors. */
  String device();

  /** Writes the message. */
  void write(NlWriter out);

  /** What the device sends goes through a token bucket filter. Exclusive. */
  record CreateTbf(int index, String device, Tbf tbf) implements TrafficChange {
    @Override
    public Intent intent() {
      return Intent.CREATE;
    }

    @Override
    public String operation() {
      return "add tbf";
    }

    @Override
    public void write(NlWriter out) {
      out.message(Rtnl.RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
      header(out, index, 0x10000, Qdisc.ROOT, 0);
      out.string(Qdisc.TCA_KIND, "tbf").open(Qdisc.TCA_OPTIONS);
      tbf.writeOptions(out);
      out.unnest().end();
    }
  }

  /** What the device receives can be filtered. Exclusive. */
  record CreateIngress(int index, String device) implements TrafficChange {
    @Override
    public Intent intent() {
      return Intent.CREATE;
    }

    @Override
    public String operation() {
      return "add ingress qdisc";
    }

    @Override
    public void write(NlWriter out) {
      out.message(Rtnl.RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
      header(out, index, INGRESS_HANDLE, Qdisc.INGRESS, 0);
      out.string(Qdisc.TCA_KIND, "ingress").end();
    }
  }

  /**
   * All that the device receives is sent by another device first, whose queue it so waits in; then
   * it goes on as if it had just come in. Needs {@link CreateIngress}; exclusive.
   *
   * @param to the other device's ifindex
   */
  record RedirectReceived(int index, String device, int to) implements TrafficChange {
    private static final int U32_CLASSID = 1;
    private static final int U32_SEL = 5;
    private static final int U32_ACT = 7;
    private static final int TERMINAL = 1;
    private static final int FLOW = 0x10001;
    private static final int ACT_KIND = 1;
    private static final int ACT_OPTIONS = 2;
    private static final int MIRRED_PARMS = 2;
    private static final int TC_ACT_STOLEN = 4;
    private static final int TCA_EGRESS_REDIR = 1;
    private static final int ETH_P_ALL = 3;
    private static final int PRIORITY = 1;

    @Override
    public Intent intent() {
      return Intent.CREATE;
    }

    @Override
    public String operation() {
      return "add redirecting filter";
    }

    @Override
    public void write(NlWriter out) {
      out.message(Rtnl.RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL);
      int protocol =
          ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN
              ? ETH_P_ALL
              : Short.reverseBytes((short) ETH_P_ALL) & 0xffff;
      header(out, index, 0, INGRESS_HANDLE, PRIORITY << 16 | protocol);
      // struct tc_mirred: index, capabilities, action, references, binds; how; where.
      ByteBuffer mirred = ByteBuffer.allocate(28).order(ByteOrder.nativeOrder());
      mirred.putInt(8, TC_ACT_STOLEN).putInt(20, TCA_EGRESS_REDIR).putInt(24, to);
      // struct tc_u32_sel that ends here, with one key whose mask is 0: every packet.
      ByteBuffer every = ByteBuffer.allocate(32).put(0, (byte) TERMINAL).put(2, (byte) 1);
      out.string(Qdisc.TCA_KIND, "u32").open(Qdisc.TCA_OPTIONS).u32(U32_CLASSID, FLOW);
      out.bytes(U32_SEL, every.array()).open(U32_ACT).open(1);
      out.string(ACT_KIND, "mirred").open(ACT_OPTIONS).bytes(MIRRED_PARMS, mirred.array());
      out.unnest().unnest().unnest().unnest().end();
    }
  }

  /** The queue at {@code parent} goes, with its filters. */
  record DeleteQdisc(int index, String device, int parent) implements TrafficChange {
    @Override
    public Intent intent() {
      return Intent.DELETE;
    }

    @Override
    public String operation() {
      return "delete qdisc";
    }

    @Override
    public void write(NlWriter out) {
      out.message(Rtnl.RTM_DELQDISC, 0);
      header(out, index, 0, parent, 0);
      out.end();
    }
  }

  /** The handle that queues for received packets have. */
  int INGRESS_HANDLE = 0xffff0000;

  /** {@code struct tcmsg}. */
  private static void header(NlWriter out, int index, int handle, int parent, int info) {
    out.putZeros(4).putU32(index).putU32(handle).putU32(parent).putU32(info);
  }
}
