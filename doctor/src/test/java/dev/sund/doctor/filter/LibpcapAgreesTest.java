package dev.sund.doctor.filter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.packet.BpfInstruction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The same packets pass our filters as pass libpcap's, for random filters and random packets.
 *
 * <p>tcpdump is asked without its optimizer ({@code -O}): of packets that are cut short it leaves
 * out loads that would have refused them, and of filters such as {@code not dst portrange 8000-9000
 * and tcp port (80 or 8080) or port (80 or 8080) or port (53 or 443)} libpcap 1.10.3 makes one that
 * takes fewer packets than without.
 */
class LibpcapAgreesTest {
  private static final Path TCPDUMP =
      List.of(Path.of("/usr/bin/tcpdump"), Path.of("/usr/sbin/tcpdump")).stream()
          .filter(Files::isExecutable)
          .findFirst()
          .orElse(Path.of("/none"));
  private static final int PACKETS = 2_000;

  @TempDir Path folder;

  @Test
  void filtersTakeThePacketsThatLibpcapsTake() throws Exception {
    Assumptions.assumeTrue(
        Files.exists(TCPDUMP), "tcpdump is the other judge; ./sund test installs it");
    long seed = Long.getLong("sund.seed", System.nanoTime());
    int count = Boolean.getBoolean("sund.long") ? 1_500 : 150;
    Random random = new Random(seed);
    List<byte[]> packets = new ArrayList<>();
    RandomPackets frames = new RandomPackets(random);
    for (int i = 0; i < PACKETS; i++) {
      packets.add(frames.next());
    }
    Path file = folder.resolve("in.pcap");
    Files.write(file, pcap(packets));
    RandomExpressions expressions = new RandomExpressions(random);
    int took = 0;
    int understood = 0;
    for (int i = 0; i < count; i++) {
      String text = expressions.next();
      BitSet theirs = theirs(file, text);
      if (theirs == null) {
        continue; // such as udp port ssh, which is tcp's
      }
      understood++;
      BitSet ours = ours(packets, text);
      took += ours.cardinality();
      BitSet differ = (BitSet) ours.clone();
      differ.xor(theirs);
      int first = differ.nextSetBit(0);
      assertThat(differ.cardinality())
          .as(
              "seed %d: packets judged otherwise by '%s', the first %s (taken by us: %s)",
              seed, text, first < 0 ? "" : hex(packets.get(first)), first >= 0 && ours.get(first))
          .isZero();
    }
    assertThat(understood).as("seed %d: filters compared", seed).isGreaterThan(count * 3 / 4);
    assertThat(took).as("seed %d: packets taken in all", seed).isGreaterThan(count);
  }

  private static BitSet ours(List<byte[]> packets, String text) throws FilterSyntaxException {
    List<BpfInstruction> program =
        PacketFilter.parse(text, PortNames.ofSystem()).programOfFiles(LinkForm.ETHERNET, 65_535);
    BitSet taken = new BitSet();
    for (int i = 0; i < packets.size(); i++) {
      taken.set(i, BpfMachine.run(program, packets.get(i), packets.get(i).length) != 0);
    }
    return taken;
  }

  private @org.jspecify.annotations.Nullable BitSet theirs(Path file, String text)
      throws IOException, InterruptedException {
    Path out = folder.resolve("out.pcap");
    Path err = folder.resolve("err");
    List<String> command =
        new ArrayList<>(List.of(TCPDUMP.toString(), "-O", "-r", file.toString(), "-w", "-"));
    if ("root".equals(System.getProperty("user.name"))) {
      command.addAll(List.of("-Z", "root"));
    }
    command.add(text);
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    String said = Files.readString(err);
    if (said.contains("expression rejects all packets")) {
      return new BitSet();
    }
    if (process.exitValue() != 0) {
      if (System.getProperty("sund.show") != null) {
        System.err.println(text + ": " + said);
      }
      return null;
    }
    BitSet taken = new BitSet();
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(out)).order(ByteOrder.nativeOrder());
    for (int at = 24; at < bytes.limit(); at += 16 + bytes.getInt(at + 8)) {
      taken.set(bytes.getInt(at));
    }
    return taken;
  }

  /** A file of the old form, in which the second of a packet is its number. */
  private static byte[] pcap(List<byte[]> packets) {
    ByteBuffer bytes =
        ByteBuffer.allocate(24 + packets.stream().mapToInt(one -> 16 + one.length).sum())
            .order(ByteOrder.nativeOrder());
    bytes.putInt(0xa1b2c3d4).putShort((short) 2).putShort((short) 4).putInt(0).putInt(0);
    bytes.putInt(65_535).putInt(1);
    for (int i = 0; i < packets.size(); i++) {
      int length = packets.get(i).length;
      bytes.putInt(i).putInt(0).putInt(length).putInt(length).put(packets.get(i));
    }
    return bytes.array();
  }

  private static String hex(byte[] packet) {
    return java.util.HexFormat.of().formatHex(packet);
  }
}
