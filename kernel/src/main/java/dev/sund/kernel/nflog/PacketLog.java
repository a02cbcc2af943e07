package dev.sund.kernel.nflog;

import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Ack;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NetlinkMonitor;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Checks;

/**
 * The one reader of a group of the packets' log in one namespace.
 *
 * <p>It is the reader from {@link #open} on; {@link #start} delivers on a platform thread of its
 * own until {@link #close}, with which the kernel forgets it. Needs CAP_NET_ADMIN.
 *
 * <pre>
 *   PacketLog log = PacketLog.open(node, 83, 128);
 *   log.start("drops", sink);
 * </pre>
 */
public final class PacketLog implements AutoCloseable {
  private static final int MOST_BYTES = 0xffff;

  /**
   * What may wait: the kernel counts about 1 KiB a packet, and rules may show some hundreds at
   * once. Nothing of it is taken before packets come.
   */
  private static final Buffers BUFFERS = new Buffers(8 << 10, 1 << 20, 32 << 10);

  private final NetlinkMonitor monitor;

  /** The number of the packet that comes next, if none is lost. */
  private int next;

  /** Takes what is delivered, on the thread of {@link #start}. */
  public interface Sink {
    /** Takes one packet. */
    void packet(LoggedPacket packet);

    /**
     * Packets that were shown did not come: the reader was too slow.
     *
     * @param packets how many
     */
    void lost(long packets);

    /** All that waited has been delivered; more may come after the return of this. */
    void drained();

    /** The log is read no more. */
    void failed(String why);
  }

  private PacketLog(NetlinkMonitor monitor) {
    this.monitor = monitor;
  }

  /**
   * Becomes a group's reader. Where the kernel can tell how packets' connections began, it does.
   *
   * @param group 0 to 65535
   * @param bytes how much of each packet is wanted, 1 to 65535; rules may show less
   * @throws KernelException.Busy when the group has a reader, in this process or another, or
   *     CAP_NET_ADMIN is missing
   */
  public static PacketLog open(NetNs namespace, int group, int bytes) throws KernelException {
    Checks.range("group", group, 0, 0xffff);
    Checks.range("bytes", bytes, 1, MOST_BYTES);
    NetlinkMonitor monitor = NetlinkMonitor.open(Netlink.NETLINK_NETFILTER, namespace, BUFFERS);
    try {
      Ack answer = bind(monitor, group, bytes, true);
      if (answer.failedWith(Errno.EOPNOTSUPP)) { // a kernel without NETFILTER_NETLINK_GLUE_CT
        answer = bind(monitor, group, bytes, false);
      }
      if (!answer.isDone()) {
        throw refused(answer, group);
      }
      return new PacketLog(monitor);
    } catch (KernelException | RuntimeException e) {
      monitor.close();
      throw e;
    }
  }

  /**
   * To a reader of a group that is another's, the kernel says what it says to one without rights.
   */
  private static KernelException refused(Ack answer, int group) {
    String object = "group " + group + " of the packets' log";
    return answer.failedWith(Errno.EPERM)
        ? Errno.exception(
            "read", object, Errno.EBUSY.number(), "another program reads it", Capability.NET_ADMIN)
        : answer.exception("read", object);
  }

  private static Ack bind(NetlinkMonitor monitor, int group, int bytes, boolean connections)
      throws KernelException {
    NlWriter request = new NlWriter();
    NflogCodec.writeBind(request, group, bytes, connections);
    return monitor.ask(request);
  }

  /**
   * Starts a daemon thread that delivers. It belongs to the namespace of the caller's thread, so
   * not to be called inside {@link NetNs#call}.
   */
  public Thread start(String threadName, Sink sink) {
    return monitor.start(threadName, new Decoding(sink));
  }

  /** Delivers what has come and returns without waiting; says whether anything came. */
  public boolean poll(Sink sink) throws KernelException {
    return monitor.poll(new Decoding(sink));
  }

  /** Ends the delivery, waits for its thread to leave, and closes. Not from inside the sink. */
  @Override
  public void close() {
    monitor.close();
  }

  /** Numbers that are left out are packets that are lost. */
  private final class Decoding implements NetlinkMonitor.Sink {
    private final Sink sink;

    Decoding(Sink sink) {
      this.sink = sink;
    }

    @Override
    public void message(int type, int flags, NlReader body) throws KernelException {
      if (type == NflogCodec.PACKET) {
        LoggedPacket packet = NflogCodec.readPacket(body);
        int missing = packet.sequence() - next;
        next = packet.sequence() + 1;
        if (missing > 0) {
          sink.lost(missing);
        }
        sink.packet(packet);
      }
    }

    @Override
    public void resync(String why) {
      // The next packet's number says how many.
    }

    @Override
    public void drained() {
      sink.drained();
    }

    @Override
    public void failed(String why) {
      sink.failed(why);
    }
  }
}
