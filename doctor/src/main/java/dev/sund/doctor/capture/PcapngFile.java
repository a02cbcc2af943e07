package dev.sund.doctor.capture;

import dev.sund.kernel.packet.PacketRing;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Packets as a pcapng file: each device of each pod is an interface with its comment, names of
 * addresses are written beside, and what the kernel dropped stands at the end.
 *
 * @see <a href="https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html">pcapng</a>
 */
public final class PcapngFile implements PacketSink {
  private static final int SECTION_HEADER = 0x0a0d0d0a;
  private static final int INTERFACE = 1;
  private static final int NAME_RESOLUTION = 4;
  private static final int INTERFACE_STATISTICS = 5;
  private static final int ENHANCED_PACKET = 6;
  private static final int BYTE_ORDER_MAGIC = 0x1a2b3c4d;

  private static final int OPT_ENDOFOPT = 0;
  private static final int OPT_COMMENT = 1;
  private static final int SHB_OS = 3;
  private static final int SHB_USERAPPL = 4;
  private static final int IF_NAME = 2;
  private static final int IF_DESCRIPTION = 3;
  private static final int IF_TSRESOL = 9;
  private static final int IF_FILTER = 11;
  private static final int EPB_FLAGS = 2;
  private static final int ISB_IFDROP = 5;
  private static final int ISB_FILTERACCEPT = 6;
  private static final int NANOSECONDS = 9;
  private static final int INBOUND = 1;
  private static final int OUTBOUND = 2;
  private static final int NRB_END = 0;
  private static final int NRB_IPV4 = 1;
  private static final int NRB_IPV6 = 2;

  private static final int LINKTYPE_ETHERNET = 1;
  private static final int LINKTYPE_RAW = 101;
  private static final int TAG_BYTES = 4;
  private static final int BUFFER_BYTES = 1 << 20;
  private static final int MOST_TEXT = 2_000;

  private final WritableByteChannel out;
  private final ByteBuffer buffer =
      ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.nativeOrder());
  private long last;

  /**
   * Begins a file.
   *
   * @param filter the expression, for its readers; may be empty
   * @param bytes how much of each packet is kept at most
   */
  public PcapngFile(
      WritableByteChannel out,
      List<CaptureSource> sources,
      String filter,
      int bytes,
      String program,
      Map<Ip, String> names)
      throws IOException {
    this.out = out;
    int begin = begin(SECTION_HEADER);
    buffer.putInt(BYTE_ORDER_MAGIC).putShort((short) 1).putShort((short) 0).putLong(-1);
    text(SHB_OS, "Linux " + System.getProperty("os.version", ""));
    text(SHB_USERAPPL, program);
    end(begin);
    for (CaptureSource source : sources) {
      device(source, filter, bytes);
    }
    names(names);
    flush();
  }

  private void device(CaptureSource source, String filter, int bytes) throws IOException {
    room(8 * MOST_TEXT);
    int begin = begin(INTERFACE);
    int link =
        switch (source.link()) {
          case ETHERNET -> LINKTYPE_ETHERNET;
          case IP -> LINKTYPE_RAW;
        };
    buffer.putShort((short) link).putShort((short) 0).putInt(bytes);
    text(OPT_COMMENT, source.comment());
    text(IF_NAME, source.device());
    text(IF_DESCRIPTION, source.pod());
    buffer.putShort((short) IF_TSRESOL).putShort((short) 1).putInt(0);
    buffer.put(buffer.position() - 4, (byte) NANOSECONDS);
    if (!filter.isEmpty()) {
      byte[] text = ("\0" + filter).getBytes(StandardCharsets.UTF_8); // 0: an expression
      option(IF_FILTER, text);
    }
    end(begin);
  }

  private void names(Map<Ip, String> names) throws IOException {
    if (names.isEmpty()) {
      return;
    }
    // A block has a bounded length, so that a large cluster's names are several.
    int begin = -1;
    for (Map.Entry<Ip, String> name : names.entrySet()) {
      if (begin < 0) {
        room(BUFFER_BYTES / 2);
        begin = begin(NAME_RESOLUTION);
      }
      byte[] address = name.getKey().toBytes();
      byte[] text = name.getValue().getBytes(StandardCharsets.UTF_8);
      int length = address.length + text.length + 1;
      buffer.putShort((short) (name.getKey().family() == Family.V4 ? NRB_IPV4 : NRB_IPV6));
      buffer.putShort((short) length).put(address).put(text).put((byte) 0);
      pad(length);
      if (buffer.position() > BUFFER_BYTES / 2) {
        buffer.putShort((short) NRB_END).putShort((short) 0);
        end(begin);
        begin = -1;
      }
    }
    if (begin >= 0) {
      buffer.putShort((short) NRB_END).putShort((short) 0);
      end(begin);
    }
  }

  @Override
  public void packet(int source, PacketRing ring) throws IOException {
    int captured = ring.captured();
    int tag = ring.hasTag() ? TAG_BYTES : 0;
    room(captured + 64);
    int begin = begin(ENHANCED_PACKET);
    last = ring.nanos();
    buffer.putInt(source).putInt((int) (last >>> 32)).putInt((int) last);
    buffer.putInt(captured + tag).putInt(ring.length() + tag);
    int from = ring.offset();
    if (tag == 0) {
      copy(ring, from, captured);
    } else { // where it was before the device took it off
      copy(ring, from, Math.min(12, captured));
      int taken = ring.tag();
      buffer.put((byte) (taken >> 24)).put((byte) (taken >> 16));
      buffer.put((byte) (taken >> 8)).put((byte) taken);
      copy(ring, from + 12, Math.max(0, captured - 12));
    }
    pad(captured + tag);
    buffer.putShort((short) EPB_FLAGS).putShort((short) 4);
    buffer.putInt(ring.isOutgoing() ? OUTBOUND : INBOUND);
    buffer.putInt(OPT_ENDOFOPT);
    end(begin);
  }

  private void copy(PacketRing ring, int from, int length) {
    int at = buffer.position();
    buffer.put(at, ring.memory(), from, length);
    buffer.position(at + length);
  }

  @Override
  public void idle() throws IOException {
    flush();
  }

  @Override
  public void counted(int source, PacketRing.Counts counts) throws IOException {
    room(256);
    int begin = begin(INTERFACE_STATISTICS);
    buffer.putInt(source).putInt((int) (last >>> 32)).putInt((int) last);
    buffer.putShort((short) ISB_FILTERACCEPT).putShort((short) 8).putLong(counts.received());
    buffer.putShort((short) ISB_IFDROP).putShort((short) 8).putLong(counts.dropped());
    buffer.putInt(OPT_ENDOFOPT);
    end(begin);
  }

  @Override
  public void close() throws IOException {
    flush();
    out.close();
  }

  private int begin(int type) {
    int at = buffer.position();
    buffer.putInt(type).putInt(0);
    return at;
  }

  /** Options of section and interface end here; a block's length stands at both its ends. */
  private void end(int begin) {
    int type = buffer.getInt(begin);
    if (type == SECTION_HEADER || type == INTERFACE) {
      buffer.putInt(OPT_ENDOFOPT);
    }
    int length = buffer.position() + 4 - begin;
    buffer.putInt(length);
    buffer.putInt(begin + 4, length);
  }

  private void text(int code, String text) {
    String cut = text.length() > MOST_TEXT / 4 ? text.substring(0, MOST_TEXT / 4) : text;
    if (!cut.isEmpty()) {
      option(code, cut.getBytes(StandardCharsets.UTF_8));
    }
  }

  private void option(int code, byte[] value) {
    byte[] cut = value.length > MOST_TEXT ? java.util.Arrays.copyOf(value, MOST_TEXT) : value;
    buffer.putShort((short) code).putShort((short) cut.length).put(cut);
    pad(cut.length);
  }

  private void pad(int length) {
    for (int i = length; i % 4 != 0; i++) {
      buffer.put((byte) 0);
    }
  }

  private void room(int bytes) throws IOException {
    if (buffer.remaining() < bytes) {
      flush();
    }
  }

  private void flush() throws IOException {
    buffer.flip();
    while (buffer.hasRemaining()) {
      out.write(buffer);
    }
    buffer.clear();
  }
}
