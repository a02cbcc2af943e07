package dev.sund.dataplane.probe;

import dev.sund.kernel.nft.NftTraced;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.Arrays;
import java.util.Optional;

/**
 * What a traced packet's headers say.
 *
 * @param out index of the device by which it leaves; 0 where that is not known yet
 */
record PacketHeaders(
    Protocol protocol, Ip source, int sourcePort, Ip destination, int destinationPort, int out) {
  private static final int V4_LENGTH = 20;
  private static final int V4_SOURCE = 12;
  private static final int V4_PROTOCOL = 9;
  private static final int V6_LENGTH = 40;
  private static final int V6_SOURCE = 8;
  private static final int V6_NEXT = 6;

  /** Reads a packet's headers; empty when it is neither TCP nor UDP. */
  static Optional<PacketHeaders> of(NftTraced.Headers headers) {
    byte[] network = headers.network().toArray();
    byte[] transport = headers.transport().toArray();
    boolean v4 = network.length > 0 && (network[0] & 0xf0) == 0x40;
    if (network.length < (v4 ? V4_LENGTH : V6_LENGTH) || transport.length < 4) {
      return Optional.empty();
    }
    int at = v4 ? V4_SOURCE : V6_SOURCE;
    int bytes = v4 ? 4 : 16;
    int number = network[v4 ? V4_PROTOCOL : V6_NEXT];
    if (number != Protocol.TCP.number() && number != Protocol.UDP.number()) {
      return Optional.empty();
    }
    return Optional.of(
        new PacketHeaders(
            number == Protocol.TCP.number() ? Protocol.TCP : Protocol.UDP,
            Ip.of(Arrays.copyOfRange(network, at, at + bytes)),
            port(transport, 0),
            Ip.of(Arrays.copyOfRange(network, at + bytes, at + 2 * bytes)),
            port(transport, 2),
            headers.out()));
  }

  private static int port(byte[] transport, int at) {
    return (transport[at] & 0xff) << 8 | (transport[at + 1] & 0xff);
  }

  /** The flow that such a packet begins. */
  ProbeFlow flow() {
    return new ProbeFlow(source, sourcePort, destination, protocol, destinationPort);
  }
}
