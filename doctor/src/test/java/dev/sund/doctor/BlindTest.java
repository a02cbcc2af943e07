package dev.sund.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlindTest {
  private static final String LAYERED =
      "512 410 0:51 / / rw,relatime - overlay overlay rw,lowerdir=/l\n"
          + "513 512 0:53 / /proc rw - proc proc rw\n";
  private static final String DISK = "25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n";

  @TempDir Path root;

  private void file(String name, String text) throws Exception {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  /** As a shell in a pod has it: {@code kubectl exec}, or {@code sh -c}. */
  @Test
  void filesUnderAnotherFirstProcessInAContainerAreItsOwn() throws Exception {
    file("proc/1/comm", "sh\n");
    file("proc/self/mountinfo", LAYERED);
    assertThat(Blind.isContainers(root)).isTrue();

    file("proc/self/mountinfo", DISK);
    assertThat(Blind.isContainers(root)).as("processes of their own alone").isFalse();
    file("run/.containerenv", "");
    assertThat(Blind.isContainers(root)).as("podman's mark").isTrue();
    Files.delete(root.resolve("proc/self/mountinfo"));
    assertThat(Blind.isContainers(root)).as("without its mounts").isTrue();
  }

  @Test
  void aMachineIsNoContainerWhateverItsRoot() throws Exception {
    file("proc/1/comm", "systemd\n");
    file("proc/self/mountinfo", LAYERED); // a virtual server that is an LXC, a node of kind
    assertThat(Blind.isContainers(root)).isFalse();

    file("proc/1/comm", "init.sh\n");
    file("proc/self/mountinfo", DISK);
    file(".dockerenv", ""); // its disk was made of an image
    assertThat(Blind.isContainers(root)).isFalse();

    file("proc/self/mountinfo", LAYERED);
    file("proc/1/comm", "busybox\n");
    file("proc/2/comm", "kthreadd\n"); // a live system
    assertThat(Blind.isContainers(root)).isFalse();
  }

  @Test
  void thisMachineOrATreeIsSeen() {
    assertThat(Blind.here(Path.of("/"))).isEmpty();
    assertThat(Blind.here(root)).isEmpty();
  }
}
