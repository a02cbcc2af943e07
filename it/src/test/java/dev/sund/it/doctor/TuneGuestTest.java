package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.cli.CleanupCommand;
import dev.sund.dataplane.FailPoint;
import dev.sund.doctor.Host;
import dev.sund.doctor.WholeFile;
import dev.sund.doctor.live.LiveFacts;
import dev.sund.doctor.tune.KernelModules;
import dev.sund.doctor.tune.TunePlan;
import dev.sund.doctor.tune.TunePlanner;
import dev.sund.doctor.tune.Tuner;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * {@code sund tune} on the guest's own kernel: set, killed in the middle, put back exactly, also by
 * {@code sund cleanup}.
 */
@Tag("guest")
class TuneGuestTest {
  private static final Path ROOT = Path.of("/");
  private static final Path SYS = Path.of("/proc/sys");
  private static final Path FILE = Path.of("/etc/sysctl.d/99-sund.conf");
  private static final Path LIST = Path.of("/etc/modules-load.d/sund.conf");
  private static final String MAX = "net/netfilter/nf_conntrack_max";

  /** What the test breaks, and what it was. */
  private final Map<String, String> broken = new TreeMap<>();

  @TempDir Path state;
  private boolean began;

  @BeforeEach
  void aNodeThatIsSetWrong() throws Exception {
    Assumptions.assumeTrue(
        Boolean.getBoolean("sund.test.guest"), "a machine's own settings: run sund test");
    began = true;
    run("nft", "add table ip tune");
    run("nft", "add chain ip tune out { type filter hook output priority 0; }");
    run("nft", "add rule ip tune out ct state new accept");
    run("ip", "link add flannel.1 type vxlan id 1 dstport 8472 local 127.0.0.1");
    run("ip", "link add tune0 type dummy");
    set("net/ipv4/ip_forward", "0");
    set("net/ipv4/conf/all/accept_redirects", "0");
    set("net/ipv4/conf/tune0/forwarding", "1");
    set("net/ipv4/conf/flannel.1/rp_filter", "1");
    set("net/ipv4/ip_local_port_range", "1024 65535");
    set("net/core/somaxconn", "128");
    set(MAX, "2048");
    set("net/netfilter/nf_conntrack_buckets", "8192");
  }

  @AfterEach
  void asTheOthersHadIt() throws Exception {
    if (!began) {
      return;
    }
    for (Map.Entry<String, String> entry : broken.entrySet()) {
      write(entry.getKey(), entry.getValue());
    }
    run("ip", "link delete flannel.1");
    run("ip", "link delete tune0");
    run("nft", "delete table ip tune");
  }

  @Test
  void whatIsAppliedHoldsInTheKernelAndIsPutBackExactlyTwice() throws Exception {
    Map<String, String> before = values();
    for (int round = 0; round < 2; round++) {
      TunePlan plan = plan();
      assertThat(plan.unread()).isEmpty();
      assertThat(plan.keys())
          .extracting(key -> key.key() + "=" + key.wanted())
          .contains(
              "net/ipv4/ip_forward=1",
              "net/ipv4/conf/flannel.1/rp_filter=2",
              "net/ipv4/ip_local_reserved_ports=30000-32767",
              "net/core/somaxconn=4096");
      assertThat(tuner().apply(plan)).contains("wrote " + FILE, "wrote " + LIST);
      for (TunePlan.Key key : plan.keys()) {
        assertThat(read(key.key()).replace('\t', ' ')).as(key.key()).isEqualTo(key.wanted());
      }
      assertThat(Long.parseLong(read(MAX))).isGreaterThanOrEqualTo(131_072);
      assertThat(Files.readString(LIST)).contains("\nnf_conntrack\n");

      assertThat(plan().changes()).isFalse();
      assertThat(tuner().apply(plan())).isEmpty();

      tuner().revert(false);
      assertThat(values()).isEqualTo(before);
      assertThat(FILE).doesNotExist();
      assertThat(LIST).doesNotExist();
    }
  }

  @Test
  void aCommandThatIsKilledInTheMiddleIsPutBackExactly() throws Exception {
    Map<String, String> before = values();
    Process killed =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-D" + FailPoint.PROPERTY + "=tune:3",
                "-cp",
                Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                    .map(path -> Path.of(path).toAbsolutePath().toString())
                    .reduce((one, other) -> one + File.pathSeparator + other)
                    .orElseThrow(),
                "dev.sund.cli.Main",
                "tune",
                "--apply",
                "--state-dir",
                state.toString())
            .inheritIO()
            .start();
    assertThat(killed.waitFor(180, TimeUnit.SECONDS)).isTrue();
    assertThat(killed.exitValue()).isEqualTo(FailPoint.EXIT);
    assertThat(values()).isNotEqualTo(before);
    assertThat(Tuner.isApplied(state)).isTrue();

    tuner().revert(false);
    assertThat(values()).isEqualTo(before);
    assertThat(Tuner.isApplied(state)).isFalse();
  }

  @Test
  void cleanupPutsBackWhatTuneHasSetAndTouchesNothingElse() throws Exception {
    Map<String, String> before = values();
    Map<String, String> othersBefore = others();
    tuner().apply(plan());
    assertThat(values()).isNotEqualTo(before);
    assertThat(others()).hasSize(othersBefore.size() + 2).containsKeys(FILE.toString());
    Map<String, String> tuned = values();

    assertThat(cleanup("--dry-run"))
        .contains("would ")
        .contains(FILE.toString(), LIST.toString(), "net.core.somaxconn");
    assertThat(values()).isEqualTo(tuned);
    assertThat(others()).containsKeys(FILE.toString(), LIST.toString());

    write("net/core/somaxconn", "2048"); // by somebody else, later
    assertThat(cleanup()).contains(FILE.toString(), LIST.toString(), "net.ipv4.ip_forward");
    before.put("net/core/somaxconn", "2048\n");
    assertThat(values()).isEqualTo(before);
    assertThat(others()).isEqualTo(othersBefore);
    assertThat(Tuner.isApplied(state)).isFalse();
    assertThat(cleanup()).isEqualTo("nothing of Sund's is here\n");
  }

  /** What the command prints, as users run it. */
  private String cleanup(String... options) {
    StringWriter printed = new StringWriter();
    CommandLine command = new CommandLine(new CleanupCommand());
    command.setOut(new PrintWriter(printed)).setErr(new PrintWriter(printed));
    List<String> words = new ArrayList<>(List.of("--state-dir", state.toString()));
    words.addAll(List.of(options));
    assertThat(command.execute(words.toArray(String[]::new))).as("%s", printed).isZero();
    return printed.toString();
  }

  /** Files beside those that are tuned, and what the kernel has for others. */
  private static Map<String, String> others() throws Exception {
    Map<String, String> others = new TreeMap<>();
    for (String folder : List.of("/etc/sysctl.d", "/etc/modules-load.d", "/etc/cni")) {
      if (Files.isDirectory(Path.of(folder))) {
        try (Stream<Path> all = Files.walk(Path.of(folder))) {
          for (Path file : all.filter(Files::isRegularFile).toList()) {
            others.put(file.toString(), Files.readString(file));
          }
        }
      }
    }
    for (String command : List.of("nft list ruleset", "ip -br link")) {
      Process process = new ProcessBuilder(command.split(" ")).start();
      others.put(
          command, new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
      assertThat(process.waitFor()).as(command).isZero();
    }
    return others;
  }

  private static TunePlan plan() throws Exception {
    return TunePlanner.of(new Host(ROOT, Duration.ofSeconds(1), Thread::sleep, LiveFacts.of(ROOT)));
  }

  private Tuner tuner() {
    return new Tuner(ROOT, state, KernelModules.modprobe(), _ -> {});
  }

  /** All that may be touched: also what the kernel changes with another key. */
  private static Map<String, String> values() throws IOException {
    Map<String, String> values = new TreeMap<>();
    List<Path> keys = new ArrayList<>();
    for (String folder :
        List.of("net/ipv4/conf", "net/ipv6/conf", "net/core", "net/netfilter", "net/ipv4/neigh")) {
      try (Stream<Path> all = Files.walk(SYS.resolve(folder))) {
        keys.addAll(all.filter(Files::isRegularFile).filter(Files::isReadable).toList());
      }
    }
    for (String key :
        List.of("ip_forward", "ip_local_port_range", "ip_local_reserved_ports", "tcp_syncookies")) {
      keys.add(SYS.resolve("net/ipv4").resolve(key));
    }
    for (Path key : keys) {
      String name = SYS.relativize(key).toString();
      // Not settings: they count, are drawn at random, or refuse to be read.
      if (!name.matches(".*(nf_conntrack_count|secret|flush|hash_seed|netdev_rss_key)")) {
        values.put(name, WholeFile.text(key));
      }
    }
    return values;
  }

  private void set(String key, String value) throws IOException {
    broken.putIfAbsent(key, read(key));
    write(key, value);
  }

  private static String read(String key) throws IOException {
    return WholeFile.text(SYS.resolve(key)).strip();
  }

  private static void write(String key, String value) throws IOException {
    Files.writeString(SYS.resolve(key), value + "\n");
  }

  private static void run(String program, String arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(program));
    command.addAll(List.of(arguments.split(" ")));
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as("%s", command).isZero();
  }
}
