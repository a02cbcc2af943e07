package dev.sund.dataplane.probe;

import dev.sund.dataplane.probe.ProbeFinding.Answer;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.conntrack.ConntrackEntry;
import dev.sund.kernel.conntrack.ConntrackFilter;
import dev.sund.kernel.conntrack.ConntrackSocket;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.Protocol;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One real connection attempt: for TCP a handshake, ended by a reset as soon as it stands, as the
 * kubelet's own probes of ports do; for UDP one datagram of the ten bytes {@value
 * Marks#PROBE_TEXT}. Needs CAP_NET_ADMIN and CAP_SYS_ADMIN, and not CAP_NET_RAW.
 */
public final class KernelProbe {
  private static final Duration STEP = Duration.ofMillis(2);

  /** What the kernel still tells after the answer is here. */
  private static final Duration AFTER = Duration.ofMillis(30);

  private KernelProbe() {}

  /**
   * Sends a probe and follows it; all that it made is gone when this returns. On a platform thread.
   *
   * @param node the namespace whose rules are watched
   * @param sender the namespace that it is sent from: a pod's on this node, or {@code node}
   * @param protocol TCP or UDP
   * @param patience how long an answer is waited for
   * @throws KernelException when the kernel refuses something, with the reason
   */
  public static ProbeFinding send(
      NetNs node, NetNs sender, Ip to, Protocol protocol, int port, Duration patience)
      throws KernelException, InterruptedException {
    Endpoint remote = new Endpoint(to, port);
    try (NetSocket socket = sender.call(() -> bound(remote, protocol))) {
      Endpoint local = socket.local();
      ProbeFlow flow = new ProbeFlow(local.ip(), local.port(), to, protocol, port);
      try (TracedFlow traced = TracedFlow.open(node, ProbeRules.of(flow))) {
        Answer answer = ask(socket, remote, protocol, traced, patience);
        long end = System.nanoTime() + AFTER.toNanos();
        do {
          Thread.sleep(STEP);
          traced.poll();
        } while (System.nanoTime() < end);
        return traced.finding(flow, answer);
      } finally {
        socket.close();
        Thread.sleep(AFTER); // its reset is on the way
        forget(node, flow);
      }
    }
  }

  /**
   * Removes the table of a probe whose process was killed.
   *
   * @param dryRun only look
   * @return whether there is, or was, one
   */
  public static boolean removeLeft(NetNs node, boolean dryRun) throws KernelException {
    try (NftSocket nft = NftSocket.open(node)) {
      return dryRun ? TracedFlow.isLeft(nft) : TracedFlow.removeLeft(nft);
    }
  }

  /** A socket whose address and port are known before anything is sent. */
  private static NetSocket bound(Endpoint remote, Protocol protocol) throws KernelException {
    Ip own;
    try (NetSocket scout = NetSocket.udp(remote.ip().family())) {
      Errno.check(scout.tryConnect(remote), "find the source for", remote.toString());
      own = scout.local().ip();
    }
    NetSocket socket =
        protocol == Protocol.TCP
            ? NetSocket.tcp(remote.ip().family()).resetOnClose().largestSegment(Marks.PROBE_SEGMENT)
            : NetSocket.udp(remote.ip().family());
    try {
      return socket.bind(new Endpoint(own, 0));
    } catch (KernelException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private static Answer ask(
      NetSocket socket, Endpoint remote, Protocol protocol, TracedFlow traced, Duration patience)
      throws KernelException, InterruptedException {
    int error = -socket.tryConnect(remote);
    if (error > 0 && error != Errno.EINPROGRESS.number()) {
      return meaning(error);
    }
    MessageBuffer buffer = new MessageBuffer(64);
    if (protocol == Protocol.UDP) {
      byte[] text = Marks.PROBE_TEXT.getBytes(StandardCharsets.US_ASCII);
      buffer.data().put(0, text);
      int sent = buffer.send(socket, text.length);
      if (sent < 0) {
        return meaning(-sent);
      }
    }
    long end = System.nanoTime() + patience.toNanos();
    while (true) {
      boolean last = System.nanoTime() >= end; // what has come counts, also when nobody looked
      traced.poll();
      error = socket.pendingError();
      if (error != 0) {
        return meaning(error);
      }
      if (protocol == Protocol.TCP ? isConnected(socket) : buffer.receive(socket) >= 0) {
        return Answer.ANSWERED;
      }
      if (last || traced.isDropped()) {
        return Answer.NONE;
      }
      Thread.sleep(STEP);
    }
  }

  private static Answer meaning(int error) {
    return error == Errno.ECONNREFUSED.number() || error == Errno.ECONNRESET.number()
        ? Answer.REFUSED
        : Answer.UNREACHABLE;
  }

  private static boolean isConnected(NetSocket socket) {
    try {
      socket.remote();
      return true;
    } catch (KernelException _) {
      return false; // not yet
    }
  }

  /** Deletes the connection of a probe from a node's table. */
  static void forget(NetNs node, ProbeFlow flow) throws KernelException {
    try (ConntrackSocket conntrack = ConntrackSocket.open(node)) {
      List<ConntrackEntry> entries = new ArrayList<>();
      conntrack.list(
          ConntrackFilter.to(flow.protocol().number(), flow.destination(), flow.port()),
          entry -> {
            if (entry.original().source().equals(flow.source())
                && entry.original().sourcePort() == flow.sourcePort()) {
              entries.add(entry);
            }
          });
      conntrack.delete(entries);
    } catch (KernelException.Unsupported | KernelException.Refused _) {
      // A kernel without a table of connections has nothing to forget.
    }
  }
}
