package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.doctor.capture.CaptureSource;
import dev.sund.doctor.capture.PacketSink;
import dev.sund.doctor.capture.PacketWords;
import dev.sund.kernel.packet.PacketRing;
import dev.sund.model.Ip;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Packets as JSON, one a line. */
final class PacketJson implements PacketSink {
  private final PrintWriter out;
  private final List<CaptureSource> sources;
  private final Map<Ip, String> names;

  PacketJson(PrintWriter out, List<CaptureSource> sources, Map<Ip, String> names) {
    this.out = out;
    this.sources = sources;
    this.names = names;
  }

  @Override
  public void packet(int source, PacketRing ring) throws IOException {
    CaptureSource from = sources.get(source);
    PacketWords words =
        PacketWords.read(ring.memory(), ring.offset(), ring.captured(), ring.length(), from.link());
    long nanos = ring.nanos();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put(
        "time", Instant.ofEpochSecond(nanos / 1_000_000_000L, nanos % 1_000_000_000L).toString());
    fields.put("pod", from.pod());
    fields.put("device", from.device());
    fields.put("direction", ring.isOutgoing() ? "out" : "in");
    fields.put("length", ring.length());
    fields.put("protocol", words.protocol());
    end(fields, "source", words.source(), words.sourcePort());
    end(fields, "destination", words.destination(), words.destinationPort());
    if (ring.hasTag()) {
      fields.put("vlan", ring.tag() & 0xfff);
    }
    fields.put("says", words.says());
    out.println(Json.write(fields));
    if (out.checkError()) {
      throw new IOException("nobody reads what is printed any more");
    }
  }

  private void end(Map<String, Object> fields, String which, Optional<Ip> ip, int port) {
    if (ip.isPresent()) {
      Map<String, Object> end = new LinkedHashMap<>();
      end.put("address", ip.get().toString());
      end.put("name", names.getOrDefault(ip.get(), ""));
      end.put("port", port);
      fields.put(which, end);
    }
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
