package dev.sund.dataplane.testing;

import dev.sund.engine.PodDevices;
import dev.sund.engine.cluster.Attachment;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;

/**
 * A pod in its own namespace.
 *
 * @param node its node
 * @param attachment as its node knows it
 * @param ns its namespace
 */
public record TestPod(TestNode node, Attachment attachment, NetNs ns) {
  private static final int PORT = 5353;

  /** The host-side device. */
  public String device() {
    return PodDevices.device(attachment);
  }

  /** Its address of this family. */
  public Ip ip(Family family) {
    return attachment.addresses().stream()
        .filter(ip -> ip.family() == family)
        .findFirst()
        .orElseThrow();
  }

  /**
   * Whether a datagram of {@code size} bytes of payload gets there and the answer back; to be asked
   * where it is to: on a busy machine both may take their time.
   */
  public boolean reaches(TestPod other, Family family, int size) {
    return reaches(other, family, size, 30_000);
  }

  /** Whether a small datagram gets lost, or its answer; to be asked where it is to. */
  public boolean isCutOffFrom(TestPod other, Family family) {
    return !reaches(other, family, 64, 700);
  }

  private boolean reaches(TestPod other, Family family, int size, int patienceMillis) {
    try (DatagramSocket client = socket(ns, null, 0);
        DatagramSocket server = socket(other.ns, other.ip(family), PORT)) {
      client.setSoTimeout(patienceMillis);
      server.setSoTimeout(patienceMillis);
      InetAddress address = InetAddress.getByAddress(other.ip(family).toBytes());
      client.send(new DatagramPacket(new byte[size], size, address, PORT));
      DatagramPacket packet = new DatagramPacket(new byte[65535], 65535);
      server.receive(packet);
      if (!packet.getAddress().equals(InetAddress.getByAddress(ip(family).toBytes()))) {
        throw new AssertionError("source " + packet.getAddress() + " and not " + ip(family));
      }
      server.send(new DatagramPacket(new byte[] {1}, 1, packet.getSocketAddress()));
      client.receive(packet);
      return true;
    } catch (SocketTimeoutException
        | java.net.NoRouteToHostException
        | java.net.PortUnreachableException _) {
      return false;
    } catch (java.net.SocketException e) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As {@link #reaches(TestPod, Family, int)} with a small datagram. */
  public boolean reaches(TestPod other, Family family) {
    return reaches(other, family, 64);
  }

  private static DatagramSocket socket(NetNs ns, Ip ip, int port)
      throws KernelException, IOException {
    return ns.call(() ->
        ip == null
            ? new DatagramSocket()
            : new DatagramSocket(
                new InetSocketAddress(InetAddress.getByAddress(ip.toBytes()), port)));
  }
}
