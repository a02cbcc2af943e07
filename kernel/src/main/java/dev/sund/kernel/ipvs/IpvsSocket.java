package dev.sund.kernel.ipvs;

import dev.sund.kernel.Capability;
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
import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * IPVS of one namespace. Any platform thread, one at a time. The caller closes it. Deleting needs
 * CAP_NET_ADMIN.
 */
public final class IpvsSocket implements AutoCloseable {
  private static final int GENL_ID_CTRL = 16;
  private static final int CTRL_CMD_GETFAMILY = 3;
  private static final int CTRL_ATTR_FAMILY_ID = 1;
  private static final int CTRL_ATTR_FAMILY_NAME = 2;
  private static final int GENL_VERSION = 1;

  /** The length of {@code struct genlmsghdr}. */
  private static final int GENL_HEADER = 4;

  private static final int IPVS_CMD_DEL_SERVICE = 3;
  private static final int IPVS_CMD_ATTR_SERVICE = 1;
  private static final int IPVS_SVC_ATTR_AF = 1;
  private static final int IPVS_SVC_ATTR_PROTOCOL = 2;
  private static final int IPVS_SVC_ATTR_ADDR = 3;
  private static final int IPVS_SVC_ATTR_PORT = 4;
  private static final int AF_INET = 2;
  private static final int AF_INET6 = 10;
  private static final int ADDRESS_BYTES = 16;

  private final NetNs namespace;
  private final NetlinkSocket socket;

  private IpvsSocket(NetNs namespace, NetlinkSocket socket) {
    this.namespace = namespace;
    this.socket = socket;
  }

  /** Opens one; also where the kernel has no IPVS, which then has no servers. */
  public static IpvsSocket open(NetNs namespace) throws KernelException {
    return new IpvsSocket(
        namespace, NetlinkSocket.open(Netlink.NETLINK_GENERIC, namespace, Buffers.SMALL));
  }

  /** The virtual servers by address; none where there is no IPVS. */
  public List<VirtualServer> servers() throws KernelException {
    return IpvsText.servers(lines("ip_vs"));
  }

  /** How many connections of TCP and SCTP are established by IPVS. */
  public int established() throws KernelException {
    return IpvsText.established(lines("ip_vs_conn"));
  }

  private List<String> lines(String file) throws KernelException {
    return namespace.call(() -> {
      try {
        return Files.readAllLines(
            Path.of("/proc/thread-self/net", file), StandardCharsets.US_ASCII);
      } catch (IOException _) {
        return List.of(); // the module is not there
      }
    });
  }

  /**
   * Deletes virtual servers with their destinations; connections that they carry end.
   *
   * @return one outcome each, in order
   * @throws KernelException.NotFound when the kernel has no IPVS
   */
  public synchronized List<Outcome> delete(List<VirtualServer> servers) throws KernelException {
    if (servers.isEmpty()) {
      return List.of();
    }
    int family = family();
    NlWriter out = new NlWriter();
    for (VirtualServer server : servers) {
      boolean v4 = server.address().family() == Family.V4;
      out.message(family, 0)
          .putU8(IPVS_CMD_DEL_SERVICE)
          .putU8(GENL_VERSION)
          .putU16(0)
          .nest(IPVS_CMD_ATTR_SERVICE)
          .u16(IPVS_SVC_ATTR_AF, v4 ? AF_INET : AF_INET6)
          .u16(IPVS_SVC_ATTR_PROTOCOL, server.protocol())
          .bytes(IPVS_SVC_ATTR_ADDR, bytes(server.address()))
          .be16(IPVS_SVC_ATTR_PORT, server.port())
          .unnest()
          .end();
    }
    List<Ack> answers = socket.request(out);
    List<Outcome> outcomes = new ArrayList<>(answers.size());
    for (int i = 0; i < answers.size(); i++) {
      Ack answer = answers.get(i);
      outcomes.add(
          answer.isDone()
              ? Outcome.DONE
              : answer.failedWith(Errno.ESRCH) || answer.failedWith(Errno.ENOENT)
                  ? Outcome.ALREADY_GONE
                  : new Outcome.Failed(
                      answer.exception("delete virtual server", servers.get(i).toString())));
    }
    return outcomes;
  }

  /** An address as {@code union nf_inet_addr} has it. */
  private static byte[] bytes(Ip address) {
    byte[] all = new byte[ADDRESS_BYTES];
    byte[] own = address.toBytes();
    System.arraycopy(own, 0, all, 0, own.length);
    return all;
  }

  private int family() throws KernelException {
    NlWriter out =
        new NlWriter()
            .message(GENL_ID_CTRL, 0)
            .putU8(CTRL_CMD_GETFAMILY)
            .putU8(GENL_VERSION)
            .putU16(0)
            .string(CTRL_ATTR_FAMILY_NAME, "IPVS")
            .end();
    int[] number = new int[1];
    socket
        .ask(
            out,
            (_, body) -> {
              body.skip(GENL_HEADER);
              while (body.next()) {
                if (body.type() == CTRL_ATTR_FAMILY_ID) {
                  number[0] = body.u16();
                }
              }
            })
        .orThrow("find", "IPVS");
    if (number[0] == 0) {
      throw Errno.exception("find", "IPVS", Errno.ENOENT.number(), "", Capability.NET_ADMIN);
    }
    return number[0];
  }

  @Override
  public void close() {
    socket.close();
  }
}
