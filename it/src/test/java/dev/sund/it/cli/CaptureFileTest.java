package dev.sund.it.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.testing.TestNetns;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code sund capture -w} writes, as Wireshark's programs read it. */
@Tag("interop")
class CaptureFileTest {
  @TempDir Path folder;

  @Test
  void wiresharkReadsSeveralPodsInOneFileWithTheirNamesInTheOrderOfTime() throws Exception {
    Path file = folder.resolve("both.pcapng");
    try (PodBed bed = new PodBed(folder)) {
      PodBed.Running capture =
          bed.capture(
              "shop/web-0," + bed.db, "-w", file.toString(), "--count", "20", "udp dst port 4000");
      bed.send(PodBed.DB, 4_000, 10);
      PodBed.Ended ended = PodBed.ended(capture);
      assertThat(ended.exitCode()).as(ended.err()).isZero();
    }
    assertThat(Files.getPosixFilePermissions(file))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));

    String said = run("capinfos", file.toString());
    assertThat(said)
        .contains("pcapng", "Number of packets:   20", "Strict time order:   True")
        .contains("Description = shop/web-0", "Name = eth0", "Filter string = udp dst port 4000")
        .contains("Comment = pod shop/web-0, device eth0 (MTU 1500)", "container c1")
        .contains("Number of interfaces in file: 2", "Number of stat entries = 1");

    List<String> packets =
        run(
                "tshark",
                "-r",
                file.toString(),
                "-N",
                "n",
                "-T",
                "fields",
                "-e",
                "frame.interface_description",
                "-e",
                "frame.packet_flags_direction",
                "-e",
                "ip.src_host",
                "-e",
                "udp.length",
                "-e",
                "_ws.malformed")
            .lines()
            .toList();
    assertThat(packets).hasSize(20);
    assertThat(packets.getFirst()).isEqualTo("shop/web-0\t0x00000002\tshop/web-0\t40\t");
    assertThat(packets.get(1)).contains("0x00000001\tshop/web-0\t40\t");
  }

  private static String run(String... command) {
    TestNetns.Result result = TestNetns.execute(List.of(command));
    assertThat(result.exit()).as(result.err()).isZero();
    return result.out();
  }
}
