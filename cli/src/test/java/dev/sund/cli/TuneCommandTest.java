package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.doctor.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code sund tune --plan} for a recorded tree; nothing here may change a kernel. */
class TuneCommandTest {
  @TempDir Path root;

  private final CommandRun run = new CommandRun();

  @BeforeEach
  void record() throws IOException {
    RecordedRoot.of(root);
    write("proc/sys/net/ipv4/ip_forward", "0");
    write("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999");
    write("proc/sys/net/ipv4/tcp_tw_reuse", "1");
    write("proc/sys/net/ipv4/conf/all/rp_filter", "0");
    write("proc/sys/net/core/somaxconn", "128");
    write("proc/sys/vm/swappiness", "0");
    write("proc/sys/kernel/osrelease", "6.1.0");
    write("proc/meminfo", "MemTotal: 8000000 kB");
    write("proc/stat", "cpu 1 1 1 1 1 1 1 1\ncpu0 1 1");
    write("proc/uptime", "5000.0 1.0");
    write("proc/modules", "");
    for (String sample : new String[] {"", Host.BEFORE + "/"}) {
      write(sample + "proc/net/netstat", "TcpExt: ListenOverflows\nTcpExt: 0");
      write(sample + "proc/net/softnet_stat", "00000100 00000000 00000001 00000000");
    }
    write("sys/class/net/flannel.1/uevent", "DEVTYPE=vxlan");
    write("sund-facts/links", "link=eth0 index=2");
    write("sund-facts/rules", "");
    write("sund-facts/proxy", "asked=healthz failed=refused");
    write("etc/sysctl.d/k8s.conf", "net.core.somaxconn = 128");
  }

  private void write(String path, String text) throws IOException {
    new RecordedRoot(root).write(path, text);
  }

  private int tune(String... arguments) {
    return run.sund(List.of("tune", "--root", root.toString()), arguments);
  }

  @Test
  void thePlanSaysOfEachKeyWhatHoldsWhoSetsItWhatIsWantedAndWhy() {
    assertThat(tune()).isEqualTo(ExitCode.DIFFERS);
    assertThat(run.out())
        .isEqualTo(
            """
            set      net.ipv4.ip_forward  0 -> 1
                     The node drops what is not for itself: pods reach nothing outside of it, and nothing reaches them.
            set      net.core.somaxconn  128 -> 4096  (/etc/sysctl.d/k8s.conf sets it)
                     A burst of clients is refused although the program would take them.
            write    /etc/sysctl.d/99-sund.conf
            leave    vm.swappiness  0: without swap it says nothing, and 0 does not switch swap off either
            leave    net.ipv4.tcp_tw_reuse  1: 2 (for loopback) is the kernel's own; 1 is harmless and seldom helps a node, which opens few connections itself
            but      /etc/sysctl.d/k8s.conf is read after ours and sets net.core.somaxconn otherwise at the next start: remove the line there
            sund tune --apply does it; nothing has been changed
            """);
  }

  @Test
  void programsGetAllOfIt() {
    assertThat(tune("--plan", "-o", "json")).isEqualTo(ExitCode.DIFFERS);
    assertThat(run.out())
        .contains("\"changes\":true", "\"key\":\"net.ipv4.ip_forward\"", "\"wanted\":\"1\"")
        .contains("\"overriddenBy\":\"etc/sysctl.d/k8s.conf\"")
        .contains("net.core.somaxconn = 4096\\n");
  }

  @Test
  void nothingWouldChangeIsZeroAndUnreadIsThree() throws IOException {
    write("proc/sys/net/ipv4/ip_forward", "1");
    write("proc/sys/net/core/somaxconn", "4096");
    Files.delete(root.resolve("etc/sysctl.d/k8s.conf"));
    assertThat(tune()).as("%s", run.out()).isEqualTo(ExitCode.OK);
    assertThat(run.out()).endsWith("nothing would change\n");
    Files.delete(root.resolve("proc/meminfo"));
    assertThat(tune()).isEqualTo(ExitCode.COULD_NOT_RUN);
    assertThat(run.out()).contains("unread   sysctl-values could not read: /proc/meminfo");
  }

  @Test
  void whatCannotBeDoneIsSaidAndNothingIsTouched() throws IOException {
    assertThat(tune("--apply")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(run.err())
        .contains("--apply sets the kernel that runs here, and --root " + root + " is another");
    assertThat(tune("--revert")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(tune("--apply", "--revert")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(tune("--root", root.resolve("none").toString())).isEqualTo(ExitCode.BAD_INPUT);
    write("etc/sysctl.d/99-sund.conf", "net.ipv4.ip_forward = 0\n");
    assertThat(tune()).isEqualTo(ExitCode.COULD_NOT_RUN);
    assertThat(run.err())
        .contains("/etc/sysctl.d/99-sund.conf is there and was not written by sund tune.");
  }
}
