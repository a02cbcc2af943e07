package dev.sund.doctor.capture;

import dev.sund.kernel.packet.PacketRing;
import dev.sund.model.Ip;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Packets as lines for people: tcpdump's, with names for addresses that are known. */
public final class PacketText implements PacketSink {
  private static final DateTimeFormatter CLOCK =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSSSSS", Locale.ROOT);

  private final PrintWriter out;
  private final List<CaptureSource> sources;
  private final Map<Ip, String> names;
  private final ZoneId zone;

  /** Prints to {@code out}, with times as they are in this zone. */
  public PacketText(
      PrintWriter out, List<CaptureSource> sources, Map<Ip, String> names, ZoneId zone) {
    this.out = out;
    this.sources = sources;
    this.names = names;
    this.zone = zone;
  }

  @Override
  public void packet(int source, PacketRing ring) throws IOException {
    CaptureSource from = sources.get(source);
    PacketWords words =
        PacketWords.read(ring.memory(), ring.offset(), ring.captured(), ring.length(), from.link());
    String tag = ring.hasTag() ? "vlan " + (ring.tag() & 0xfff) + ", " : "";
    String whose = sources.size() == 1 ? "" : from.pod() + " " + from.device() + " ";
    out.println(
        time(ring.nanos())
            + " "
            + whose
            + (ring.isOutgoing() ? "Out " : "In  ")
            + line(words, tag));
    if (out.checkError()) {
      throw new IOException("nobody reads what is printed any more");
    }
  }

  private String time(long nanos) {
    return CLOCK.format(
        Instant.ofEpochSecond(nanos / 1_000_000_000L, nanos % 1_000_000_000L).atZone(zone));
  }

  /** {@code IP shop/web-0.43122 > 10.96.0.10.53: 7+ A? example.com. (29)}. */
  private String line(PacketWords words, String tag) {
    if (words.source().isEmpty()) {
      return words.protocol() + ", " + tag + words.says();
    }
    return words.protocol()
        + " "
        + end(words.source(), words.sourcePort())
        + " > "
        + end(words.destination(), words.destinationPort())
        + ": "
        + tag
        + words.says();
  }

  private String end(Optional<Ip> address, int port) {
    String name = address.map(ip -> names.getOrDefault(ip, ip.toString())).orElse("?");
    return port == 0 ? name : name + "." + port;
  }

  @Override
  public void idle() {
    out.flush();
  }

  @Override
  public void close() {
    out.flush();
  }
}
