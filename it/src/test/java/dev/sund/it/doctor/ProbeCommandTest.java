package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.NetNs;
import dev.sund.kernel.testing.TestNetns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The two commands as people start them, with the one capability that they need. */
@Tag("netns")
@Timeout(180)
class ProbeCommandTest {
  private static final Path ROOT = Path.of(System.getProperty("sund.root"));
  private static final String RAW = "-all,+net_raw";

  @TempDir Path folder;
  private final List<Process> started = new ArrayList<>();

  @AfterEach
  void end() throws Exception {
    for (Process process : started) {
      process.destroyForcibly().waitFor(20, TimeUnit.SECONDS);
    }
  }

  /** What a command printed and how it ended. */
  private record Ended(int exitCode, String out, String err) {}

  private Process start(NetNs node, String capabilities, Path out, Path err, String... arguments)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "nsenter",
                "--net=" + node.path(),
                // Whoever runs the tests in the background has them ignore INT.
                "env",
                "--default-signal=INT",
                "setpriv",
                "--inh-caps",
                "-all",
                "--bounding-set",
                capabilities,
                ROOT.resolve("sund").toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("SUND_BUILD", "never");
    Process process = builder.start();
    started.add(process);
    return process;
  }

  private Ended run(NetNs node, String capabilities, String... arguments) throws Exception {
    Path out = Files.createTempFile(folder, "out", ".txt");
    Path err = Files.createTempFile(folder, "err", ".txt");
    Process process = start(node, capabilities, out, err, arguments);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  @Test
  void oneCapabilityOnEachSideIsEnoughForAProbe() throws Exception {
    try (ProbeBed bed = ProbeBed.bridged()) {
      Path said = Files.createTempFile(folder, "answer", ".txt");
      Path err = Files.createTempFile(folder, "answer", ".err");
      Process answer =
          start(bed.b, RAW, said, err, "answer", "--port", "4000", "--pod-source", "10.78.2.9");
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (!Files.readString(said).contains("answering at UDP 0.0.0.0:4000 and [::]:4000")) {
        assertThat(answer.isAlive() && System.nanoTime() < end)
            .as("it answers: " + Files.readString(err))
            .isTrue();
        Thread.sleep(50);
      }

      Ended probed =
          run(
              bed.a,
              RAW,
              "doctor",
              "--probe",
              "10.77.1.2",
              "--probe-port",
              "4000",
              "--probe-window",
              "1",
              "--pod-source",
              "10.78.1.9",
              "--only",
              "probe-path-mtu,probe-jumbo,probe-icmp,probe-underlay,probe-encapsulation");
      assertThat(probed.out()).as(probed.err()).startsWith("nothing wrong; 5 checks right");
      assertThat(probed.out().lines().toList().getLast())
          .startsWith("use this fabric: routed inside a subnet");
      assertThat(probed.exitCode()).isZero();

      Ended denied =
          run(
              bed.a,
              "-all,+net_admin",
              "doctor",
              "--probe",
              "10.77.1.2",
              "--probe-port",
              "4000",
              "--only",
              "probe-icmp");
      assertThat(denied.exitCode()).isEqualTo(3);
      assertThat(denied.out()).contains("permission denied", "CAP_NET_RAW");

      Ended another = run(bed.b, "-all,+net_admin", "answer", "--port", "4001");
      assertThat(another.exitCode()).isEqualTo(3);
      assertThat(another.err()).contains("CAP_NET_RAW");

      TestNetns.execute(List.of("kill", "-INT", Long.toString(answer.pid())));
      assertThat(answer.waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(answer.exitValue()).isZero();
      assertThat(Files.readString(said))
          .contains("10.77.1.1: probe begins", "10.77.1.1: done")
          .endsWith("probes answered\n");
    }
  }

  @Test
  void aSilentPeerIsAFailedRunAndNoBadNetwork() throws Exception {
    try (ProbeBed bed = ProbeBed.bridged()) {
      String[] probe = {
        "doctor", "--probe", "10.77.1.2", "--only", "probe-latency,probe-icmp,forwarding-off"
      };
      TestNetns.run(bed.a, "sysctl", "-qw", "net.ipv4.ip_forward=1");
      TestNetns.run(bed.a, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1");
      Ended silent = run(bed.a, "+all", probe);
      assertThat(silent.out())
          .contains("unread   probe-latency")
          .contains("Run sudo sund answer on it, and open UDP port 7883 there for this node.")
          .contains("(So with probe-icmp.)")
          .doesNotContain("use this fabric");
      assertThat(silent.exitCode()).as(silent.out()).isEqualTo(3);

      // The other checks went on: what they find counts.
      TestNetns.run(bed.a, "sysctl", "-qw", "net.ipv4.ip_forward=0");
      Ended both = run(bed.a, "+all", probe);
      assertThat(both.out()).contains("error    forwarding-off", "unread   probe-latency");
      assertThat(both.exitCode()).isEqualTo(1);
    }
  }
}
