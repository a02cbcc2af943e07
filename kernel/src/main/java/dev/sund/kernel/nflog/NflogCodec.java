package dev.sund.kernel.nflog;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.conntrack.ConntrackTuples;
import dev.sund.kernel.conntrack.Tuple;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import java.util.Optional;

/** Bytes of nfnetlink_log's messages, without a socket. */
final class NflogCodec {
  /** Messages of the subsystem are numbered from here. */
  static final int SUBSYSTEM = 4 << 8;

  static final int PACKET = SUBSYSTEM;
  static final int CONFIG = SUBSYSTEM | 1;

  /** The length of {@code struct nfgenmsg}. */
  static final int HEADER = 4;

  private static final int CMD_BIND = 1;
  private static final int COPY_PACKET = 2;
  private static final int F_SEQ = 1;
  private static final int F_CONNTRACK = 4;

  private NflogCodec() {}

  /**
   * Writes the request that makes its sender the group's reader.
   *
   * @param bytes how much of each packet is wanted
   * @param connections whether to tell how packets' connections began
   */
  static void writeBind(NlWriter out, int group, int bytes, boolean connections) {
    out.message(CONFIG, 0)
        .putU8(0)
        .putU8(0)
        .putBe16(group)
        .bytes(Nfula.CFG_CMD, new byte[] {CMD_BIND})
        .bytes(
            Nfula.CFG_MODE,
            new byte[] {
              (byte) (bytes >> 24),
              (byte) (bytes >> 16),
              (byte) (bytes >> 8),
              (byte) bytes,
              COPY_PACKET,
              0
            })
        .be16(Nfula.CFG_FLAGS, F_SEQ | (connections ? F_CONNTRACK : 0))
        .end();
  }

  /** Reads a packet, from the {@code nfgenmsg} on. */
  static LoggedPacket readPacket(NlReader body) throws KernelException {
    body.skip(HEADER);
    String prefix = "";
    int hook = 0;
    int mark = 0;
    int inDevice = 0;
    int outDevice = 0;
    int inPort = 0;
    int outPort = 0;
    Optional<PacketHead> head = Optional.empty();
    Optional<Tuple> connection = Optional.empty();
    int sequence = 0;
    while (body.next()) {
      switch (body.type()) {
        case Nfula.PACKET_HDR -> hook = body.nested().skip(2).takeU8();
        case Nfula.MARK -> mark = body.be32();
        case Nfula.IFINDEX_INDEV -> inDevice = body.be32();
        case Nfula.IFINDEX_OUTDEV -> outDevice = body.be32();
        case Nfula.IFINDEX_PHYSINDEV -> inPort = body.be32();
        case Nfula.IFINDEX_PHYSOUTDEV -> outPort = body.be32();
        case Nfula.PAYLOAD -> head = PacketHead.tryParse(body.bytes());
        case Nfula.PREFIX -> prefix = body.string();
        case Nfula.SEQ -> sequence = body.be32();
        case Nfula.CT -> connection = ConntrackTuples.original(body.nested());
        default -> {} // who sent it, its frame: of no use to us
      }
    }
    return new LoggedPacket(
        prefix, hook, mark, inDevice, outDevice, inPort, outPort, head, connection, sequence);
  }
}
