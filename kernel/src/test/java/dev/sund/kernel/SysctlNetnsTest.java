package dev.sund.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Settings where container runtimes have mounted them read-only. */
@Tag("netns")
class SysctlNetnsTest {
  private final NetNs namespace = NetNs.ofProcess();

  @BeforeEach
  void mountAsARuntimeDoes() throws Exception {
    assumeTrue(
        Boolean.getBoolean("sund.test.isolated"), "would change the machine's own /proc/sys");
    run("mount", "--bind", "/proc/sys", "/proc/sys");
    run("mount", "-o", "remount,bind,ro,nosuid,nodev,noexec", "/proc/sys");
  }

  @AfterEach
  void unmount() throws Exception {
    if (Boolean.getBoolean("sund.test.isolated")) {
      run("umount", "/proc/sys");
    }
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
  }

  @Test
  void aContainersReadOnlyMountIsMadeWritable() throws Exception {
    Sysctl forwarding = Sysctl.ipv4("ip_forward");
    forwarding.write(namespace, 1);
    assertThat(forwarding.read(namespace)).isEqualTo(Optional.of("1"));
    forwarding.write(namespace, 0);
    assertThat(forwarding.read(namespace)).isEqualTo(Optional.of("0"));
  }
}
