package dev.sund.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.testing.TestNetns;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The guest is a whole machine: its kernel has what the tests come for. */
@Tag("guest")
class GuestKernelTest {
  private final TestNetns net = TestNetns.open();

  @AfterEach
  void close() {
    net.close();
  }

  @ParameterizedTest
  @CsvSource({
    "ipip, mode any local 192.0.2.1 remote 192.0.2.2",
    "wireguard, ''",
    "geneve, id 7 remote 192.0.2.2",
    "vxlan, id 7 dstport 4789 local 192.0.2.1",
    "dummy, ''"
  })
  void itMakesLinksOfEveryKind(String kind, String arguments) {
    Assumptions.assumeTrue(Boolean.getBoolean("sund.test.guest"), "only in the guest");
    NetNs node = net.create("node");
    String command = "ip link add x type " + kind + " " + arguments;
    TestNetns.run(node, "sh", "-c", command);
    assertThat(TestNetns.ip(node, "link", "show", "x").toString()).contains(kind);
  }

  @Test
  void whatIsWrittenThereIsNotWrittenOnTheMachine() throws Exception {
    Assumptions.assumeTrue(Boolean.getBoolean("sund.test.guest"), "only in the guest");
    Path file = Path.of(System.getProperty("sund.root"), "written-in-the-guest");
    Files.writeString(file, "x");
    assertThat(file).exists();
    assertThat(Files.readString(Path.of("/proc/mounts"))).contains("overlay / overlay");
    Files.delete(file);
  }
}
