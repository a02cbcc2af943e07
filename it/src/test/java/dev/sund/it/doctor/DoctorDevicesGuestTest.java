package dev.sund.it.doctor;

import static dev.sund.it.doctor.WholeMachine.look;
import static dev.sund.it.doctor.WholeMachine.run;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.doctor.Facts;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Result;
import dev.sund.doctor.Verdict;
import dev.sund.doctor.disk.FsyncFacts;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.ChecksumOffload;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Faults of disks and of a network card, on those that the guest has: the kernel's own block device
 * that takes as long as it is told, and VMware's card as QEMU emulates it.
 */
@Tag("guest")
class DoctorDevicesGuestTest {
  private static final String DISK = "/dev/nullb0";
  private static final String CARD = "eth0";

  /** A kubelet is here, and was told nothing of swap. */
  private static final Path KUBELET = Path.of("/var/lib/kubelet/config.yaml");

  @TempDir Path folder;
  private final List<AutoCloseable> made = new ArrayList<>();

  @BeforeEach
  void onlyInTheGuest() {
    Assumptions.assumeTrue(
        Boolean.getBoolean("sund.test.guest"), "a machine's own devices: run sund test");
  }

  @AfterEach
  void asItWas() throws Exception {
    for (AutoCloseable one : made.reversed()) {
      one.close();
    }
  }

  @Test
  void memoryThatIsSwappedIsFoundUntilItIsNotOrTheKubeletWasTold() throws Exception {
    disk("irqmode=0");
    Files.createDirectories(KUBELET.getParent());
    made.add(() -> Files.delete(KUBELET));
    Files.writeString(KUBELET, "kind: KubeletConfiguration\n");
    assertThat(found("swap")).isEmpty();

    run("mkswap", DISK);
    run("swapon", DISK);
    made.add(DoctorDevicesGuestTest::swapOff);
    assertThat(found("swap"))
        .singleElement()
        .asString()
        .contains("Memory is swapped to 1 areas, and the kubelet was not told");
    Files.writeString(KUBELET, "kind: KubeletConfiguration\nfailSwapOn: false\n");
    assertThat(found("swap")).isEmpty();

    Files.writeString(KUBELET, "kind: KubeletConfiguration\n");
    swapOff();
    assertThat(found("swap")).isEmpty();
  }

  private static void swapOff() throws Exception {
    if (Files.readString(Path.of("/proc/swaps")).contains(DISK)) {
      run("swapoff", DISK);
    }
  }

  @Test
  void aDiskThatIsTooSlowForEtcdIsFoundAndAFasterOneIsNot() throws Exception {
    Path slow = Files.createDirectory(folder.resolve("slow"));
    Path fast = Files.createDirectory(folder.resolve("fast"));
    disk("irqmode=2 completion_nsec=6000000"); // each request takes 6 ms, and a write needs two
    run("mkfs.ext4", "-q -O ^has_journal " + DISK + " 16384");
    run("mount", "-t ext4 " + DISK + " " + slow);
    made.add(() -> run("umount", slow.toString()));
    assertThat(writes(slow))
        .singleElement()
        .satisfies(finding -> {
          assertThat(finding.object()).isEqualTo(slow.toString());
          assertThat(finding.text())
              .contains("The disk is too slow for etcd, which wants 99 of 100 writes within 10 ms");
        });
    assertThat(slow.toFile().list()).containsOnly("lost+found");

    // In memory. Who shares a machine with others waits for its processor now and then.
    List<Finding> found = writes(fast);
    for (int i = 0; i < 50 && !found.isEmpty(); i++) {
      found = writes(fast);
    }
    assertThat(found).isEmpty();
    assertThat(fast).isEmptyDirectory();
  }

  /** What is said of the disk below a folder. */
  private static List<Finding> writes(Path disk) throws Exception {
    Facts facts = Facts.none().with(Facts.FSYNC, new FsyncFacts(Path.of("/"), Optional.of(disk)));
    return judged(look("fsync", facts, () -> {}));
  }

  /** A disk in memory. */
  private void disk(String options) throws Exception {
    run("modprobe", "null_blk nr_devices=1 gb=1 memory_backed=1 " + options);
    made.add(() -> run("modprobe", "-r null_blk"));
  }

  @Test
  void whatVmwaresCardDoesToATunnelIsFoundUntilItNeedNotOrTheTunnelIsGone() throws Exception {
    run("modprobe", "vmxnet3");
    made.add(() -> run("modprobe", "-r vmxnet3"));
    run("ip", "address add 192.168.11.11/24 dev " + CARD);
    run("ip", "link set " + CARD + " up");
    assertThat(found("tunnel-offload")).isEmpty();
    assertThat(found("vxlan-checksum")).isEmpty();

    run("ip", "link add vxlan7 type vxlan id 7 dstport 8472 local 192.168.11.11 dev " + CARD);
    AutoCloseable tunnel = () -> run("ip", "link delete vxlan7");
    made.add(tunnel);
    run("ip", "link set vxlan7 up");
    assertThat(found("tunnel-offload"))
        .containsExactly(
            "eth0 (vmxnet3) does not cut a tunnel's segments: tx-udp_tnl-segmentation is off.");
    assertThat(found("vxlan-checksum"))
        .containsExactly("vxlan7 (UDP 8472) leaves its packets' checksums to eth0 (vmxnet3).");
    assertThat(look("rings", () -> {}).outcome())
        .isEqualTo(new Result.Judged(new Verdict.Right("eth0 1,024 of 4,096")));

    try (ChecksumOffload offload = ChecksumOffload.open(NetNs.ofProcess())) {
      offload.set("vxlan7", false);
    }
    assertThat(found("vxlan-checksum")).isEmpty();
    tunnel.close();
    made.remove(tunnel);
    assertThat(found("tunnel-offload")).isEmpty();
  }

  /** What a check finds; it could read all that it reads. */
  private static List<String> found(String id) throws Exception {
    return judged(look(id, () -> {})).stream().map(Finding::text).toList();
  }

  private static List<Finding> judged(Result result) {
    assertThat(result.outcome()).isInstanceOf(Result.Judged.class);
    return result.findings();
  }
}
